import { type Outcome as Answer, missingWords } from '../../../../src/domain/approval/decide.ts';
import { type Instant, after, formatTimeOfDay, instant, minutes } from '../../../../src/domain/duration.ts';
import type { OpenGate } from '../../../../src/domain/shift/gate.ts';
import { leaseFrom } from '../../../../src/domain/shift/record.ts';
import { unreachable } from '../../../../src/domain/unreachable.ts';
import { rollBack } from './rollback.ts';
import type { Goal, GoalGate } from './goal.ts';
import { type Decision, type Held, move } from './moves.ts';
import type { Seen } from './seen.ts';

/** The asking ends by itself at the deadline of the request; one that hangs is given up soon after. */
const GRACE = minutes(1);

export const gateBefore = (goal: Goal, percent: number): GoalGate | undefined =>
  goal.gates.find((gate) => gate.before === percent);

/** A release that people did not let in goes back; the record tells it, which outlives a process. */
const notApproved = ({ record, now }: Held, { before }: OpenGate, why: string): Decision =>
  rollBack({ record: { ...record, approval: 'refused' }, now }, `${before} % was not approved${why}`);

/** Asks people, once the present step is judged good. */
export function openGate(goal: Goal, gate: GoalGate, { record, now }: Held): Decision {
  const deadline = after(record.begunAt, goal.policy.deadline);
  const until = instant(Math.min(after(now, gate.within), deadline));
  const opened: OpenGate = { before: gate.before, until, issue: undefined, asked: [] };
  const says = `${record.percent} % is judged good; asking for approval of ${gate.before} %, until ${formatTimeOfDay(until)} UTC`;
  return move({ kind: 'record', record: { ...record, gate: opened, leaseUntil: leaseFrom(now) }, says });
}

/**
 * What an approval that is asked for makes of the shift, before anything else is judged; undefined: it waits, or it was
 * given. Whatever is not an approval ends in a rollback: a denial, the end of its time, a fault, a policy that changed.
 */
export function decideGate(goal: Goal, seen: Seen, held: Held): Decision | undefined {
  const { record, now } = held;
  const { gate } = record;
  if (gate === undefined) return undefined;
  const step = `${gate.before} %`;
  const next = goal.policy.steps.find((percent) => percent > record.percent);
  if (gateBefore(goal, gate.before) === undefined || next !== gate.before)
    return rollBack(held, `approval of ${step} is asked for, and the policy of now does not ask for it`);
  const view = seen.gate?.before === gate.before ? seen.gate.view : undefined;
  if (view?.kind === 'approved') return undefined;
  if (view?.kind === 'refused') return notApproved(held, gate, `: ${view.why}`);
  if (now >= after(gate.until, GRACE)) return notApproved(held, gate, ' in time');
  if (view === undefined) return move({ kind: 'ask', gate });
  if (view.kind === 'open' && view.issue !== gate.issue) {
    const noted: OpenGate = { ...gate, issue: view.issue, asked: view.asked };
    const says = `Waiting for approval of ${step}: ${view.url} asks ${view.asked.join(', ')}`;
    return move({ kind: 'record', record: { ...record, gate: noted, leaseUntil: leaseFrom(now) }, says });
  }
  return undefined;
}

/** Until when the step is judged because people have not answered yet; undefined: nobody is waited for. */
export function waitOf(seen: Seen, { record }: Held): { readonly until: Instant; readonly what: string } | undefined {
  const { gate } = record;
  if (gate === undefined || seen.gate?.view.kind === 'approved') return undefined;
  const view = seen.gate?.view;
  const waitsFor = view?.kind === 'open' || view?.kind === 'opening' ? view.waitsFor : 'an answer';
  return { until: after(gate.until, GRACE), what: `approval of ${gate.before} % (${waitsFor})` };
}

/** What people answered, or why nobody did, without a full stop. */
export function answerWords(answer: Answer): string {
  switch (answer.kind) {
    case 'approved':
      return `approved by ${answer.by.map(({ person }) => person.login).join(', ')}`;
    case 'overridden':
      return `let in by the emergency override of ${answer.override.person.login}: ${answer.override.reason}`;
    case 'denied':
      return `denied by ${answer.by.login}`;
    case 'expired':
      return `nobody said no, and ${missingWords(answer)} ${answer.missing === 1 ? 'was' : 'were'} missing in the end`;
    case 'outside-window':
      return answer.why;
    case 'error':
      return answer.why.replace(/[.\s]+$/, '');
    default:
      return unreachable(answer);
  }
}
