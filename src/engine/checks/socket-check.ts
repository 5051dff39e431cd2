import type { Exchange, ResolvedCheck, SocketPart } from '../../domain/checks/document.ts';
import { type Answer, type JudgeContext, judge } from '../../domain/checks/judge.ts';
import { destinationOf } from '../../domain/checks/redirect.ts';
import { oneLine, redact } from '../../domain/checks/shown-text.ts';
import {
  HANDSHAKE,
  type HubFrame,
  KEEP_ALIVE,
  connectPath,
  invocation,
  negotiatePath,
  readFrames,
  readNegotiation,
} from '../../domain/checks/signalr.ts';
import { type Duration, formatDuration, milliseconds } from '../../domain/duration.ts';
import type { OpenResult, OpenSocket, Prober, Received } from '../../ports/prober.ts';
import type { Attempt } from './attempt.ts';
import { BODY_LIMIT, type ChecksTarget, headersOf, probeCheck } from './probe-check.ts';
import { type CapturedNow, secretsOf, take } from './take-captures.ts';

type SocketCheck = ResolvedCheck & { readonly socket: SocketPart };

interface SocketRun {
  readonly target: ChecksTarget;
  readonly context: JudgeContext;
}

interface SocketTools {
  readonly prober: Prober;
  readonly address?: string;
}

/** Opens a WebSocket, or a connection to a SignalR hub, and makes the turns of the check on it. It is closed in any case. */
export async function trySocket(
  check: SocketCheck,
  run: SocketRun,
  tools: SocketTools,
  signal: AbortSignal,
): Promise<Attempt> {
  const negotiated = await negotiate(check, run, tools, signal);
  if (!negotiated.ok) return negotiated.attempt;
  const left = milliseconds(Math.max(1, check.timeout - negotiated.spent));
  const opened = await open({ ...check, path: negotiated.path, timeout: left }, run, tools, signal);
  const spent = milliseconds(negotiated.spent + opened.duration);
  if (opened.kind === 'failed') return refused(opened, spent, run.context);
  try {
    return await converse(check, { opened, spent, ...run }, signal);
  } finally {
    opened.socket.close();
  }
}

type Start =
  | { readonly ok: true; readonly path: string; readonly spent: Duration }
  | { readonly ok: false; readonly attempt: Attempt };

async function negotiate(check: SocketCheck, run: SocketRun, tools: SocketTools, signal: AbortSignal): Promise<Start> {
  if (check.socket.protocol === 'websocket') return { ok: true, path: check.path, spent: milliseconds(0) };
  const request: ResolvedCheck = { ...check, method: 'POST', path: negotiatePath(check.path) };
  const answer = await probeCheck(request, run.target, tools, signal);
  const problem = (why: string): Start => ({ ok: false, attempt: failedWith(answer, [why], [answer.duration]) });
  if (answer.kind === 'failed') return problem(answer.message);
  if (answer.status !== 200) return problem(`status ${answer.status} to the negotiation, expected 200`);
  const read = readNegotiation(answer.body);
  if (!read.ok) return problem(oneLine(redact(read.problem, run.context.secrets)));
  return { ok: true, path: connectPath(check.path, read.token), spent: answer.duration };
}

function open(
  check: ResolvedCheck,
  { target }: SocketRun,
  tools: SocketTools,
  signal: AbortSignal,
): Promise<OpenResult> {
  const { connect, host } = destinationOf(target, check.path);
  return tools.prober.open(
    {
      url: connect.href,
      ...(host === undefined ? {} : { host }),
      ...(tools.address === undefined ? {} : { address: tools.address }),
      headers: headersOf(check, target),
      timeout: check.timeout,
      messageLimit: BODY_LIMIT,
    },
    signal,
  );
}

/** A peer that answers something else than an open WebSocket has answered. */
function refused(failed: Extract<OpenResult, { kind: 'failed' }>, spent: Duration, { secrets }: JudgeContext): Attempt {
  const message = oneLine(redact(failed.message, secrets));
  const answer: Answer = { kind: 'failed', fault: failed.fault, message };
  const attempt = failedWith(answer, [message], [spent]);
  return failed.status === undefined ? attempt : { ...attempt, ended: 'answered' };
}

const failedWith = (answer: Answer, reasons: readonly string[], waits: readonly Duration[]): Attempt => ({
  answer,
  judgement: { kind: 'fail', reasons },
  captured: [],
  waits,
  ended: answer.kind === 'answered' ? 'answered' : 'unanswered',
});

interface Conversation extends SocketRun {
  readonly opened: Extract<OpenResult, { kind: 'open' }>;
  readonly spent: Duration;
}

async function converse(check: SocketCheck, talk: Conversation, signal: AbortSignal): Promise<Attempt> {
  const { opened, spent, context } = talk;
  const { headers, certificate, socket } = opened;
  const answer: Answer = {
    kind: 'answered',
    status: 101,
    headers,
    body: '',
    bodyTruncated: false,
    duration: spent,
    ...(certificate === undefined ? {} : { certificate }),
  };
  const waits = [spent];
  const captured: CapturedNow[] = [];
  const judgement = judge(check.expect, answer, context);
  const whole: Attempt = {
    answer,
    judgement,
    ...(check.warn === undefined ? {} : { warned: judge(check.warn, answer, context) }),
    captured,
    waits,
    ended: 'answered',
  };
  if (judgement.kind === 'fail') return whole;
  const hub = check.socket.protocol === 'signalr' ? newHub(socket) : undefined;
  const failure = (reasons: readonly string[], ended: Attempt['ended']): Attempt => ({
    ...whole,
    judgement: { ...judgement, kind: 'fail', reasons },
    ended,
  });
  const shaken = hub && (await hub.shakeHands(check.timeout, signal));
  if (shaken !== undefined && !shaken.ok) return failure([shown(shaken.problem, context)], 'unanswered');
  for (const exchange of check.socket.exchanges) {
    const turn = hub
      ? await hub.turn(exchange, check.timeout, signal)
      : await webSocketTurn(socket, exchange, check.timeout, signal);
    waits.push(turn.waited);
    if (!turn.ok) return failure([shown(turn.problem, context)], 'unanswered');
    const reasons = judgeTurn(exchange, turn, context, captured);
    if (reasons.length > 0) return failure(reasons, 'answered');
  }
  return whole;
}

const shown = (text: string, { secrets }: JudgeContext): string => oneLine(redact(text, secrets));

type Turn = { readonly waited: Duration } & (
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string }
);

function judgeTurn(
  exchange: Exchange,
  turn: Extract<Turn, { ok: true }>,
  context: JudgeContext,
  captured: CapturedNow[],
): readonly string[] {
  const called = exchange.kind === 'invoke' ? 'result' : 'message';
  const answer = {
    kind: 'answered',
    status: 101,
    headers: {},
    body: turn.text,
    bodyTruncated: false,
    duration: turn.waited,
  } as const;
  const taken = take(exchange.captures, answer, context);
  captured.push(...taken.captured);
  const around: JudgeContext = { ...context, called, secrets: [...context.secrets, ...secretsOf(taken)] };
  const judged = exchange.expect ? judge(exchange.expect, answer, around) : undefined;
  if (judged?.kind === 'fail') return judged.reasons.map((reason) => `${nameOf(exchange)}: ${reason}`);
  return taken.problems;
}

const nameOf = (exchange: Exchange): string =>
  exchange.kind === 'invoke' ? `invoke ${exchange.method}` : exchange.kind;

/** Why nothing came, in words that say what the peer did. */
function absence(received: Exclude<Received, { kind: 'message' }>, wanted: string, timeout: Duration): string {
  if (received.kind === 'silent')
    return `${wanted} within ${formatDuration(timeout)}: the WebSocket is open and silent`;
  const reason = received.reason === '' ? '' : `, ${received.reason}`;
  return `${wanted}: the peer closed the WebSocket (${received.code}${reason})`;
}

async function webSocketTurn(
  socket: OpenSocket,
  exchange: Exchange,
  timeout: Duration,
  signal: AbortSignal,
): Promise<Turn> {
  if (exchange.kind === 'ping') return pingTurn(socket, timeout, signal);
  if (exchange.kind === 'send') {
    socket.send(exchange.body.kind === 'text' ? exchange.body.text : JSON.stringify(exchange.body.value));
    if (exchange.expect === undefined && exchange.captures.length === 0)
      return { ok: true, text: '', waited: milliseconds(0) };
  }
  const received = await socket.receive(timeout, signal);
  if (received.kind === 'message') return { ok: true, text: received.text, waited: received.waited };
  return { ok: false, problem: absence(received, 'no message', timeout), waited: received.waited };
}

async function pingTurn(socket: OpenSocket, timeout: Duration, signal: AbortSignal): Promise<Turn> {
  const pinged = await socket.ping(timeout, signal);
  if (pinged.kind === 'pong') return { ok: true, text: '', waited: pinged.waited };
  return { ok: false, problem: absence(pinged, 'no answer to a ping', timeout), waited: pinged.waited };
}

interface Hub {
  shakeHands(timeout: Duration, signal: AbortSignal): Promise<Turn>;
  turn(exchange: Exchange, timeout: Duration, signal: AbortSignal): Promise<Turn>;
}

/** Frames that are not the one waited for: pings, calls and items of streams. */
const MOST_OTHERS = 10_000;

/** The JSON hub protocol on an open WebSocket. */
function newHub(socket: OpenSocket): Hub {
  const frames: HubFrame[] = [];
  let calls = 0;
  /** The first frame that `wanted` takes; a hub that closes ends the wait. */
  const firstFrame = async (
    wanted: (frame: HubFrame) => string | { readonly problem: string } | undefined,
    { absent, timeout, signal }: { readonly absent: string; readonly timeout: Duration; readonly signal: AbortSignal },
  ): Promise<Turn> => {
    let others = 0;
    for (let spent = milliseconds(0); ;) {
      for (let frame = frames.shift(); frame !== undefined; frame = frames.shift()) {
        const taken = wanted(frame) ?? unwanted(frame);
        // A hub that floods would be listened to for longer than its timeout: what lies there already takes no wait.
        if (taken === undefined && (others += 1) > MOST_OTHERS)
          return { ok: false, problem: `${absent} among ${MOST_OTHERS} frames that nobody asked for`, waited: spent };
        if (typeof taken === 'string') return { ok: true, text: taken, waited: spent };
        if (taken !== undefined) return { ok: false, problem: taken.problem, waited: spent };
      }
      // Pings of the server must not make a hub that never answers look alive.
      const left = milliseconds(Math.max(1, timeout - spent));
      const received = await socket.receive(left, signal);
      spent = milliseconds(spent + received.waited);
      if (received.kind !== 'message' || spent > timeout) {
        const end = received.kind === 'message' ? ({ kind: 'silent', waited: spent } as const) : received;
        return { ok: false, problem: absence(end, absent, timeout), waited: spent };
      }
      frames.push(...readFrames(received.text));
    }
  };
  return {
    shakeHands(timeout, signal) {
      socket.send(HANDSHAKE);
      const absent = 'the hub does not answer the handshake';
      return firstFrame(
        (frame) => {
          if (frame.kind !== 'handshake') return undefined;
          return frame.error === undefined ? '' : { problem: `the hub refuses the handshake: ${frame.error}` };
        },
        { absent, timeout, signal },
      );
    },
    turn(exchange, timeout, signal) {
      if (exchange.kind !== 'invoke') {
        socket.send(KEEP_ALIVE);
        return pingTurn(socket, timeout, signal);
      }
      const id = String((calls += 1));
      const { method } = exchange;
      socket.send(invocation(id, method, exchange.args));
      return firstFrame(
        (frame) => {
          if (frame.kind !== 'completion' || frame.id !== id) return undefined;
          return frame.error === undefined
            ? (JSON.stringify(frame.result) ?? 'null')
            : { problem: `invoke ${method}: the hub answers an error: ${frame.error}` };
        },
        { absent: `invoke ${method}: no result`, timeout, signal },
      );
    },
  };
}

function unwanted(frame: HubFrame): { readonly problem: string } | undefined {
  if (frame.kind === 'close') return { problem: `the hub closes the connection: ${frame.error ?? 'without a reason'}` };
  if (frame.kind === 'unreadable')
    return { problem: `the hub sends something that is no frame: ${oneLine(frame.text, 60)}` };
  return undefined;
}
