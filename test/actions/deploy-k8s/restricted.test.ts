import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import type { BundleResult } from '../../harness/run-bundle.ts';
import { until } from '../../sandbox/kubernetes/until.ts';
import { type Scene, openScene, setOf } from './scene.ts';

const EXTRA = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: extra }\ndata: { a: b }\n';
const OPEN =
  'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: open }\nspec: { podSelector: {} }\n';
const SAFE = `      securityContext: { runAsNonRoot: true, runAsUser: 1001, seccompProfile: { type: RuntimeDefault } }`;
const CONTAINER_SAFE =
  '          securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }\n          envFrom:';

/** What a cluster does not let through although it was asked before, and what it lets through with a word. */
needs('kubernetes')('in a cluster that restricts deploy-k8s', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene('restricted');
    const first = await scene.run({ 'release-id': 'v1' }, setOf({ more: `${EXTRA}---\n${OPEN}` }));
    expect(first).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
  }, 300_000);
  afterAll(() => scene?.close());

  const OLD = { image: 'registry.example.com/team/web:1', config: 'one', ready: 2 };
  const core = () => `/api/v1/namespaces/${scene.namespace}`;

  /** Admission that refuses one thing here, whatever RBAC grants: as a policy engine would. */
  async function whileRefused(
    name: string,
    rule: { readonly resources: readonly string[]; readonly operations: readonly string[]; readonly unless: string },
    { probe, run }: { readonly probe: () => Promise<number>; readonly run: () => Promise<BundleResult> },
  ): Promise<BundleResult> {
    const { api } = scene.cluster.admin;
    const path = '/apis/admissionregistration.k8s.io/v1';
    const own = `${name}.${scene.namespace}`;
    const { resources, operations, unless } = rule;
    await api.create(`${path}/validatingadmissionpolicies`, {
      metadata: { name: own },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations, resources }] },
        validations: [{ expression: unless, message: 'the policy of this cluster forbids it' }],
      },
    });
    await api.create(`${path}/validatingadmissionpolicybindings`, {
      metadata: { name: own },
      spec: {
        policyName: own,
        validationActions: ['Deny'],
        matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': scene.namespace } } },
      },
    });
    await until(`the policy ${name}`, async () => ((await probe()) === 422 ? 'there' : undefined));
    try {
      return await run();
    } finally {
      await api.delete(`${path}/validatingadmissionpolicybindings/${own}`);
      await api.delete(`${path}/validatingadmissionpolicies/${own}`);
      await until(`the end of ${name}`, async () => ((await probe()) === 422 ? undefined : 'gone'));
    }
  }

  test('a right that pruning lacks is named before the first write', async () => {
    const guest = await scene.cluster.serviceAccount(scene.namespace, 'deployer');
    const role = (resources: object[]) => ({ metadata: { name: 'deployer' }, rules: resources });
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${scene.namespace}`;
    const { api } = scene.cluster.admin;
    await api.create(`${rbac}/roles`, {
      ...role([
        { apiGroups: ['', 'apps', 'coordination.k8s.io'], resources: ['*'], verbs: ['*'] },
        { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['get', 'list'] },
      ]),
    });
    await api.create(`${rbac}/rolebindings`, {
      metadata: { name: 'deployer' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'deployer' },
      subjects: [{ kind: 'ServiceAccount', name: 'deployer', namespace: scene.namespace }],
    });
    const run = await scene.run({ kubeconfig: guest.kubeconfig, prune: 'delete' }, setOf({ tag: '2', more: EXTRA }));
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'refused', changed: 'false' } });
    expect(run.stdout).toContain(
      `rights: delete networkpolicies.networking.k8s.io "open" in namespace ${scene.namespace} is missing: it takes away`,
    );
    expect(await scene.truth()).toEqual(OLD);
  }, 120_000);

  test('a release whose pruning is refused at the end goes back, and says why', async () => {
    const probe = async () =>
      (await scene.cluster.admin.api.request('DELETE', `${core()}/configmaps/extra?dryRun=All`)).status;
    const rule = { resources: ['configmaps'], operations: ['DELETE'], unless: "oldObject.metadata.name != 'extra'" };
    const next = setOf({ tag: '2', config: 'two', more: OPEN });
    const run = await whileRefused('keep-extra', rule, { probe, run: () => scene.run({ prune: 'delete' }, next) });
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back', changed: 'true' } });
    const message = run.annotations.at(-1)?.message ?? '';
    expect(message).toContain(`Could not delete ConfigMap ${scene.namespace}/extra: `);
    expect(message).toContain('the policy of this cluster forbids it');
    expect(message).toContain('release v1 (revision 1) is back');
    expect(await scene.truth()).toEqual(OLD);
  }, 120_000);

  test('a record that cannot be written keeps everything as it is', async () => {
    const probing = { metadata: { name: 'probe' }, type: 'sluice.dev/release' };
    const probe = async () =>
      (await scene.cluster.admin.api.request('POST', `${core()}/secrets?dryRun=All`, probing)).status;
    const rule = { resources: ['secrets'], operations: ['CREATE'], unless: "object.type != 'sluice.dev/release'" };
    const next = setOf({ tag: '2', config: 'two' });
    const run = await whileRefused('no-records', rule, { probe, run: () => scene.run({}, next) });
    expect(run).toMatchObject({ exitCode: 1, outputs: { changed: 'false' } });
    const message = run.annotations.at(-1)?.message ?? '';
    expect(message).toContain(`Could not create Secret ${scene.namespace}/sluice.web.v`);
    expect(message).toContain('the policy of this cluster forbids it');
    expect(message).toContain('Nothing of this release was applied');
    expect(await scene.truth()).toEqual(OLD);
  }, 120_000);

  test('a role and its binding are released together by whoever may not bind everything', async () => {
    const guest = await scene.cluster.serviceAccount(scene.namespace, 'binder');
    const group = 'rbac.authorization.k8s.io';
    const rbac = `/apis/${group}/v1/namespaces/${scene.namespace}`;
    const { api } = scene.cluster.admin;
    await api.create(`${rbac}/roles`, {
      metadata: { name: 'binder' },
      rules: [
        { apiGroups: ['', 'apps', 'coordination.k8s.io', 'networking.k8s.io'], resources: ['*'], verbs: ['*'] },
        {
          apiGroups: [group],
          resources: ['roles', 'rolebindings'],
          verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
        },
      ],
    });
    const subject = (name: string) => ({ kind: 'ServiceAccount', name, namespace: scene.namespace });
    const bound = { roleRef: { apiGroup: group, kind: 'Role', name: 'binder' }, subjects: [subject('binder')] };
    await api.create(`${rbac}/rolebindings`, { metadata: { name: 'binder' }, ...bound });
    const reader = (verbs: string, name = 'reader') => `apiVersion: ${group}/v1
kind: Role
metadata: { name: ${name} }
rules: [{ apiGroups: [''], resources: [configmaps], verbs: [${verbs}] }]
---
apiVersion: ${group}/v1
kind: RoleBinding
metadata: { name: ${name} }
roleRef: { apiGroup: ${group}, kind: Role, name: reader }
subjects: [{ kind: ServiceAccount, name: default, namespace: ${scene.namespace} }]
`;
    const release = (more: string, inputs = {}) =>
      scene.run({ kubeconfig: guest.kubeconfig, ...inputs }, setOf({ more: `${EXTRA}---\n${OPEN}---\n${more}` }));
    const nobodys = await release(reader('get', 'other'), { 'dry-run': 'true' });
    expect(nobodys.exitCode).toBe(1);
    expect(nobodys.annotations.at(-1)?.message).toContain('reader');
    const run = await release(reader('get'));
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(run.stdout).toContain(`is tried once Role ${scene.namespace}/reader is there, which this set makes`);
    expect(await scene.live(`${rbac}/rolebindings/reader`)).toMatchObject({ roleRef: { name: 'reader' } });
  }, 120_000);

  test('a warning of Pod Security Admission becomes one of the step', async () => {
    await scene.cluster.admin.api.merge(`/api/v1/namespaces/${scene.namespace}`, {
      metadata: { labels: { 'pod-security.kubernetes.io/warn': 'restricted' } },
    });
    const run = await scene.run({ 'release-id': 'warned' }, setOf({ tag: '3' }));
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    const warnings = run.annotations.filter(({ level }) => level === 'warning').map(({ message }) => message);
    expect(warnings).toEqual([
      expect.stringMatching(/^The API server warns: would violate PodSecurity "restricted:latest": /),
    ]);
  }, 120_000);

  test('pods that it does not let in are taken back at once, and those that keep to it run as they were written', async () => {
    await scene.cluster.admin.api.merge(`/api/v1/namespaces/${scene.namespace}`, {
      metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
    const barred = await scene.run({ 'release-id': 'barred' }, setOf({ tag: '4' }));
    expect(barred).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(barred.annotations.at(-1)?.message).toContain('violates PodSecurity "restricted:latest"');
    const safe = setOf({ tag: '5', pod: SAFE }).replace('          envFrom:', CONTAINER_SAFE);
    const run = await scene.run({ 'release-id': 'safe' }, safe);
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(await scene.live(`/apis/apps/v1/namespaces/${scene.namespace}/deployments/web`)).toMatchObject({
      spec: {
        template: {
          spec: {
            securityContext: { runAsNonRoot: true, runAsUser: 1001, seccompProfile: { type: 'RuntimeDefault' } },
            containers: [
              {
                securityContext: {
                  readOnlyRootFilesystem: true,
                  allowPrivilegeEscalation: false,
                  capabilities: { drop: ['ALL'] },
                },
              },
            ],
          },
        },
      },
    });
  }, 120_000);
});
