export interface Revisions {
  /** ACTIVE ones of the family, newest first. */
  readonly active: readonly string[];
  /** Of services and tasks, anywhere in the region. */
  readonly inUse: ReadonlySet<string>;
  /** Whether ECS's record of successful deployments said anything; without it nobody knows where a roll back leads. */
  readonly record: 'read' | 'empty';
  /** Where a roll back would lead, and what serves. */
  readonly releases: readonly string[];
  readonly keep: number;
}

export interface CleanUp {
  /** Oldest first. */
  readonly deregister: readonly string[];
  /** Older than the newest `keep`, and kept all the same. */
  readonly spared: readonly { readonly arn: string; readonly why: string }[];
}

/** PURE. Which revisions may go: never one of the newest `keep`, one that is used, or one that a roll back needs. */
export function decideCleanUp({ active, inUse, record, releases, keep }: Revisions): CleanUp {
  const spared: { arn: string; why: string }[] = [];
  const deregister: string[] = [];
  for (const arn of active.slice(keep).toReversed()) {
    if (record === 'empty') spared.push({ arn, why: 'without a record of deployments a roll back may lead to it' });
    else if (inUse.has(arn)) spared.push({ arn, why: 'a service or a task uses it' });
    else if (releases.includes(arn)) spared.push({ arn, why: 'a roll back would lead to it' });
    else deregister.push(arn);
  }
  return { deregister, spared };
}
