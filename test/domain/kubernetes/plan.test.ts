import { describe, expect, test } from '@jest/globals';
import { changesBetween, createdBy, describePlan, planText } from '../../../src/domain/kubernetes/diff.ts';
import { inPhases, inPhasesBack } from '../../../src/domain/kubernetes/phases.ts';
import { budgetDeadlocks, extraPods, quotaProblems, quotaWarnings } from '../../../src/domain/kubernetes/capacity.ts';
import { quantity } from '../../../src/domain/kubernetes/quantity.ts';
import { referencesOutside } from '../../../src/domain/kubernetes/references.ts';
import { staysPaused } from '../../../src/domain/kubernetes/paused.ts';
import { decideScale, readScale } from '../../../src/domain/kubernetes/scaling.ts';
import { whyNotServed } from '../../../src/domain/kubernetes/removed-apis.ts';
import { withConfigHash } from '../../../src/domain/kubernetes/intent.ts';
import type { KubeObject } from '../../../src/domain/kubernetes/object.ts';
import { type ReleaseRecord, hideKeyOf } from '../../../src/domain/kubernetes/release-record.ts';
import { hideBy } from '../../../src/engine/k8s-rollout/prepare.ts';
import { hmac, sha256 } from '../../../src/adapters/system/digest.ts';
import { deployment, manifest, object } from './objects.ts';

const hide = (value: string): string => `#${value.length}`;

describe('a difference', () => {
  test('names entries of lists by their names, and leaves out what the server keeps', () => {
    const before = { ...deployment('web', { app: 'a/b:1', old: 'x/y:1' }), status: { replicas: 3 } };
    expect(changesBetween(before, deployment('web', { app: 'a/b:2' }), hide)).toEqual([
      { path: '.spec.template.spec.containers[name="app"].image', from: 'a/b:1', to: 'a/b:2' },
      { path: '.spec.template.spec.containers[name="old"]', from: '{"image":"x/y:1","name":"old"}', to: undefined },
    ]);
  });

  test('of a Secret shows that it differs, and never a value', () => {
    const secret = (value: string) => object('v1', 'Secret', 's', { data: { key: value } });
    expect(changesBetween(secret('aGVsbG8='), secret('d29ybGQhIQ=='), hide)).toEqual([
      { path: '.data.key', from: '#8', to: '#12' },
    ]);
  });
});

describe('what a plan must not show', () => {
  const KEY = 'a'.repeat(32);
  const plain = ['hunter2', 'aHVudGVyMg==', 'postgres://u:hunter2@db/x'];
  const config = object('v1', 'ConfigMap', 'c', {
    data: { API_TOKEN: 'hunter2', JWT_PWD: 'hunter2', AUTH_HEADER: 'hunter2', DATABASE_URL: plain[2], AUTHOR: 'me' },
  });
  const env = [{ name: 'DB_PASSWORD', value: 'hunter2' }];
  const withEnv = { ...deployment('web', { app: 'a' }), spec: { containers: [{ name: 'app', env }] } };
  const annotated = object('apps/v1', 'Deployment', 'w', {
    spec: { template: { metadata: { annotations: { 'sluice.dev/config-sha256': 'hunter2' } } } },
  });
  const secret = object('v1', 'Secret', 's', { data: { key: 'aHVudGVyMg==' } });

  test.each([
    ['a Secret', secret, { ...secret, data: {} }],
    ['a whole Secret', secret, { ...secret, data: undefined }],
    ['a ConfigMap', config, { ...config, data: { AUTHOR: 'you' } }],
    ['a whole ConfigMap', config, { ...config, data: undefined }],
    ['an environment', withEnv, { ...withEnv, spec: { containers: [] } }],
    ['the hash of a config', annotated, object('apps/v1', 'Deployment', 'w')],
  ])('of %s is hidden, alone and inside of what is new', (_name, full, less) => {
    for (const key of [undefined, KEY]) {
      const hidden = hideBy(key, { hmac, sha256 });
      const changes = [
        ...changesBetween(less as KubeObject, full, hidden),
        ...changesBetween(full, less as KubeObject, hidden),
      ];
      expect(changes.length).toBeGreaterThan(0);
      for (const value of plain) expect(JSON.stringify(changes)).not.toContain(value);
    }
  });

  test('is known by a hash that only a reader of the records can try values against', () => {
    const shownBy = (key: string | undefined, value = 'aHVudGVyMg==') =>
      changesBetween({ ...secret, data: {} }, { ...secret, data: { key: value } }, hideBy(key, { hmac, sha256 }))[0]
        ?.to;
    expect(shownBy(KEY)).toBe(`hmac:${hmac(KEY, 'aHVudGVyMg==').slice(0, 16)}`);
    expect(shownBy('b'.repeat(32))).not.toBe(shownBy(KEY));
    expect(shownBy(undefined)).toBe('(hidden)');
  });

  test('is in no hash of a first release, and in that of every later one', () => {
    const of = (key: string | undefined, value: string) =>
      planText([createdBy({ ...secret, data: { key: value } }, 'server', hideBy(key, { hmac, sha256 }))]);
    expect(of(undefined, 'YQ==')).toBe(of(undefined, 'Yg=='));
    expect(of(KEY, 'YQ==')).not.toBe(of(KEY, 'Yg=='));
    expect(of(KEY, 'YQ==')).toBe(of(KEY, 'YQ=='));
  });

  test('keeps its key over releases, and a plan from before one that was taken back still holds', () => {
    const record = (revision: number, phase: ReleaseRecord['phase'], hideKey?: string) =>
      ({ revision, phase, ...(hideKey === undefined ? {} : { hideKey }) }) as ReleaseRecord;
    expect(hideKeyOf([])).toBeUndefined();
    expect(hideKeyOf([record(1, 'rolled-back', KEY)])).toBeUndefined();
    expect(hideKeyOf([record(1, 'rolled-back', KEY), record(2, 'deployed', KEY), record(3, 'applying', KEY)])).toBe(
      KEY,
    );
  });
});

test('the hash of a plan is of what would change, in whatever order it was found', () => {
  const change = (name: string, kind: 'change' | 'unchanged') => ({
    ref: { apiVersion: 'v1', kind: 'ConfigMap', name },
    kind,
    changes: [],
    basis: 'server' as const,
  });
  const [a, b, c] = [change('a', 'change'), change('b', 'change'), change('c', 'unchanged')];
  expect(planText([a, b, c])).toBe(planText([b, a]));
  expect(planText([a])).not.toBe(planText([a, b]));
  expect(describePlan([a, c])).toEqual(['~ change ConfigMap a', '= 1 unchanged']);
});

describe('phases', () => {
  const all = [
    object('networking.k8s.io/v1', 'Ingress', 'i'),
    deployment('web', {}),
    object('example.com/v1', 'Shop', 'c'),
    object('v1', 'ConfigMap', 'm'),
    object('v1', 'Namespace', 'n'),
    object('batch/v1', 'Job', 'j', { metadata: { name: 'j', annotations: { 'sluice.dev/phase': 'before' } } }),
  ];
  const kinds = (groups: readonly { readonly members: readonly { readonly kind: string }[] }[]) =>
    groups.flatMap(({ members }) => members.map(({ kind }) => kind));

  test('put what is needed before what needs it, and traffic last', () => {
    expect(kinds(inPhases(all, (each) => each))).toEqual([
      'Namespace',
      'ConfigMap',
      'Job',
      'Deployment',
      'Ingress',
      'Shop',
    ]);
  });

  test('put what makes Secrets before the pods that read them, unless its operator is in the set', () => {
    const set = [deployment('web', {}), object('external-secrets.io/v1', 'ExternalSecret', 's')];
    expect(kinds(inPhases(set, (each) => each))).toEqual(['ExternalSecret', 'Deployment']);
    const definition = object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'd', {
      spec: { group: 'external-secrets.io' },
    });
    expect(kinds(inPhases([...set, definition], (each) => each)).slice(1)).toEqual(['Deployment', 'ExternalSecret']);
  });

  test('go back with traffic first, and config before workloads', () => {
    expect(kinds(inPhasesBack(all, (each) => each))).toEqual([
      'Ingress',
      'Namespace',
      'ConfigMap',
      'Job',
      'Deployment',
      'Shop',
    ]);
  });
});

test.each([
  ['that somebody paused, and the set says nothing of it', undefined, true, [], true],
  ['that is paused by the set', true, undefined, [], true],
  ['that somebody paused, and the set resumes', false, true, ['.spec.paused'], false],
  ['that the release before paused, and this one does not', undefined, true, ['.spec.paused'], false],
  ['that nobody paused', undefined, undefined, [], false],
])('a Deployment %s', (_name, asked, live, paths, stays) => {
  const paused = (value: boolean | undefined) => deployment('web', {}, value === undefined ? {} : { paused: value });
  const changes = paths.map((path) => ({ path, from: 'true', to: undefined }));
  expect(staysPaused(paused(asked), paused(live), { changes })).toBe(stays);
});

describe('capacity', () => {
  test.each([
    ['500m', 0.5],
    ['2Gi', 2 ** 31],
    [4, 4],
    ['1e3', 1_000],
    ['x', undefined],
  ])('%s is %s', (text, expected) => {
    expect(quantity(text)).toBe(expected);
  });

  test('a rollout has its surge beside what runs', () => {
    const wanted = deployment('web', {}, { replicas: 6, strategy: { rollingUpdate: { maxSurge: 2 } } });
    expect(extraPods(wanted, undefined)).toBe(6);
    expect(extraPods(wanted, deployment('web', {}, { replicas: 6 }))).toBe(2);
  });

  test('a quota that is too small is told with its numbers', () => {
    const quota = object('v1', 'ResourceQuota', 'q', { status: { hard: { pods: '4' }, used: { pods: '3' } } });
    expect(quotaProblems([quota], [{ workload: deployment('web', { app: 'a' }), live: undefined }])).toEqual([
      'quota q has 4 of pods, 3 are used, and the rollout needs 3 more at its height',
    ]);
  });

  const pods = (hard: number) =>
    object('v1', 'ResourceQuota', 'q', { status: { hard: { pods: String(hard) }, used: { pods: '4' } } });
  const of = (spec: object, image = 'a') => deployment('web', { app: image }, { replicas: 4, ...spec });
  const rolling = (maxSurge: unknown, maxUnavailable: unknown) => ({
    strategy: { rollingUpdate: { maxSurge, maxUnavailable } },
  });
  test.each([
    ['by default', {}, 4, [0, 1]],
    ['by default, and its surge fits', {}, 5, [0, 0]],
    ['with few pods, none of which may miss', { replicas: 3 }, 4, [0, 0]],
    ['with percents that let none miss', rolling('25%', '20%'), 4, [1, 0]],
    ['where none may miss', rolling(1, 0), 4, [1, 0]],
    ['without a surge', rolling(0, 1), 4, [0, 0]],
    ['with neither, which is one that may miss', rolling('0%', '0%'), 4, [0, 0]],
    ['made anew', { strategy: { type: 'Recreate' } }, 4, [0, 0]],
    ['with more pods than fit at its end', { replicas: 6 }, 5, [1, 0]],
  ])('a quota of pods and a Deployment of four that is rolled out %s', (_name, spec, hard, expected) => {
    const growth = [{ workload: of(spec), live: of({}) }];
    expect([quotaProblems([pods(hard)], growth).length, quotaWarnings([pods(hard)], growth).length]).toEqual(expected);
  });

  test.each([
    ['by default', {}, [0, 1]],
    ['where none may miss', rolling(1, 0), [1, 0]],
  ])('a Deployment whose count stands in the cluster alone is rolled out %s', (_name, spec, expected) => {
    const { replicas: _count, ...intent } = of(spec)['spec'] as Record<string, unknown>;
    const growth = [{ workload: { ...of({}), spec: intent }, live: of({}) }];
    expect([quotaProblems([pods(4)], growth).length, quotaWarnings([pods(4)], growth).length]).toEqual(expected);
  });

  test('a quota that its pods outgrow at the end keeps it from there, whatever may miss', () => {
    const cpu = (requests: string) => {
      const containers = [{ name: 'app', image: 'a', resources: { requests: { cpu: requests } } }];
      return of({ template: { spec: { containers } } });
    };
    const quota = object('v1', 'ResourceQuota', 'q', { status: { hard: { cpu: '6' }, used: { cpu: '4' } } });
    expect(quotaProblems([quota], [{ workload: cpu('2'), live: cpu('1') }])).toEqual([
      'quota q has 6 of cpu, 4 are used, and the rollout needs 4 more at its height',
    ]);
    expect(quotaProblems([quota], [{ workload: cpu('1500m'), live: cpu('1') }])).toEqual([]);
  });

  test.each([
    ['as many as there are', 3, 1],
    ['fewer', 2, 0],
  ])('a budget that wants %s', (_name, minAvailable, problems) => {
    const budget = object('policy/v1', 'PodDisruptionBudget', 'b', {
      spec: { minAvailable, selector: { matchLabels: { app: 'web' } } },
    });
    const web = deployment('web', {});
    const { replicas: _count, ...spec } = web['spec'] as Record<string, unknown>;
    expect(budgetDeadlocks([budget], [{ workload: web, live: undefined }])).toHaveLength(problems);
    // Left to its autoscaler.
    expect(budgetDeadlocks([budget], [{ workload: { ...web, spec }, live: web }])).toHaveLength(problems);
  });
});

test('what a set names and does not have is found, but for what is optional', () => {
  const web = deployment('web', {});
  const spec = {
    containers: [
      {
        name: 'app',
        envFrom: [
          { configMapRef: { name: 'own' } },
          { secretRef: { name: 'far' } },
          { secretRef: { name: 'may', optional: true } },
        ],
      },
    ],
    imagePullSecrets: [{ name: 'pull' }],
  };
  const set = [manifest({ ...web, spec: { template: { spec } } }), manifest(object('v1', 'ConfigMap', 'own'))];
  expect(referencesOutside(set).map(({ ref, by }) => [ref.kind, ref.name, by])).toEqual([
    ['Secret', 'pull', 'Deployment shop/web, imagePullSecrets'],
    ['Secret', 'far', 'Deployment shop/web, container app, envFrom'],
  ]);
});

test('a kind that is gone is answered with what to write', () => {
  expect(whyNotServed('policy/v1beta1', 'PodSecurityPolicy', [])).toContain('Pod Security Admission');
  expect(whyNotServed('batch/v1beta1', 'CronJob', [])).toContain('write batch/v1');
  expect(whyNotServed('example.com/v1', 'Shop', [])).toContain('CustomResourceDefinition');
});

test('pods start again when config that they read changes, and not otherwise', () => {
  const completion = { app: 'a', namespace: 'shop', restartOnConfig: 'yes', sha256: (text: string) => text } as const;
  const spec = { containers: [{ name: 'app', envFrom: [{ configMapRef: { name: 'm' } }] }] };
  const web = { ...deployment('web', {}), spec: { template: { spec } } };
  const hash = (value: string) =>
    withConfigHash(web, [object('v1', 'ConfigMap', 'm', { data: { a: value.repeat(30) } })], {
      ...completion,
      sha256: (text) => text.slice(-30),
    });
  expect(hash('1')).toEqual(hash('1'));
  expect(hash('1')).not.toEqual(hash('2'));
  expect(withConfigHash(web, [object('v1', 'ConfigMap', 'other', {})], completion)).toBe(web);
});

describe('scaling', () => {
  const web = deployment('web', {});
  const scaler = (more: object = {}) =>
    object('autoscaling/v2', 'HorizontalPodAutoscaler', 'h', { spec: { minReplicas: 2, maxReplicas: 8 }, ...more });
  const wish = (text: string) => {
    const read = readScale(text);
    return read.ok ? read.value : { kind: 'to' as const, count: -1 };
  };

  test.each([
    ['6', 6],
    ['+2', 5],
    ['-1', 2],
    ['0', 0],
  ])('%s sets the count', (text, count) => {
    expect(decideScale(wish(text), web, undefined)).toEqual({ kind: 'set', count });
  });

  test('holds an autoscaler, and keeps its bounds for auto', () => {
    expect(decideScale(wish('6'), web, scaler())).toEqual({
      kind: 'bound',
      bounds: { min: 6, max: 6 },
      keep: { min: 2, max: 8 },
    });
    const held = scaler({
      metadata: { name: 'h', annotations: { 'sluice.dev/autoscaler-bounds': '2..8' } },
      spec: { minReplicas: 6, maxReplicas: 6 },
    });
    expect(decideScale(wish('auto'), web, held)).toEqual({ kind: 'bound', bounds: { min: 2, max: 8 }, keep: null });
  });

  test.each([['six'], ['auto 5..2'], ['auto 0..4'], ['1.5']])('%s is refused', (text) => {
    expect(readScale(text).ok).toBe(false);
  });

  test('a difference that leaves none is refused, with and without an autoscaler', () => {
    const refused = { kind: 'refuse', why: '3 replicas and -9 leave none; write 0 if none is meant' };
    expect(decideScale(wish('-9'), web, undefined)).toEqual(refused);
    expect(decideScale(wish('-9'), web, scaler())).toEqual(refused);
  });

  const kept = (kind: string, controller: boolean) => ({
    metadata: {
      name: 'h',
      ownerReferences: [{ uid: 'u', apiVersion: 'keda.sh/v1alpha1', kind, name: 'so', controller }],
    },
  });
  test.each(['6', '+2', 'auto 3..9'])('%s is refused where a ScaledObject keeps the bounds', (text) => {
    const move = decideScale(wish(text), web, scaler(kept('ScaledObject', true)));
    expect(move).toEqual({ kind: 'refuse', why: expect.stringMatching(/^ScaledObject so keeps .*paused-replicas$/) });
  });

  test('bounds are set where an owner does not keep them', () => {
    expect(decideScale(wish('6'), web, scaler(kept('App', true))).kind).toBe('refuse');
    expect(decideScale(wish('6'), web, scaler(kept('App', false))).kind).toBe('bound');
  });

  test('auto without an autoscaler is refused', () => {
    expect(decideScale(wish('auto'), web, undefined).kind).toBe('refuse');
  });
});
