import type { Annotation, Section } from '../../../../src/domain/report.ts';
import { type HookResult, formatHook } from '../../../../src/domain/shift/hooks.ts';

/** PURE: what the team's commands did, beside what the shift came to, which they do not change. */
export const hooksSection = (hooked: readonly HookResult[]): readonly Section[] =>
  hooked.length === 0
    ? []
    : [
        {
          kind: 'table',
          columns: ['command', 'end', 'what'],
          rows: hooked.map(({ hook, end, says }) => [formatHook(hook), end, says]),
        },
      ];

/** The step stays as green or red as the shift is: a red one would make a workflow go back from a good release. */
export const hooksAnnotations = (hooked: readonly HookResult[], outcome: string): readonly Annotation[] =>
  hooked.flatMap(({ hook, end, says }): readonly Annotation[] => {
    const title = 'blue-green';
    const name = formatHook(hook);
    if (end === 'good') return [];
    if (end === 'skipped') return [{ level: 'warning', title, message: `The command ${name} was not run: ${says}` }];
    const message = `The command ${name} failed: ${says}. Traffic was not moved for it, the outcome is ${outcome}; run the command by hand`;
    return [{ level: 'error', title, message }];
  });

/** `good`, `failed`, `skipped`: the worst of them; empty when none ran. */
export const hooksOutput = (hooked: readonly HookResult[]): string =>
  (['failed', 'skipped', 'good'] as const).find((end) => hooked.some((each) => each.end === end)) ?? '';

/** `; 1 of 2 commands failed` */
export function hooksWords(hooked: readonly HookResult[]): string {
  const failed = hooked.filter(({ end }) => end === 'failed').length;
  return failed === 0 ? '' : `; ${failed} of ${hooked.length} commands failed`;
}
