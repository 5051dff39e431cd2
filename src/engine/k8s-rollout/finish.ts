import { Failure, messageOf } from '../../domain/failure.ts';
import { type ReleaseRecord, outdated } from '../../domain/kubernetes/release-record.ts';
import type { HeldLease } from './lease.ts';
import type { K8sTools } from './rollout.ts';

const KEEP_RECORDS = 5;

interface Finishing {
  readonly record: ReleaseRecord;
  readonly serving: ReleaseRecord | undefined;
  readonly records: readonly ReleaseRecord[];
  readonly copyOf: number | undefined;
}

/** The new one serves before the old one is no more called so: read in between, the newest counts. */
export async function finish(
  { record, serving, records, copyOf }: Finishing,
  { lease, tools }: { readonly lease: HeldLease; readonly tools: K8sTools },
  signal: AbortSignal,
): Promise<void> {
  const { store, log } = tools;
  const done: ReleaseRecord = { ...record, phase: 'deployed' };
  const write = async (): Promise<void> => {
    await lease.guard();
    await store.write(done, signal);
  };
  await write().catch((thrown: unknown) => {
    signal.throwIfAborted();
    if (!(thrown instanceof Failure)) throw thrown;
    const now = `Release ${record.release} is in the cluster and ready, and its record does not say so`;
    const next = 'Re-run: it finds the release unfinished and ends it';
    throw new Failure({ ...thrown.facts, now, next }, { cause: thrown });
  });
  // What was left by a roll back was bad: nobody is led there again. Unless it is what was gone back to.
  const isRepeated = serving !== undefined && (serving.copyOf ?? serving.revision) === copyOf;
  const leftAs = copyOf === undefined || isRepeated ? 'superseded' : 'rolled-back';
  if (serving !== undefined)
    await store.write({ ...serving, phase: leftAs }, signal).catch((thrown: unknown) => {
      signal.throwIfAborted();
      log.warning(`The record of release ${serving.release} does not say ${leftAs}: ${messageOf(thrown)}`);
    });
  const now = [...records.filter(({ revision }) => revision !== record.revision), done].map((each) =>
    each.revision === serving?.revision ? { ...each, phase: leftAs as ReleaseRecord['phase'] } : each,
  );
  for (const { revision } of outdated(now, KEEP_RECORDS)) {
    await store
      .remove(revision, signal)
      .catch((thrown: unknown) => log.debug(`Old record ${revision} stays: ${messageOf(thrown)}`));
  }
}
