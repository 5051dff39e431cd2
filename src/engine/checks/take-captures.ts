import { captureFrom } from '../../domain/checks/capture.ts';
import type { Capture } from '../../domain/checks/document.ts';
import type { JudgeContext } from '../../domain/checks/judge.ts';
import { oneLine, redact } from '../../domain/checks/shown-text.ts';

export interface CapturedNow {
  readonly name: string;
  readonly value: string;
  readonly secret: Capture['secret'];
}

export interface Taken {
  readonly captured: readonly CapturedNow[];
  readonly problems: readonly string[];
}

export const NOTHING_TAKEN: Taken = { captured: [], problems: [] };

/** What was captured and must not be shown. */
export const secretsOf = ({ captured }: Taken): readonly string[] =>
  captured.flatMap(({ value, secret }) => (secret === 'masked' && value !== '' ? [value] : []));

/** The captured values of an answer, or why one of them is not there exactly once. */
export function take(
  captures: readonly Capture[],
  answer: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
  { secrets }: JudgeContext,
): Taken {
  if (captures.length === 0) return NOTHING_TAKEN;
  const all = captures.map((capture) => ({ capture, found: captureFrom(capture, answer) }));
  return {
    captured: all.flatMap(({ capture: { name, secret }, found }) =>
      found.ok ? [{ name, secret, value: found.value }] : [],
    ),
    problems: all.flatMap(({ found }) => (found.ok ? [] : [oneLine(redact(found.problem, secrets))])),
  };
}
