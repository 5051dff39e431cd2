import type { RandomValues, ResolvedFlow, ResolvedStep } from '../../domain/checks/document.ts';
import { type CheckResult, FLOW } from '../../domain/checks/result.ts';
import { oneLine, redact } from '../../domain/checks/shown-text.ts';
import { between, milliseconds } from '../../domain/duration.ts';
import type { Attempt, AttemptRun } from './attempt.ts';
import type { ChecksTools } from './run-checks.ts';
import { tryUntilGood } from './try-until-good.ts';

/** Runs a flow once, step by step; the first step that fails ends it, because the next ones build on it. */
export async function runFlow(
  flow: ResolvedFlow,
  run: AttemptRun,
  tools: ChecksTools,
  signal: AbortSignal,
): Promise<CheckResult> {
  const started = tools.clock.now();
  const state = newFlowState(run.secrets, tools);
  const warnings: string[] = [];
  let last: Attempt | undefined;
  let tries = 1;
  const requests = flow.steps.filter((step) => step.kind === 'request').length;
  const sent: string[] = [];
  let stopped = '';
  const result = (verdict: CheckResult['verdict'], reasons: readonly string[], at = flow.at): CheckResult => ({
    name: flow.name,
    at,
    method: FLOW,
    path: [oneLine(sent.join(', '), 200), stopped].filter((part) => part !== '').join('; '),
    verdict,
    tries,
    durationMs: Math.round(between(started, tools.clock.now())),
    reasons,
    ...(last?.answer.kind === 'answered'
      ? { answer: { status: last.answer.status, durationMs: Math.round(last.answer.duration) } }
      : {}),
  });
  for (const step of flow.steps) {
    if (step.kind === 'think') {
      await tools.clock.sleep(state.thinkTime(step), signal);
      continue;
    }
    const filled = step.fill(state.values);
    const words = (reasons: readonly string[]): readonly string[] => reasons.map((reason) => `${step.name}: ${reason}`);
    if (!filled.ok) {
      stopped = `stopped before request ${sent.length + 1} of ${requests}`;
      return result('fail', words([oneLine(redact(filled.problem, state.secrets))]), step.at);
    }
    sent.push(step.name);
    const named = { ...filled.check, name: `${flow.name}, ${step.name}` };
    const tried = await tryUntilGood(named, { ...run, secrets: state.secrets, patience: 'full' }, tools, signal);
    last = tried.made;
    tries = Math.max(tries, tried.tries);
    // Whatever the step came to: what it learned is masked before a word is said of it.
    state.remember(last);
    if (tried.reasons.length > 0) {
      stopped = `stopped at request ${sent.length} of ${requests}`;
      return result('fail', words(tried.reasons), step.at);
    }
    if (last.warned?.kind === 'fail') warnings.push(...words(last.warned.reasons));
  }
  return result(warnings.length > 0 ? 'warn' : 'pass', warnings);
}

export interface FlowState {
  readonly values: { readonly captured: ReadonlyMap<string, string>; readonly random: RandomValues };
  /** Of the file, and those that were captured. */
  readonly secrets: readonly string[];
  remember(attempt: Attempt): void;
  thinkTime(step: Extract<ResolvedStep, { kind: 'think' }>): ReturnType<typeof milliseconds>;
}

/** What the steps of one run of a flow share. */
export function newFlowState(
  secrets: readonly string[],
  { random, mask }: Pick<ChecksTools, 'random' | 'mask'>,
): FlowState {
  const captured = new Map<string, string>();
  let known = secrets;
  return {
    values: { captured, random },
    get secrets() {
      return known;
    },
    remember(attempt) {
      for (const { name, value, secret } of attempt.captured) {
        if (secret === 'masked' && value !== '') {
          mask(value);
          known = [...known, value];
        }
        captured.set(name, value);
      }
    },
    thinkTime: ({ least, most }) => (least === most ? least : milliseconds(least + random.fraction() * (most - least))),
  };
}
