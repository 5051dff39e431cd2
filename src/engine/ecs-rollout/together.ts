import { type Duration, type Instant, after, between, milliseconds, seconds } from '../../domain/duration.ts';
import { CloudFailure } from '../../domain/retry-policy.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ecs, EcsService, EcsServiceRef, TaskDefinition } from '../../ports/ecs.ts';
import type { Log } from '../../ports/log.ts';

/** As DescribeServices takes. */
const SERVICES_A_CALL = 10;
/** Questions that come within this time ride in one call. */
const GATHERS_FOR = milliseconds(10);
/** A sleeper joins a beat that comes no earlier than after this part of its own wait. */
const EARLIEST = 0.4;
/** Shorter waits are pauses of one call, not the time between two looks. */
const SHORTEST_BEAT = seconds(2);

interface Question {
  readonly ref: EcsServiceRef;
  readonly resolve: (service: EcsService | undefined) => void;
  readonly reject: (thrown: unknown) => void;
}

/**
 * The same ECS for several rollouts that are followed at once: their looks at services ride together, ten in a call, and a
 * revision, which never changes, is read once. `signal` is that of all of them.
 */
export function ecsTogether(ecs: Ecs, clock: Clock, signal: AbortSignal): Ecs {
  let waiting: Question[] = [];
  const revisions = new Map<string, Promise<TaskDefinition>>();

  const flush = async (): Promise<void> => {
    try {
      await clock.sleep(GATHERS_FOR, signal);
    } catch (thrown) {
      for (const { reject } of waiting.splice(0)) reject(thrown);
      return;
    }
    const asked = waiting;
    waiting = [];
    for (let first = 0; first < asked.length; first += SERVICES_A_CALL)
      void answer(asked.slice(first, first + SERVICES_A_CALL), ecs, signal);
  };
  const ask = (ref: EcsServiceRef): Promise<EcsService | undefined> =>
    new Promise((resolve, reject) => {
      waiting.push({ ref, resolve, reject });
      if (waiting.length === 1) void flush();
    });

  return {
    ...ecs,
    async describeServices(refs, own) {
      own.throwIfAborted();
      const services = await Promise.all(refs.map(ask));
      own.throwIfAborted();
      return services.filter((service) => service !== undefined);
    },
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

async function answer(asked: readonly Question[], ecs: Ecs, signal: AbortSignal): Promise<void> {
  try {
    const services = await ecs.describeServices(
      asked.map(({ ref }) => ref),
      signal,
    );
    for (const { ref, resolve } of asked) resolve(services.find((service) => isOf(service, ref)));
  } catch (thrown) {
    const [only, ...others] = asked;
    // One that is missing fails the whole call: the others are asked without it.
    if (others.length > 0 && !(thrown instanceof CloudFailure) && !signal.aborted)
      await Promise.all(asked.map((question) => answer([question], ecs, signal)));
    else for (const { reject } of only === undefined ? [] : asked) reject(thrown);
  }
}

const isOf = ({ ref }: EcsService, { cluster, service }: EcsServiceRef): boolean =>
  ref.cluster === cluster && ref.service === service;

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
      const joined = beats.find(({ at }) => at >= earliest && at <= end);
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
