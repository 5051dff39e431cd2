import type { ServerResponse } from 'node:http';
import { setTimeout as realSleep } from 'node:timers/promises';
import { type CallEntry, callLog } from './call-log.ts';
import { type SandboxClock, mutex } from './clock.ts';
import { dispatch, type Services } from './dispatch.ts';
import { dropsConnection, type Fault, type FaultBoard, faultBoard, FIXTURE, strike } from './faults.ts';
import { type Region, travel } from './region.ts';
import type { Session, Sessions } from './sessions.ts';
import { staleAnswers } from './stale-answers.ts';
import { type Answer, awsError, errorAnswer } from './wire/answer.ts';
import type { ApiCall } from './wire/call.ts';
import { accessDenied, expiredToken, internalFailure, throttled } from './wire/errors.ts';

export interface AccountOptions {
  readonly clock: SandboxClock;
  readonly sessions: Sessions;
  readonly home: string;
  services(region: string): Promise<Services>;
  regions(): readonly Region[];
  log(line: string): void;
}

/** How one account serves calls: one after the other, written down, with the faults and kills that were armed. */
export interface AccountServer {
  serve(call: ApiCall, response: ServerResponse): Promise<void>;
  calls(): readonly CallEntry[];
  readonly faults: FaultBoard;
  /** Does `work` alone, between calls. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
}

/** What a call comes to. `drop`: the connection is cut without an answer; `hang`: it stays open without one. */
type Outcome =
  | { readonly kind: 'answer'; readonly answer: Answer; readonly fault?: string }
  | { readonly kind: 'drop' | 'hang'; readonly applied: 'applied' | 'not-applied'; readonly fault: string };

export function accountServer(options: AccountOptions): AccountServer {
  const { clock, sessions } = options;
  const calls = callLog();
  const faults = faultBoard();
  const stale = staleAnswers();
  const exclusive = mutex();

  const arrive = (call: ApiCall): Promise<void> =>
    exclusive(async () => {
      if (call.at !== undefined && clock.kind === 'lock-step') await travel(options.regions(), clock, call.at);
    });

  function apply(call: ApiCall, entry: CallEntry, session: Session | undefined): Promise<Answer> {
    return exclusive(async () => {
      const services = await options.services(entry.region);
      const answer = await dispatch(call, services, session);
      if (clock.kind === 'lock-step') await services.region.settle();
      if (answer.error === undefined && entry.mutating) stale.changed();
      if (answer.error === undefined && !entry.mutating) stale.said(call, answer);
      return answer;
    });
  }

  /** The core has its own stale reads of DescribeServices; undefined: there is nothing older to say. */
  async function staleAnswer(
    call: ApiCall,
    entry: CallEntry,
    session: Session | undefined,
  ): Promise<Answer | undefined> {
    if (entry.operation !== 'ecs:DescribeServices') return stale.before(call);
    const { region } = await options.services(entry.region);
    region.apply({ kind: 'stale-reads-set', count: 1 });
    const answer = await apply(call, entry, session);
    const spent = region.state().staleReads === 0;
    region.apply({ kind: 'stale-reads-set', count: 0 });
    return spent ? answer : undefined;
  }

  async function faulty(call: ApiCall, entry: CallEntry, session: Session | undefined): Promise<Outcome | undefined> {
    const met = faults.meet(entry);
    if (met === undefined) return undefined;
    const { fault } = met;
    switch (fault.kind) {
      case 'delay':
        await realSleep(fault.delay);
        return { kind: 'answer', answer: await apply(call, entry, session), fault: 'delay' };
      case 'reset':
      case 'hang': {
        const after = fault.when === 'after';
        if (after) await apply(call, entry, session);
        const kind = fault.kind === 'reset' ? 'drop' : 'hang';
        return { kind, applied: after ? 'applied' : 'not-applied', fault: fault.kind };
      }
      case 'stale-read': {
        const answer = await staleAnswer(call, entry, session);
        if (answer !== undefined) return { kind: 'answer', answer, fault: 'stale-read' };
        met.giveBack();
        return undefined;
      }
      default:
        return { kind: 'answer', answer: errorAnswer(call, faultError(fault, call, session)), fault: fault.kind };
    }
  }

  async function outcome(call: ApiCall, entry: CallEntry, session: Session | undefined): Promise<Outcome> {
    const kill = faults.killAt(entry);
    if (kill?.when === 'before') {
      strike(kill, entry);
      if (dropsConnection(kill)) return { kind: 'drop', applied: 'not-applied', fault: 'kill' };
    }
    const met = await faulty(call, entry, session);
    const expired = session?.expiresAt !== undefined && session.expiresAt <= clock.now();
    const result: Outcome =
      met ??
      (expired
        ? { kind: 'answer', answer: errorAnswer(call, expiredToken(call)) }
        : { kind: 'answer', answer: await apply(call, entry, session) });
    if (kill?.when !== 'after') return result;
    strike(kill, entry);
    return dropsConnection(kill) ? { kind: 'drop', applied: 'applied', fault: 'kill' } : result;
  }

  return {
    faults,
    calls: () => calls.entries(),
    exclusive,
    async serve(call, response) {
      await arrive(call);
      const session = sessions.of(call.accessKey);
      const run = session?.run ?? runOfToken(call, sessions) ?? FIXTURE;
      const open = calls.open(call, { run, region: call.region ?? options.home, at: clock.now() });
      try {
        const result = await outcome(call, open.entry, session);
        finish({ result, response, now: clock.now(), end: open.end });
      } catch (error) {
        const answer = errorAnswer(call, ownFailure(error));
        options.log(`${open.entry.operation} failed in the sandbox: ${answer.error}: ${String(error)}`);
        finish({ result: { kind: 'answer', answer }, response, now: clock.now(), end: open.end });
      }
    },
  };
}

/** Status 400, so that a bug of the sandbox is seen at once and not tried again. */
const ownFailure = (error: unknown): ReturnType<typeof awsError> =>
  error instanceof SyntaxError
    ? awsError('SerializationException', 'The request body cannot be read')
    : awsError(
        'InternalFailure',
        `The sandbox cloud failed: ${error instanceof Error ? error.message : String(error)}`,
      );

function runOfToken(call: ApiCall, sessions: Sessions): string | undefined {
  if (call.operation !== 'AssumeRoleWithWebIdentity') return undefined;
  return sessions.runOf(new URLSearchParams(call.body.toString('utf8')).get('WebIdentityToken') ?? '');
}

type ErrorFault = Exclude<Fault, { kind: 'reset' | 'hang' | 'stale-read' | 'delay' }>;

function faultError(fault: ErrorFault, call: ApiCall, session: Session | undefined): ReturnType<typeof awsError> {
  switch (fault.kind) {
    case 'error':
      return awsError(fault.code, fault.message, fault.status);
    case 'throttle':
      return throttled(call);
    case 'access-denied':
      return accessDenied(call, session?.arn ?? 'anonymous');
    case 'expired-token':
      return expiredToken(call);
    case '5xx':
      return internalFailure(call);
  }
}

interface Finish {
  readonly result: Outcome;
  readonly response: ServerResponse;
  readonly now: number;
  end(result: CallEntry['result'], fault?: string): void;
}

function finish({ result, response, now, end }: Finish): void {
  if (result.kind !== 'answer') {
    if (result.kind === 'drop') response.socket?.resetAndDestroy();
    end({ kind: 'dropped', why: result.fault, applied: result.applied }, result.fault);
    return;
  }
  const { answer, fault } = result;
  if (response.destroyed) {
    end(
      { kind: 'dropped', why: 'the client left', applied: answer.error === undefined ? 'applied' : 'not-applied' },
      fault,
    );
    return;
  }
  // The sandbox's own time: an SDK that sees another one corrects its clock by the difference.
  const headers = {
    'content-length': Buffer.byteLength(answer.body),
    ...answer.headers,
    date: new Date(now).toUTCString(),
  };
  response.writeHead(answer.status, headers).end(answer.body);
  end(
    answer.error === undefined ? { kind: 'ok' } : { kind: 'error', code: answer.error, status: answer.status },
    fault,
  );
}
