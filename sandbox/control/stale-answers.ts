import type { Answer } from './wire/answer.ts';
import type { ApiCall } from './wire/call.ts';

/** Remembers what reads said, so that a fault can say it again after the next change, as a lagging replica does. */
export interface StaleAnswers {
  /** A change went through: what was said before is old from now on. */
  changed(): void;
  said(call: ApiCall, answer: Answer): void;
  /** What the same read said last before the last change. */
  before(call: ApiCall): Answer | undefined;
}

interface Said {
  readonly at: number;
  readonly answer: Answer;
}

export function staleAnswers(): StaleAnswers {
  let changes = 0;
  const latest = new Map<string, Said>();
  const older = new Map<string, Said>();
  const keyOf = (call: ApiCall): string =>
    `${call.region} ${call.service} ${call.operation} ${call.url} ${call.body.toString('base64')}`;
  return {
    changed: () => void (changes += 1),
    said(call, answer) {
      const key = keyOf(call);
      const known = latest.get(key);
      if (known !== undefined && known.at < changes) older.set(key, known);
      latest.set(key, { at: changes, answer });
    },
    before(call) {
      const key = keyOf(call);
      const known = latest.get(key);
      return known !== undefined && known.at < changes ? known.answer : older.get(key)?.answer;
    },
  };
}
