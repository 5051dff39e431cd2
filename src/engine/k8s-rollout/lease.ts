import { type Instant, after, between, formatDuration, instant, milliseconds, seconds } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import { KubeFailure, isReason } from '../../domain/kubernetes/failure.ts';
import { type KubeObject, numberAt, textAt, withField } from '../../domain/kubernetes/object.ts';
import { LEASES, leaseName } from '../../domain/kubernetes/resource.ts';
import { until } from '../until.ts';
import type { AppRef, K8sTools } from './rollout.ts';

const LASTS = seconds(60);
const RENEW_EVERY = seconds(20);
/** Half a renewal before it ends: a process that was frozen renews before it writes, or writes nothing. */
const TRUSTED_FOR = seconds(40);
const LOOK_EVERY = seconds(3);
const GIVES_BACK_WITHIN = seconds(10);
/** A run that is cancelled has a second in all until its process is ended. */
const STOPPED_GIVES_BACK_WITHIN = milliseconds(700);

/** One writer per app. */
export interface HeldLease {
  /** Aborted when somebody else has taken it. */
  readonly signal: AbortSignal;
  /** Somebody else held it when it was asked for. */
  readonly waited?: 'yes';
  /** Before every write: throws when the lease is no longer ours. */
  guard(): Promise<void>;
  release(): Promise<void>;
}

/** Who holds it. Two jobs of one workflow run are two processes; a main and its post are one. */
export interface Holder {
  /** `<run id>/<attempt>` */
  readonly run: string;
  /** Absent in leases of earlier versions. */
  readonly process?: string | undefined;
}

export interface LeaseWish extends Holder {
  readonly ref: AppRef;
  readonly process: string;
  readonly deadline: Instant;
  readonly onConflict: 'fail' | 'wait';
}

type LeaseTools = Pick<K8sTools, 'cluster' | 'clock' | 'log'>;

export async function holdLease(wish: LeaseWish, tools: LeaseTools, signal: AbortSignal): Promise<HeldLease> {
  try {
    const { taken, waited } = await acquire(wish, tools, signal);
    const held = keep(taken, wish, tools, signal);
    return waited ? { ...held, waited: 'yes' } : held;
  } catch (thrown) {
    if (!(thrown instanceof KubeFailure) || thrown.kind !== 'access-denied') throw thrown;
    tools.log.warning(
      `No lease is held: ${thrown.facts.why ?? 'access denied'}. Two runs at once are not kept apart; give the job a concurrency group`,
    );
    return { signal, guard: () => Promise.resolve(), release: () => Promise.resolve() };
  }
}

const nameOf = ({ app }: AppRef): string => leaseName(app);
/** RFC 3339 with microseconds, as the kind wants it. */
const stamp = (now: Instant): string => new Date(now).toISOString().replace('Z', '000Z');

const identityOf = ({ run, process }: Holder): string => (process === undefined ? run : `${run}/${process}`);

function readHolder(live: KubeObject | undefined): Holder | undefined {
  const [run = '', attempt, process] = (textAt(live, 'spec', 'holderIdentity') ?? '').split('/');
  if (run === '') return undefined;
  return { run: attempt === undefined ? run : `${run}/${attempt}`, process };
}

function nameOfHolder(holder: Holder, us: Holder): string {
  if (holder.run === us.run) return `another job or step of this run (${holder.run})`;
  return holder.run.split('/')[0] === us.run.split('/')[0]
    ? `another attempt of this run (${holder.run})`
    : `run ${holder.run}`;
}

function leaseOf({ ref, ...holder }: LeaseWish, now: Instant, live?: KubeObject): KubeObject {
  const base: KubeObject = live ?? {
    apiVersion: LEASES.apiVersion,
    kind: LEASES.kind,
    metadata: { name: nameOf(ref), namespace: ref.namespace },
  };
  const spec = {
    holderIdentity: identityOf(holder),
    leaseDurationSeconds: LASTS / 1_000,
    renewTime: stamp(now),
    acquireTime: stamp(now),
  };
  return withField(base, ['spec'], spec);
}

async function acquire(
  wish: LeaseWish,
  tools: LeaseTools,
  signal: AbortSignal,
): Promise<{ readonly taken: KubeObject; readonly waited: boolean }> {
  const { cluster, clock, log } = tools;
  const place = { namespace: wish.ref.namespace, name: nameOf(wish.ref) };
  let said = '';
  const deadline = wish.onConflict === 'wait' ? wish.deadline : clock.now();
  const taken = await until(clock, { every: LOOK_EVERY, deadline: after(deadline, LOOK_EVERY), signal }, async () => {
    const live = await cluster.get(LEASES, place, signal);
    const holder = freshHolder(live, wish, clock.now());
    if (holder !== undefined) {
      const name = nameOfHolder(holder, wish);
      const line = `${name} releases ${wish.ref.app} (its lease was renewed ${formatDuration(holder.age)} ago)`;
      if (wish.onConflict === 'fail') throw busy(wish, line);
      if (said !== name) log.info(`Waiting: ${line}`);
      said = name;
      return undefined;
    }
    const wanted = leaseOf(wish, clock.now(), live);
    try {
      return live === undefined
        ? await cluster.create(LEASES, wanted, signal)
        : await cluster.replace(LEASES, wanted, signal);
    } catch (thrown) {
      if (isReason(thrown, 'AlreadyExists', 'Conflict')) return undefined;
      throw thrown;
    }
  }).catch((thrown: unknown) => {
    if (thrown instanceof Error && thrown.name === 'DeadlinePassed')
      throw busy(wish, `${said || 'somebody else'} still holds the lease`);
    throw thrown;
  });
  return { taken, waited: said !== '' };
}

const busy = ({ ref }: LeaseWish, why: string): Failure =>
  new Failure({
    what: `Could not release ${ref.app} in ${ref.namespace}`,
    why,
    now: 'Nothing of this run was applied',
    next: 'Wait for its end, or set on-conflict: wait',
  });

/** Whoever holds it and is neither us, nor an earlier attempt of our own run (GitHub ends one before the next), nor late. */
export function freshHolder(live: KubeObject | undefined, us: Holder | undefined, now: Instant) {
  const holder = readHolder(live);
  if (holder === undefined || (us !== undefined && yieldsTo(holder, us))) return undefined;
  const renewed = instant(Date.parse(textAt(live, 'spec', 'renewTime') ?? ''));
  const lasts = seconds(numberAt(live, 'spec', 'leaseDurationSeconds') ?? 60);
  const age = between(renewed, now);
  return Number.isNaN(renewed) || age > lasts ? undefined : { ...holder, age };
}

function yieldsTo(holder: Holder, us: Holder): boolean {
  const [[theirRun, theirAttempt], [ourRun, ourAttempt]] = [holder.run.split('/'), us.run.split('/')];
  return theirRun === ourRun && (identityOf(holder) === identityOf(us) || Number(theirAttempt) < Number(ourAttempt));
}

function keep(first: KubeObject, wish: LeaseWish, tools: LeaseTools, signal: AbortSignal): HeldLease {
  const { cluster, clock, log } = tools;
  const lost = new AbortController();
  const over = new AbortController();
  let live = first;
  let renewedAt = clock.now();
  let renewing: Promise<void> | undefined;
  const renew = async (): Promise<void> => {
    const now = clock.now();
    try {
      live = await cluster.replace(LEASES, leaseOf(wish, now, live), AbortSignal.any([signal, over.signal]));
      renewedAt = now;
    } catch (thrown) {
      if (!isReason(thrown, 'Conflict', 'NotFound')) throw thrown;
      const current = await cluster.get(LEASES, { ...wish.ref, name: nameOf(wish.ref) }, signal);
      const holder = readHolder(current);
      if (current !== undefined && holder !== undefined && identityOf(holder) === identityOf(wish)) {
        live = current;
        renewedAt = now;
        return;
      }
      const failure = new Failure({
        what: `This run lost the lease of ${wish.ref.app}`,
        why: `${holder === undefined ? 'nobody' : nameOfHolder(holder, wish)} holds it now`,
        now: 'This run writes nothing more; what the other one does holds',
      });
      lost.abort(failure);
      throw failure;
    }
  };
  const once = (): Promise<void> => (renewing ??= renew().finally(() => (renewing = undefined)));
  const beat = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(RENEW_EVERY, AbortSignal.any([signal, over.signal]));
      // A renewal that fails for a moment is made up by the next one, or by guard.
      await once().catch((thrown: unknown) => log.debug(`Lease not renewed: ${String(thrown)}`));
    }
  };
  void beat().catch(() => undefined);
  return {
    signal: AbortSignal.any([signal, lost.signal]),
    async guard() {
      lost.signal.throwIfAborted();
      if (between(renewedAt, clock.now()) > TRUSTED_FOR) await once();
    },
    async release() {
      over.abort();
      await renewing?.catch(() => undefined);
      if (lost.signal.aborted) return;
      await giveBack(live, { wish, isStopped: signal.aborted ? 'yes' : 'no' }, tools).catch((thrown: unknown) =>
        log.debug(`Lease not given back: ${String(thrown)}`),
      );
    },
  };
}

/** Under a signal of its own: a run that is told to stop keeps nobody waiting for a minute. */
async function giveBack(
  live: KubeObject,
  { wish, isStopped }: { readonly wish: LeaseWish; readonly isStopped: 'yes' | 'no' },
  { cluster, clock }: LeaseTools,
): Promise<void> {
  const done = new AbortController();
  const late = new AbortController();
  const lasts = isStopped === 'yes' ? STOPPED_GIVES_BACK_WITHIN : GIVES_BACK_WITHIN;
  void clock.sleep(lasts, done.signal).then(
    () => late.abort(),
    () => undefined,
  );
  const write = (seen: KubeObject): Promise<KubeObject> =>
    cluster.replace(LEASES, withField(seen, ['spec', 'holderIdentity'], ''), late.signal);
  try {
    await write(live).catch(async (thrown: unknown) => {
      if (!isReason(thrown, 'Conflict')) throw thrown;
      // A renewal whose answer was not waited for came through.
      const current = await cluster.get(LEASES, { ...wish.ref, name: nameOf(wish.ref) }, late.signal);
      if (current !== undefined && textAt(current, 'spec', 'holderIdentity') === identityOf(wish)) await write(current);
    });
  } finally {
    done.abort();
  }
}
