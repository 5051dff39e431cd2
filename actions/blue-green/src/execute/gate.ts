import { type Outcome as Answer, isYes } from '../../../../src/domain/approval/decide.ts';
import { after, seconds } from '../../../../src/domain/duration.ts';
import { Failure, messageOf } from '../../../../src/domain/failure.ts';
import { ask, withdraw } from '../../../../src/engine/approval/ask.ts';
import { answerWords } from '../decide/gate.ts';
import type { Acting } from './acting.ts';
import type { Asking } from './memory.ts';
import type { Move } from '../decide/moves.ts';
import type { GateView } from '../decide/seen.ts';

/** Begins to ask, and comes back at once: the loop goes on measuring, renews the lease and may roll back. */
export function beginAsking({ gate }: Extract<Move, { kind: 'ask' }>, acting: Acting): void {
  const { release, ports, memory, watchSignal } = acting;
  const stop = new AbortController();
  const signal = AbortSignal.any([watchSignal, stop.signal]);
  const asking: Asking = { before: gate.before, view: OPENING, stop, ended: Promise.resolve() };
  const rules = release.gates.get(gate.before);
  if (rules === undefined || memory.record === undefined) throw new TypeError('who asks has rules and a shift');
  const { id: shift, percent: from } = memory.record;
  const question = {
    request: { ...rules, step: { shift, from, to: gate.before } },
    context: release.context,
    until: gate.until,
    found: gate.issue,
    onOpened(issue: { readonly number: number; readonly url: string }, people: readonly { readonly login: string }[]) {
      const asked = people.map(({ login }) => login);
      asking.view = { kind: 'open', issue: issue.number, url: issue.url, asked, waitsFor: 'an answer' };
    },
    sayWait(waitsFor: string) {
      if (asking.view.kind === 'open') asking.view = { ...asking.view, waitsFor };
    },
  };
  const answer = async (): Promise<void> => {
    const answered = await ask(question, await ports.people(), signal);
    const { view } = asking;
    asking.view = viewOf(answered, gate.before, view.kind === 'open' ? view.url : undefined);
  };
  asking.ended = answer().catch((thrown: unknown) => {
    // Whatever goes wrong here has let nobody in; it is told where the shift ends because of it.
    if (!signal.aborted) asking.view = { kind: 'refused', why: whyOf(thrown) };
  });
  memory.asking = asking;
}

const OPENING: GateView = { kind: 'opening', waitsFor: 'the request to open' };

const whyOf = (thrown: unknown): string => {
  if (!(thrown instanceof Failure)) return messageOf(thrown);
  const { what, why } = thrown.facts;
  return why === undefined ? what : `${what}: ${why}`;
};

function viewOf(answer: Answer, before: number, url: string | undefined): GateView {
  const words = `${answerWords(answer)}${url === undefined ? '' : ` (${url})`}`;
  return isYes(answer) ? { kind: 'approved', says: `${before} % ${words}` } : { kind: 'refused', why: words };
}

/** A release that goes back is not waited for: the request must not take votes for it any more. */
const CLOSE_WITHIN = seconds(30);

export async function withdrawRequest(
  { issue, says }: Omit<Extract<Move, { kind: 'withdraw' }>, 'kind'>,
  { ports, memory }: Acting,
  signal: AbortSignal,
): Promise<void> {
  memory.asking?.stop.abort();
  await memory.asking?.ended;
  memory.request = 'withdrawn';
  try {
    const until = after(ports.clock.now(), CLOSE_WITHIN);
    const ended = await withdraw({ number: issue, says, until }, await ports.people(), signal);
    if (ended !== 'closed') leftOpen(issue, ended.open);
    else ports.log.info(`Request ${issue} for approval is closed`);
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof Failure)) throw thrown;
    leftOpen(issue, whyOf(thrown));
  }
  function leftOpen(number: number, why: string): void {
    const message = `Request ${number} for approval could not be closed: ${why}. Close it by hand; votes in it count for nothing`;
    ports.log.warning(message);
    memory.events.push({ at: ports.clock.now(), says: message, percent: memory.events.at(-1)?.percent ?? 0 });
  }
}
