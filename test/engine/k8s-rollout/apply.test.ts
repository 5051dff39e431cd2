import { describe, expect, test } from '@jest/globals';
import { KubeFailure, type KubeStatus } from '../../../src/domain/kubernetes/failure.ts';
import { DEPLOYMENTS } from '../../../src/domain/kubernetes/resource.ts';
import { fieldAt, refOf, withField } from '../../../src/domain/kubernetes/object.ts';
import { applyOne } from '../../../src/engine/k8s-rollout/apply.ts';
import { removeOne } from '../../../src/engine/k8s-rollout/put-back.ts';
import type { K8sTools } from '../../../src/engine/k8s-rollout/rollout.ts';
import { deployment } from '../../domain/kubernetes/objects.ts';
import { fakeClock } from '../../fakes/clock.ts';
import { recordingLog } from '../../fakes/log.ts';

const web = deployment('web', { app: 'a/b:2' });
const refused = (code: number, message: string, causes: KubeStatus['causes'] = []): KubeFailure =>
  new KubeFailure('conflict', { what: 'Could not apply' }, { status: { code, reason: '', message, causes } });
const conflict = (manager: string, field: string): KubeFailure =>
  refused(409, 'conflict', [{ reason: 'FieldManagerConflict', message: `conflict with "${manager}"`, field }]);
const IMAGE = '.spec.template.spec.containers[name="app"].image';

/** A server that refuses first, and takes what is sent then. */
function applying(refusals: readonly KubeFailure[], more: Partial<Parameters<typeof applyOne>[0]> = {}) {
  const left = [...refusals];
  const sent: unknown[] = [];
  const apply: K8sTools['cluster']['apply'] = (_resource, object) => {
    sent.push(object);
    const next = left.shift();
    return next === undefined ? Promise.resolve({ object, created: false }) : Promise.reject(next);
  };
  const tools = {
    cluster: { apply },
    clock: fakeClock({ mode: 'automatic' }),
    log: recordingLog(),
    onWrite() {},
  } as unknown as K8sTools;
  const { signal } = new AbortController();
  const lease = { signal, guard: () => Promise.resolve(), release: () => Promise.resolve() };
  const run = (images?: 'may-be-left') =>
    applyOne(
      { resource: DEPLOYMENTS, object: web, live: undefined, way: 'apply', ...more },
      {
        ref: { app: 'web', namespace: 'shop' },
        conflicts: 'yield',
        lease,
        ...(images === undefined ? {} : { images }),
      },
      tools,
      signal,
    );
  return { run, sent };
}

describe('an apply that others have fields of', () => {
  test('never leaves them an image, though it yields: somebody set it since it was looked at', async () => {
    const { run, sent } = applying([conflict('kubectl-set', IMAGE)]);
    await expect(run()).rejects.toThrow(`it would leave its image to kubectl-set (${IMAGE})`);
    expect(sent).toHaveLength(1);
  });

  test('leaves it on a way back, and says so', async () => {
    const { run, sent } = applying([conflict('kubectl-set', IMAGE)]);
    expect(await run('may-be-left')).toMatchObject({ note: `${IMAGE} is left to kubectl-set` });
    expect(fieldAt(sent[1], 'spec', 'template', 'spec', 'containers')).toEqual([{ name: 'app' }]);
  });
});

describe('a binding whose role was just applied', () => {
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'reader', namespace: 'shop' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
  };
  const unknown = refused(404, 'roles.rbac.authorization.k8s.io "reader" not found');

  test('is applied again until the server knows the role', async () => {
    const { run, sent } = applying([unknown, unknown], { object: binding });
    expect(await run()).toMatchObject({ done: 'created' });
    expect(sent).toHaveLength(3);
  });

  test('is given up in the end, and at once where something else is not there', async () => {
    await expect(applying(Array(200).fill(unknown), { object: binding }).run()).rejects.toBe(unknown);
    const other = refused(404, 'namespaces "shop" not found');
    const { run, sent } = applying([other], { object: binding });
    await expect(run()).rejects.toBe(other);
    expect(sent).toHaveLength(1);
  });
});

describe('without its lease, a run that was frozen', () => {
  const { signal } = new AbortController();
  const held = { manager: 'kubectl-client-side-apply', operation: 'Update', fieldsV1: {} };
  const owned = {
    labels: { 'sluice.dev/app': 'web' },
    managedFields: [held, { ...held, manager: 'sluice-web', operation: 'Apply' }],
  };
  const live = { ...web, metadata: { ...web.metadata, ...owned } };
  const owner = { ...held, fieldsV1: { 'f:spec': { 'f:replicas': {} } } };
  const counted = withField({ ...web, metadata: { ...web.metadata, managedFields: [owner] } }, ['spec', 'replicas'], 4);
  const uncounted = withField(web, ['spec', 'replicas'], undefined);
  const lost = {
    signal,
    guard: () => Promise.reject(new Error('the lease is lost')),
    release: () => Promise.resolve(),
  };
  const ref = { app: 'web', namespace: 'shop' };
  const writes: string[] = [];
  const writing = (verb: string) => () => Promise.reject(new Error(`${verb}: ${writes.push(verb)}`));
  const cluster = {
    resources: () => Promise.resolve([DEPLOYMENTS]),
    get: () => Promise.resolve(live),
    ...Object.fromEntries(['apply', 'patch', 'delete'].map((verb) => [verb, writing(verb)])),
  };
  const tools = { cluster, clock: fakeClock(), log: recordingLog(), onWrite() {} } as unknown as K8sTools;

  test.each(['apply', 'replace'] as const)('changes nothing of an object that is there (%s)', async (way) => {
    const member = { resource: DEPLOYMENTS, object: web, live, way, scaled: 'by-autoscaler' } as const;
    const applied = applyOne(member, { ref, conflicts: 'force', lease: lost }, tools, signal);
    await expect(applied).rejects.toThrow('the lease is lost');
    expect(writes).toEqual([]);
  });

  test('is asked before each of its writes whether it still holds it', async () => {
    for (let held = 1; held <= 5; held++) {
      const seen: string[] = [];
      const guard = (): Promise<void> => {
        const left = held - seen.filter((each) => each === 'asked').length;
        seen.push('asked');
        return left > 0 ? Promise.resolve() : Promise.reject(new Error('the lease is lost'));
      };
      const write = (): Promise<object> => Promise.resolve({ object: live, created: false, at: seen.push('written') });
      const all = { ...cluster, apply: write, patch: () => write().then(() => live) };
      // Taken over, its count handed over, and applied.
      const member = { resource: DEPLOYMENTS, object: uncounted, live: counted, way: 'apply', scaled: 'by-autoscaler' } as const;
      const lease = { ...lost, guard };
      const before = { ...tools, cluster: { ...all, get: () => Promise.resolve(counted) } } as unknown as K8sTools;
      await applyOne(member, { ref, conflicts: 'force', lease }, before, signal).catch(() => seen.push('ended'));
      const writes = seen.flatMap((each, index) => (each === 'written' ? [seen[index - 1]] : []));
      expect(writes).toEqual(Array(Math.max(0, Math.min(3, held - 1))).fill('asked'));
    }
  }); // prettier-ignore

  test('deletes nothing', async () => {
    const removed = removeOne(refOf(live), { ref, lines: [], lease: lost }, tools, signal);
    await expect(removed).rejects.toThrow('the lease is lost');
    expect(writes).toEqual([]);
  });
});

describe('an apply that the schema of its kind refuses', () => {
  const old = refused(500, '.spec.color: field not declared in schema');

  test('is made again for a moment, where the set changed the definition', async () => {
    const { run, sent } = applying([old, old], { schema: 'changing' });
    await run();
    expect(sent).toHaveLength(3);
  });

  test('fails at the end of it, and at once where nothing changed', async () => {
    const { run, sent } = applying(
      Array.from({ length: 100 }, () => old),
      { schema: 'changing' },
    );
    await expect(run()).rejects.toBe(old);
    expect(sent.length).toBeGreaterThan(10);
    const { run: once, sent: one } = applying([old]);
    await expect(once()).rejects.toBe(old);
    expect(one).toHaveLength(1);
  });

  test('is not made again for a rule of the cluster', async () => {
    const rule = refused(422, 'admission webhook "x" denied the request: color');
    await expect(applying([rule], { schema: 'changing' }).run()).rejects.toBe(rule);
  });
});
