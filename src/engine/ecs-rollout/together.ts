import { type Duration, type Instant, after, between, milliseconds, seconds } from '../../domain/duration.ts';
import { CloudFailure } from '../../domain/retry-policy.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ecs, EcsService, EcsServiceRef, Need, ServiceDeployment, TaskDefinition } from '../../ports/ecs.ts';
import type { Log } from '../../ports/log.ts';

/** As DescribeServices and DescribeServiceDeployments take. */
const SERVICES_A_CALL = 10;
const RECORDS_A_CALL = 20;
/** Questions that come within this time ride in one call. */
const GATHERS_FOR = milliseconds(10);
/** A sleeper joins a beat that comes no earlier than after this part of its own wait. */
const EARLIEST = 0.4;
/** And no later than after so many times its own wait: what the spread of intervals makes between two rollouts. */
const LATEST = 1.06;
/** Shorter waits are pauses of one call, not the time between two looks. */
const SHORTEST_BEAT = seconds(2);

/**
 * The same ECS for several rollouts that are followed at once: their looks at services and at ECS's records ride together,
 * ten and twenty in a call, and a revision, which never changes, is read once. `signal` is that of all of them.
 */
export function ecsTogether(ecs: Ecs, clock: Clock, signal: AbortSignal): Ecs {
  const services = riders<EcsServiceRef, EcsService>({
    seats: SERVICES_A_CALL,
    ask: (refs) => ecs.describeServices(refs, signal),
    answers: ({ ref }, { cluster, service }) => ref.cluster === cluster && ref.service === service,
  });
  const records = (need: Need) =>
    riders<string, ServiceDeployment>({
      seats: RECORDS_A_CALL,
      ask: (arns) => ecs.describeServiceDeployments(arns, signal, need),
      answers: (record, arn) => record.arn === arn,
    });
  const recordsBy = { may: records('may'), must: records('must') };
  const revisions = new Map<string, Promise<TaskDefinition>>();

  /** Each question rides with all that come within a moment. */
  function riders<Key, Answer>(call: SharedCall<Key, Answer>) {
    let waiting: Question<Key, Answer>[] = [];
    const leave = async (): Promise<void> => {
      try {
        await clock.sleep(GATHERS_FOR, signal);
      } catch (thrown) {
        for (const { reject } of waiting.splice(0)) reject(thrown);
        return;
      }
      const asked = waiting;
      waiting = [];
      for (let first = 0; first < asked.length; first += call.seats)
        void answer(asked.slice(first, first + call.seats), call, signal);
    };
    const ride = (key: Key): Promise<Answer | undefined> =>
      new Promise((resolve, reject) => {
        waiting.push({ key, resolve, reject });
        if (waiting.length === 1) void leave();
      });
    return async (keys: readonly Key[], own: AbortSignal): Promise<readonly Answer[]> => {
      own.throwIfAborted();
      const answers = await Promise.all(keys.map(ride));
      own.throwIfAborted();
      return answers.filter((each) => each !== undefined);
    };
  }

  return {
    ...ecs,
    describeServices: services,
    describeServiceDeployments: (arns, own, need = 'may') => recordsBy[need](arns, own),
    describeTaskDefinition(name, own) {
      if (!/:\d+$/.test(name)) return ecs.describeTaskDefinition(name, own);
      const known = revisions.get(name) ?? ecs.describeTaskDefinition(name, signal);
      revisions.set(name, known);
      return known.catch((thrown: unknown) => {
        revisions.delete(name);
        throw thrown;
      });
    },
  };
}

interface Question<Key, Answer> {
  readonly key: Key;
  readonly resolve: (answer: Answer | undefined) => void;
  readonly reject: (thrown: unknown) => void;
}

interface SharedCall<Key, Answer> {
  /** How many a call takes. */
  readonly seats: number;
  ask(keys: readonly Key[]): Promise<readonly Answer[]>;
  answers(answer: Answer, key: Key): boolean;
}

async function answer<Key, Answer>(
  asked: readonly Question<Key, Answer>[],
  call: SharedCall<Key, Answer>,
  signal: AbortSignal,
): Promise<void> {
  try {
    const found = await call.ask(asked.map(({ key }) => key));
    for (const { key, resolve } of asked) resolve(found.find((each) => call.answers(each, key)));
  } catch (thrown) {
    // One that is missing, or is none, fails the whole call: the others are asked without it.
    if (asked.length > 1 && !signal.aborted && isOfOne(thrown))
      await Promise.all(asked.map((question) => answer([question], call, signal)));
    else for (const { reject } of asked) reject(thrown);
  }
}

const isOfOne = (thrown: unknown): boolean =>
  !(thrown instanceof CloudFailure) || thrown.kind === 'not-found' || thrown.kind === 'invalid';

interface Beat {
  readonly at: Instant;
  readonly reached: Promise<void>;
}

/** The same clock for several rollouts: who sleeps until about the next look of another wakes with it, so that both look in one call. */
export function clockTogether(clock: Clock, signal: AbortSignal): Clock {
  let beats: readonly Beat[] = [];
  return {
    now: () => clock.now(),
    async sleep(length: Duration, own: AbortSignal): Promise<void> {
      if (length < SHORTEST_BEAT) return clock.sleep(length, own);
      const now = clock.now();
      const earliest = after(now, milliseconds(length * EARLIEST));
      const end = after(now, length);
      beats = beats.filter(({ at }) => at > now);
      const latest = after(now, milliseconds(length * LATEST));
      const joined = beats.find(({ at }) => at >= earliest && at <= latest);
      if (joined !== undefined) return orAborted(joined.reached, own);
      const reached = clock.sleep(between(now, end), signal);
      // Where nobody waits for it any more its end is nobody's error.
      reached.catch(() => undefined);
      beats = [...beats, { at: end, reached }].sort((one, other) => one.at - other.at);
      return orAborted(reached, own);
    },
  };
}

function orAborted(reached: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    reached.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** One line for all that is waited for: when others wait than before, and every 30 s. */
export function progressTogether(log: Log, clock: Clock, total: number) {
  const waits = new Map<string, string>();
  let said: { readonly who: string; readonly at: Instant } | undefined;
  return {
    say(name: string, wait: string): void {
      waits.set(name, wait);
      const who = [...waits.keys()].sort().join(' ');
      const due = said?.who !== who || clock.now() >= after(said.at, seconds(30));
      if (!due) return;
      log.info(`Waiting for ${waits.size} of ${total} services: ${[...waits.values()].join('; ')}`);
      said = { who, at: clock.now() };
    },
    over: (name: string): void => void waits.delete(name),
  };
}
