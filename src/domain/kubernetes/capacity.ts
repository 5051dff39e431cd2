import { type KubeObject, fieldAt, isFields, listAt, numberAt, textAt } from './object.ts';
import { podSpecPath } from './pod-templates.ts';
import { quantity } from './quantity.ts';

/** How many pods more, and how many less, than are wanted a rollout of a Deployment may have for a while, rounded as its controller does. */
function fencesOf(workload: KubeObject, wanted: number): { readonly surge: number; readonly unavailable: number } {
  if (textAt(workload, 'spec', 'strategy', 'type') === 'Recreate') return { surge: 0, unavailable: wanted };
  const read = (key: string, round: (value: number) => number): number => {
    const asked = fieldAt(workload, 'spec', 'strategy', 'rollingUpdate', key) ?? '25%';
    const percent = /^(\d+)%$/.exec(String(asked))?.[1];
    return percent === undefined ? Number(asked) : round((Number(percent) * wanted) / 100);
  };
  const surge = read('maxSurge', Math.ceil);
  const unavailable = Math.min(wanted, read('maxUnavailable', Math.floor));
  // With neither it could not begin.
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** Whether old pods may end before new ones are there, so that a rollout goes on without room for its surge. */
export const makesItsRoom = (deployment: KubeObject, wanted = numberAt(deployment, 'spec', 'replicas') ?? 1): boolean =>
  textAt(deployment, 'spec', 'strategy', 'type') !== 'Recreate' && fencesOf(deployment, wanted).unavailable > 0;

/** Pods that a rollout has beside those that run now: all of a new workload, the surge of one that is there. */
export function extraPods(workload: KubeObject, live: KubeObject | undefined): number {
  const { before, wanted } = countsOf({ workload, live });
  const surge = workload.kind === 'Deployment' && live !== undefined ? fencesOf(workload, wanted).surge : 0;
  return Math.max(0, wanted + surge - before);
}

/** Pods that it has now, and those that it shall have: as many, where the intent has no count (an autoscaler rules it). */
function countsOf({ workload, live }: Growth): { readonly before: number; readonly wanted: number } {
  // Of a DaemonSet the nodes say how many, of a Job that is there nothing is made any more.
  const now = numberAt(live, 'spec', 'replicas') ?? numberAt(live, 'status', 'desiredNumberScheduled') ?? 0;
  const wanted = numberAt(workload, 'spec', 'replicas') ?? (live === undefined ? 1 : now);
  return { before: now, wanted };
}

/** What one pod asks for: `requests.cpu`, `requests.memory`, `limits.cpu`, `limits.memory`. */
function demandOf(workload: KubeObject): ReadonlyMap<string, number> {
  const path = podSpecPath(workload) ?? [];
  const sum = new Map<string, number>([['pods', 1]]);
  for (const container of listAt(workload, ...path, 'containers')) {
    for (const part of ['requests', 'limits']) {
      const values = fieldAt(container, 'resources', part);
      for (const [name, value] of Object.entries(isFields(values) ? values : {}))
        sum.set(`${part}.${name}`, (sum.get(`${part}.${name}`) ?? 0) + (quantity(value) ?? 0));
    }
  }
  return sum;
}

export interface Growth {
  readonly workload: KubeObject;
  readonly live: KubeObject | undefined;
}

/** By name of the resource, for all workloads together. */
function sumOf(growth: readonly Growth[], needOf: (each: Growth, name: string) => number): ReadonlyMap<string, number> {
  const sum = new Map<string, number>();
  for (const each of growth)
    for (const name of demandOf(each.workload).keys()) sum.set(name, (sum.get(name) ?? 0) + needOf(each, name));
  return sum;
}

const demandBy = (workload: KubeObject | undefined, name: string): number =>
  workload === undefined ? 0 : (demandOf(workload).get(name) ?? 0);

/** What it needs more at the end of its rollout. */
function growthOf(each: Growth, name: string): number {
  const { before, wanted } = countsOf(each);
  return Math.max(0, demandBy(each.workload, name) * wanted - demandBy(each.live, name) * before);
}

/** What it needs more while it is rolled out, if every pod of its surge is made. */
const heightOf = (each: Growth, name: string): number =>
  Math.max(growthOf(each, name), demandBy(each.workload, name) * extraPods(each.workload, each.live));

/** What it does not get on without: pods of a surge wait for room where old ones may end before. */
const leastOf = (each: Growth, name: string): number =>
  each.workload.kind === 'Deployment' && makesItsRoom(each.workload, countsOf(each).wanted)
    ? growthOf(each, name)
    : heightOf(each, name);

/** Quotas of one namespace that keep the rollout from its end, each with its numbers. */
export const quotaProblems = (quotas: readonly KubeObject[], growth: readonly Growth[]): readonly string[] =>
  beyond(quotas, sumOf(growth, leastOf)).map(
    ({ text, more }) => `${text}, and the rollout needs ${more} more at its height`,
  );

/** Those that make it slower: old pods end first, and new ones are made as there is room. */
export function quotaWarnings(quotas: readonly KubeObject[], growth: readonly Growth[]): readonly string[] {
  const barred = new Set(beyond(quotas, sumOf(growth, leastOf)).map(({ text }) => text));
  return beyond(quotas, sumOf(growth, heightOf))
    .filter(({ text }) => !barred.has(text))
    .map(
      ({ text, more }) =>
        `${text}: there is no room for the surge (${more} more), so old pods end before new ones are made`,
    );
}

interface Beyond {
  readonly text: string;
  readonly more: string;
}

function beyond(quotas: readonly KubeObject[], needed: ReadonlyMap<string, number>): readonly Beyond[] {
  const alias: Readonly<Record<string, string>> = {
    cpu: 'requests.cpu',
    memory: 'requests.memory',
    'count/pods': 'pods',
  };
  return quotas.flatMap((quota) => {
    if (listAt(quota, 'spec', 'scopes').length > 0 || fieldAt(quota, 'spec', 'scopeSelector') !== undefined) return [];
    const hard = fieldAt(quota, 'status', 'hard');
    return Object.entries(isFields(hard) ? hard : {}).flatMap(([name, limit]) => {
      const most = quantity(limit) ?? Number.POSITIVE_INFINITY;
      const said = fieldAt(quota, 'status', 'used', name) ?? 0;
      const more = needed.get(alias[name] ?? name) ?? 0;
      if (more === 0 || (quantity(said) ?? 0) + more <= most) return [];
      const text = `quota ${quota.metadata.name} has ${String(limit)} of ${name}, ${String(said)} are used`;
      return [{ text, more: short(more) }];
    });
  });
}

const short = (value: number): string =>
  value >= 2 ** 20 ? `${Math.ceil(value / 2 ** 20)}Mi` : String(Math.round(value * 1_000) / 1_000);

/** Budgets that allow no pod to be moved: drains of nodes wait for ever. */
export function budgetDeadlocks(budgets: readonly KubeObject[], growth: readonly Growth[]): readonly string[] {
  return budgets.flatMap((budget) => {
    const covered = growth.filter(
      ({ workload }) => workload.metadata.namespace === budget.metadata.namespace && selects(budget, workload),
    );
    const replicas = covered.reduce((sum, each) => sum + countsOf(each).wanted, 0);
    const least = fieldAt(budget, 'spec', 'minAvailable');
    const most = fieldAt(budget, 'spec', 'maxUnavailable');
    if (covered.length === 0) return [];
    const stuck =
      String(most) === '0' ||
      String(most) === '0%' ||
      String(least) === '100%' ||
      (typeof least === 'number' && least >= replicas);
    const said = least === undefined ? `maxUnavailable ${String(most)}` : `minAvailable ${String(least)}`;
    return stuck
      ? [
          `PodDisruptionBudget ${budget.metadata.name} (${said}) lets none of ${replicas} pods go: a drain of their nodes would wait for ever`,
        ]
      : [];
  });
}

function selects(budget: KubeObject, workload: KubeObject): boolean {
  const labels = fieldAt(workload, 'spec', 'template', 'metadata', 'labels');
  const wanted = fieldAt(budget, 'spec', 'selector', 'matchLabels');
  if (!isFields(wanted) || !isFields(labels) || listAt(budget, 'spec', 'selector', 'matchExpressions').length > 0)
    return false;
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}
