import type { HealthAnswer } from '../plane/types.ts';
import type { TargetReason } from './types.ts';
import { failedWithCode, targetDescriptions } from './wording.ts';

/** ELBv2's `Matcher.HttpCode`: codes and ranges, `200`, `200,301`, `200-299,404`. */
export function matches(matcher: string, status: number): boolean {
  return matcher.split(',').some((part) => {
    const [first, last] = part.split('-').map(Number);
    return first !== undefined && status >= first && status <= (last ?? first);
  });
}

export type Verdict =
  { readonly kind: 'good' } | { readonly kind: 'bad'; readonly reason: TargetReason; readonly description: string };

export function judgeAnswer(answer: HealthAnswer, matcher: string): Verdict {
  switch (answer.kind) {
    case 'status':
      return matches(matcher, answer.status)
        ? { kind: 'good' }
        : { kind: 'bad', reason: 'Target.ResponseCodeMismatch', description: failedWithCode(answer.status) };
    case 'failed': {
      const reason = /time/i.test(answer.reason) ? 'Target.Timeout' : 'Target.FailedHealthChecks';
      return { kind: 'bad', reason, description: targetDescriptions[reason] ?? reason };
    }
  }
}
