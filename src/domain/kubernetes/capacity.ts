import { type KubeObject, fieldAt, isFields, listAt, numberAt, textAt } from './object.ts';
import { podSpecPath } from './pod-templates.ts';
import { quantity } from './quantity.ts';

/** Pods that a rollout has beside those that run now: all of a new workload, the surge of one that is there. */
export function extraPods(workload: KubeObject, live: KubeObject | undefined): number {
  const replicas = numberAt(workload, 'spec', 'replicas') ?? (live === undefined ? 1 : 0);
  if (workload.kind !== 'Deployment') return live === undefined ? replicas : 0;
  const before = numberAt(live, 'spec', 'replicas') ?? 0;
  const wanted = numberAt(workload, 'spec', 'replicas') ?? before;
  if (live === undefined) return wanted;
  if (textAt(workload, 'spec', 'strategy', 'type') === 'Recreate') return Math.max(0, wanted - before);
  const asked = fieldAt(workload, 'spec', 'strategy', 'rollingUpdate', 'maxSurge') ?? '25%';
  const percent = /^(\d+)%$/.exec(String(asked))?.[1];
  const surge = percent === undefined ? Number(asked) : Math.ceil((Number(percent) * wanted) / 100);
  return Math.max(0, wanted + surge - before);
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

/** Quotas of one namespace that the rollout would go beyond, each with its numbers. */
export function quotaProblems(quotas: readonly KubeObject[], growth: readonly Growth[]): readonly string[] {
  const needed = new Map<string, number>();
  for (const { workload, live } of growth) {
    const pods = extraPods(workload, live);
    for (const [name, each] of demandOf(workload)) needed.set(name, (needed.get(name) ?? 0) + each * pods);
  }
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
      const used = quantity(fieldAt(quota, 'status', 'used', name) ?? 0) ?? 0;
      const more = needed.get(alias[name] ?? name) ?? 0;
      if (more === 0 || used + more <= most) return [];
      return [
        `quota ${quota.metadata.name} has ${String(limit)} of ${name}, ${String(fieldAt(quota, 'status', 'used', name) ?? 0)} are used, and the rollout needs ${short(more)} more at its height`,
      ];
    });
  });
}

const short = (value: number): string =>
  value >= 2 ** 20 ? `${Math.ceil(value / 2 ** 20)}Mi` : String(Math.round(value * 1_000) / 1_000);

/** Budgets that allow no pod to be moved: drains of nodes wait for ever. */
export function budgetDeadlocks(budgets: readonly KubeObject[], workloads: readonly KubeObject[]): readonly string[] {
  return budgets.flatMap((budget) => {
    const covered = workloads.filter(
      (workload) => workload.metadata.namespace === budget.metadata.namespace && selects(budget, workload),
    );
    const replicas = covered.reduce((sum, each) => sum + (numberAt(each, 'spec', 'replicas') ?? 1), 0);
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
