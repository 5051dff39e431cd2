import { Failure, messageOf } from '../../domain/failure.ts';
import { type ReleaseRecord, noLongerServing, outdated } from '../../domain/kubernetes/release-record.ts';
import type { HeldLease } from './lease.ts';
import type { K8sTools } from './rollout.ts';

const KEEP_RECORDS = 5;

interface Finishing {
  readonly record: ReleaseRecord;
  readonly records: readonly ReleaseRecord[];
}

/** The new one serves before the old one is no more called so: read in between, the newest counts. */
export async function finish(
  { record, records }: Finishing,
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
  const over = noLongerServing(records, done);
  for (const each of over)
    await store.write(each, signal).catch((thrown: unknown) => {
      signal.throwIfAborted();
      log.warning(`The record of release ${each.release} does not say ${each.phase}: ${messageOf(thrown)}`);
    });
  const told = new Map([done, ...over].map((each) => [each.revision, each]));
  const now = [...records.filter(({ revision }) => !told.has(revision)), ...told.values()];
  for (const { revision } of outdated(now, KEEP_RECORDS)) {
    await store
      .remove(revision, signal)
      .catch((thrown: unknown) => log.debug(`Old record ${revision} stays: ${messageOf(thrown)}`));
  }
}
