import { type Decision, type Held, move } from './moves.ts';
import type { Seen } from './seen.ts';

/** The request of a shift that goes back: nobody waits for votes any more. */
export function withdraw({ gate, request }: Pick<Seen, 'gate' | 'request'>, { record }: Held): Decision | undefined {
  const known = gate?.view.kind === 'open' ? gate.view.issue : undefined;
  const issue = record.gate?.issue ?? (record.gate === undefined ? undefined : known);
  if (issue === undefined || request === 'withdrawn') return undefined;
  return move({ kind: 'withdraw', issue, says: `Not approved: the release was rolled back (${record.reason}).` });
}
