import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type KubeObject, textAt } from '../../../src/domain/kubernetes/object.ts';
import { needs } from '../../harness/needs.ts';
import { until } from '../../sandbox/kubernetes/until.ts';
import { type Scene, openScene, setOf } from './scene.ts';

needs('kubernetes')('before its first write deploy-k8s', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene('refused');
  }, 300_000);
  afterAll(() => scene?.close());

  const PSP = 'apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: { name: old }\n';
  const FIELD = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: odd }\ndatta: { a: b }\n';
  const QUOTA = 'quota few has 1 of pods';
  const VOLUME = '      volumes: [{ name: far, secret: { secretName: elsewhere } }]';

  test.each([
    [
      'a kind that no cluster serves any more',
      {},
      setOf({ more: PSP }),
      'label the namespace for Pod Security Admission instead',
    ],
    ['a field that the kind does not have', {}, setOf({ more: FIELD }), 'field not declared in schema'],
    ['an object that is nowhere', {}, setOf({ pod: VOLUME }), 'which is neither in the set nor in the cluster'],
    [
      'an image without a digest',
      { 'require-digest': 'true' },
      setOf(),
      'without a digest, and require-digest is true',
    ],
    ['a rule that matches nothing', { image: 'ghcr.io/other/app:1' }, setOf(), 'matches no container of the manifests'],
    ['a placeholder without a value', {}, setOf({ tag: '{{IMAGE_TAG}}' }), 'is a placeholder without a value'],
    [
      'a Secret without its value',
      { 'secret-values': 'OTHER=x' },
      setOf(),
      'in Secret web-secret, key PASSWORD, has no value',
    ],
    [
      'a Secret that names what the environment has, and nobody named',
      { 'secret-values': 'OTHER=x' },
      setOf().replace("'${PASSWORD}'", "'${INPUT_KUBECONFIG}'"),
      'in Secret web-secret, key PASSWORD, has no value',
    ],
    [
      'the names of tokens in secret-env',
      { 'secret-env': 'TLS_KEY, ACTIONS_RUNTIME_TOKEN' },
      setOf(),
      'ACTIONS_RUNTIME_TOKEN',
    ],
    ['a path out of the workspace', { manifests: '../../etc' }, setOf(), 'leads out of the workspace'],
    ['a folder that is not there', { manifests: 'nowhere' }, setOf(), 'is not in the workspace'],
    [
      'a kubeconfig that runs a program',
      { kubeconfig: EXEC() },
      setOf(),
      'runs the program evil for its credentials, which is not allowed',
    ],
    [
      'an API server that is not trusted',
      { kubeconfig: '', server: 'from-scene', token: 'x'.repeat(20) },
      setOf(),
      'its certificate is not trusted',
    ],
  ])(
    'refuses %s',
    async (_name, inputs, set, message) => {
      const given = 'server' in inputs ? { ...inputs, server: scene.cluster.url } : inputs;
      const run = await scene.run(given, set);
      expect(run).toMatchObject({ exitCode: 1, outputs: { changed: 'false' } });
      expect(`${run.stdout}${run.annotations.map((each) => each.message).join()}`).toContain(message);
      expect(await scene.live(`/apis/apps/v1/namespaces/${scene.namespace}/deployments/web`)).toBeUndefined();
    },
    240_000,
  );

  test('names every problem of the manifests at once, with file and line', async () => {
    const run = await scene.run({}, setOf({ pod: VOLUME, more: PSP }));
    const lines = run.annotations.flatMap(({ file, line }) => (file === undefined ? [] : [`${file}:${line}`]));
    expect(lines).toEqual(['k8s/web.yml:35', 'k8s/web.yml:12']);
  }, 240_000);

  test('names the rights that are missing, and prints the Role that is enough', async () => {
    const guest = await scene.cluster.serviceAccount(scene.namespace, 'deployer');
    const refused = await scene.run({ kubeconfig: guest.kubeconfig });
    expect(refused).toMatchObject({ exitCode: 1, outputs: { outcome: 'refused', changed: 'false' } });
    expect(refused.stdout).toMatch(/rights: (?:get|create|patch) \S+ .*is missing: it/);
    const printed = await scene.run({ mode: 'rbac' });
    expect(printed).toMatchObject({ exitCode: 0, outputs: { outcome: 'rbac' } });
    const role = /^apiVersion: rbac[\s\S]*?(?=^---)/m.exec(printed.stdout)?.[0] ?? '';
    expect(role).toMatch(/- list\n/);
    expect(role).toMatch(/- horizontalpodautoscalers\n/);
    expect(role).toMatch(/- resourcequotas\n/);
    const { api } = scene.cluster.admin;
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${scene.namespace}`;
    const { status } = await api.request(
      'PATCH',
      `${rbac}/roles/sluice-web?fieldManager=test`,
      role,
      'application/apply-patch+yaml',
    );
    expect(status).toBe(201);
    await api.create(`${rbac}/rolebindings`, {
      metadata: { name: 'sluice-web' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'sluice-web' },
      subjects: [{ kind: 'ServiceAccount', name: 'deployer', namespace: scene.namespace }],
    });
    const allowed = await scene.run({ kubeconfig: guest.kubeconfig, 'release-id': 'v1' });
    expect(allowed).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    const bad = await scene.run(
      { kubeconfig: guest.kubeconfig, 'release-id': 'v2' },
      setOf({ tag: '2-crash-at-start' }),
    );
    expect(bad).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(bad.stdout).toContain('last line of its log');
  }, 240_000);

  test('shows fields that somebody else owns, and leaves or takes them as it is told', async () => {
    const path = `/api/v1/namespaces/${scene.namespace}/configmaps/web-config?fieldManager=somebody&force=true`;
    const { api } = scene.cluster.admin;
    const theirs = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'web-config' },
      data: { GREETING: 'theirs' },
    };
    await api.request('PATCH', path, JSON.stringify(theirs), 'application/apply-patch+yaml');
    const next = setOf({ config: 'ours' });
    const refused = await scene.run({}, next);
    expect(refused).toMatchObject({ exitCode: 1, outputs: { outcome: 'refused' } });
    expect(refused.stdout).toContain('has fields that others own: .data.GREETING (somebody)');
    const left = await scene.run({ 'field-conflicts': 'yield' }, next);
    expect(left).toMatchObject({ exitCode: 0 });
    expect((await scene.truth()).config).toBe('theirs');
    const containers = [{ name: 'web', image: 'example.com/web:hotfix' }];
    const hotfix = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { template: { spec: { containers } } },
    };
    const web = `/apis/apps/v1/namespaces/${scene.namespace}/deployments/web?fieldManager=somebody&force=true`;
    await api.request('PATCH', web, JSON.stringify(hotfix), 'application/apply-patch+yaml');
    const image = await scene.run({ 'field-conflicts': 'yield' }, next);
    expect(image).toMatchObject({ exitCode: 1, outputs: { outcome: 'refused', changed: 'false' } });
    expect(image.stdout).toContain('would leave its image to somebody (');
    const taken = await scene.run({ 'field-conflicts': 'force' }, next);
    expect(taken).toMatchObject({ exitCode: 0 });
    expect((await scene.truth()).config).toBe('ours');
  }, 240_000);

  test('takes fields over from kubectl apply, so that they can go', async () => {
    const { api } = scene.cluster.admin;
    const path = `/api/v1/namespaces/${scene.namespace}/configmaps`;
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}' };
    const old = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'adopted', annotations },
      data: { a: '1', gone: 'yes' },
    };
    await api.request('POST', `${path}?fieldManager=kubectl-client-side-apply`, old);
    const run = await scene.run(
      { 'field-conflicts': 'force' },
      setOf({
        config: 'ours',
        more: 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: adopted }\ndata: { a: "2" }\n',
      }),
    );
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect((await scene.live(`${path}/adopted`))?.metadata.annotations).toBeUndefined();
    expect(((await scene.live(`${path}/adopted`)) as unknown as { data: object }).data).toEqual({ a: '2' });
  }, 240_000);

  test('counts what a quota leaves', async () => {
    const { api } = scene.cluster.admin;
    await api.create(`/api/v1/namespaces/${scene.namespace}/resourcequotas`, {
      metadata: { name: 'few' },
      spec: { hard: { pods: '1' } },
    });
    await expect(counted(scene)).resolves.toContain(QUOTA);
    const before = await stateOf(scene);
    const budget = `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: all }
spec: { minAvailable: 6, selector: { matchLabels: { app: web } } }
`;
    const refused = await scene.run(
      { 'release-id': 'many', 'field-conflicts': 'force' },
      setOf({ replicas: 6, config: 'more', more: budget }),
    );
    expect(refused).toMatchObject({ exitCode: 1, outputs: { outcome: 'refused', changed: 'false', created: '0' } });
    expect(refused.annotations.at(-1)?.message).toMatch(
      /^web was refused after .*: 1 problem before the first write: namespace \S+: quota few has 1 of pods/,
    );
    expect(refused.annotations).toContainEqual(
      expect.objectContaining({ level: 'warning', message: expect.stringContaining('lets none of 6 pods go') }),
    );
    expect(await stateOf(scene)).toEqual(before);
    await api.delete(`/api/v1/namespaces/${scene.namespace}/resourcequotas/few`);
  }, 240_000);

  test('is not refused by a quota without room for a surge, where old pods may end first', async () => {
    const { api } = scene.cluster.admin;
    const wish = { 'field-conflicts': 'force' };
    const four = await scene.run({ ...wish, 'release-id': 'four' }, setOf({ tag: '4', replicas: 4, config: 'four' }));
    expect(four).toMatchObject({ exitCode: 0 });
    const path = `/api/v1/namespaces/${scene.namespace}/resourcequotas`;
    await api.create(path, { metadata: { name: 'tight' }, spec: { hard: { pods: '4' } } });
    await until('that the pods are counted', async () => {
      const used = textAt(await scene.live(`${path}/tight`), 'status', 'used', 'pods');
      return used === '4' ? used : undefined;
    });
    const run = scene.run({ ...wish, 'release-id': 'next' }, setOf({ tag: '5', replicas: 4, config: 'next' }));
    const next = await whileNudged(scene, run);
    expect(next).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(next.annotations).toContainEqual(
      expect.objectContaining({ level: 'warning', message: expect.stringContaining('no room for the surge (1 more)') }),
    );
    expect(await scene.truth()).toMatchObject({ image: 'registry.example.com/team/web:5', ready: 4 });
    await api.delete(`${path}/tight`);
  }, 240_000);

  test('is a set whose Deployment somebody has paused', async () => {
    const { api } = scene.cluster.admin;
    const path = `/apis/apps/v1/namespaces/${scene.namespace}/deployments/web`;
    await api.merge(path, { spec: { paused: true } });
    const before = await stateOf(scene);
    const wish = { 'release-id': 'paused', 'field-conflicts': 'force' };
    const refused = await scene.run(wish, setOf({ config: 'paused' }));
    expect(refused).toMatchObject({ exitCode: 1, outputs: { outcome: 'refused', changed: 'false' } });
    expect(refused.annotations.at(-1)?.message).toContain('/web is paused, so nothing of it would be rolled out');
    expect(await stateOf(scene)).toEqual(before);
    const resumed = setOf({ config: 'resumed' }).replace('  replicas: 2', '  paused: false\n  replicas: 2');
    expect(await scene.run({ ...wish, 'release-id': 'resumed' }, resumed)).toMatchObject({ exitCode: 0 });
  }, 240_000);

  test('fills a Secret from a variable that is named, of several lines too, and says which', async () => {
    const key = 'begin-of-key\nmiddle-of-key';
    const set = setOf().replace("'${PASSWORD}'", "'${TLS_KEY}'");
    const asked = { mode: 'diff', 'secret-values': '', 'secret-env': 'TLS_KEY' };
    const shown = await scene.run(asked, set, { env: { TLS_KEY: key } });
    expect(shown).toMatchObject({ exitCode: 0, outputs: { outcome: 'diff' } });
    expect(shown.stdout).toContain('Taken from the environment of the step, for Secrets: TLS_KEY');
    expect(shown.stdout.replaceAll(/^::add-mask::.*$/gm, '')).not.toContain('middle-of-key');
    const unset = await scene.run(asked, set);
    expect(unset).toMatchObject({ exitCode: 1 });
    expect(unset.stdout).toContain('key PASSWORD, has no value');
  }, 120_000);
});

/** What a deployment writes first and last: its records, its lease and the versions of its objects. */
async function stateOf({ cluster, namespace }: Scene): Promise<unknown> {
  const lists = [
    'api/v1 secrets',
    'api/v1 configmaps',
    'apis/coordination.k8s.io/v1 leases',
    'apis/apps/v1 deployments',
    'apis/policy/v1 poddisruptionbudgets',
  ].map(async (each) => {
    const [group, kind] = each.split(' ');
    const { body } = await cluster.admin.api.request('GET', `/${group}/namespaces/${namespace}/${kind}`);
    const { items } = body as {
      readonly items: readonly {
        readonly metadata: Record<string, unknown>;
        readonly spec?: unknown;
        readonly data?: unknown;
      }[];
    };
    return items.map(({ metadata: { name, generation }, spec, data }) => ({ name, generation, spec, data }));
  });
  return Promise.all(lists);
}

/** A ReplicaSet whose pods were refused some times tries again after minutes, or when it changes. */
async function whileNudged<T>({ cluster, namespace }: Scene, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const ended = work.finally(() => over.abort());
  const sets = `/apis/apps/v1/namespaces/${namespace}/replicasets`;
  for (let time = 1; !over.signal.aborted; time++) {
    const { body } = await cluster.admin.api.request('GET', sets);
    for (const { metadata } of (body as { readonly items: readonly KubeObject[] }).items)
      await cluster.admin.api.merge(`${sets}/${metadata.name}`, {
        metadata: { annotations: { nudged: String(time) } },
      });
    await sleep(500, undefined, { signal: over.signal }).catch(() => undefined);
  }
  return ended;
}

/** The controller fills in what a quota counts a moment after it is made. */
async function counted(scene: Scene): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const { stdout } = await scene.run(
      { mode: 'diff', 'field-conflicts': 'force' },
      setOf({ replicas: 6, config: 'ours' }),
    );
    if (stdout.includes('quota few') || attempt === 5) return stdout;
  }
}

function EXEC(): string {
  return `apiVersion: v1
kind: Config
current-context: c
contexts: [{ name: c, context: { cluster: k, user: u } }]
clusters: [{ name: k, cluster: { server: 'https://127.0.0.1:1' } }]
users: [{ name: u, user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: evil } } }]
`;
}
