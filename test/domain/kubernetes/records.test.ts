import { describe, expect, test } from '@jest/globals';
import { chooseContext, eksCommand, refusals } from '../../../src/domain/kubernetes/kubeconfig-policy.ts';
import { allows } from '../../../src/domain/kubernetes/rules-review.ts';
import { rightsFor, rolesFor } from '../../../src/domain/kubernetes/rights.ts';
import {
  type ReleaseRecord,
  adoptedSince,
  beforeServing,
  findRelease,
  goneWith,
  madeSince,
  noLongerServing,
  outdated,
  readRecord,
  servingOf,
  toTakeBack,
  unfinishedOf,
} from '../../../src/domain/kubernetes/release-record.ts';
import { DEPLOYMENTS, SECRETS } from '../../../src/domain/kubernetes/resource.ts';
import { deployment, object } from './objects.ts';

const record = (revision: number, phase: ReleaseRecord['phase'], more: Partial<ReleaseRecord> = {}): ReleaseRecord => ({
  schema: 1,
  app: 'web',
  revision,
  release: `v${revision}`,
  run: '1/1',
  phase,
  startedAt: '',
  digest: `d${revision}`,
  objects: [],
  before: [],
  images: [],
  ...more,
});

describe('the record', () => {
  test('two roll backs lead two releases back, never to the one that was bad', () => {
    const first = [record(1, 'superseded'), record(2, 'superseded'), record(3, 'deployed')];
    expect(beforeServing(first)?.revision).toBe(2);
    const second = [
      record(1, 'superseded'),
      record(2, 'superseded'),
      record(3, 'rolled-back'),
      record(4, 'deployed', { copyOf: 2, digest: 'd2' }),
    ];
    expect(beforeServing(second)?.revision).toBe(1);
  });

  test('a first release has nothing before it', () => {
    expect(beforeServing([record(1, 'deployed')])).toBeUndefined();
    expect(servingOf([record(1, 'failed')])).toBeUndefined();
  });

  test('a roll back leads to the release before, though its record does not say that a later one serves', () => {
    const all = [record(1, 'superseded'), record(2, 'deployed'), record(3, 'deployed')];
    expect(servingOf(all)?.revision).toBe(3);
    expect(beforeServing(all)?.revision).toBe(2);
  });

  const ended = (given: readonly ReleaseRecord[], newest: ReleaseRecord) =>
    noLongerServing(given, newest).map(({ revision, phase }) => [revision, phase]);
  test.each([
    ['of a release', [record(1, 'superseded'), record(2, 'deployed')], {}, [[2, 'superseded']]],
    [
      'of a release, and that of one before whose end could not be written',
      [record(1, 'deployed'), record(2, 'rolled-back'), record(3, 'deployed')],
      {},
      [
        [3, 'superseded'],
        [1, 'superseded'],
      ],
    ],
    ['that a roll back leaves', [record(1, 'superseded'), record(2, 'deployed')], { copyOf: 1 }, [[2, 'rolled-back']]],
    ['that a roll back repeats', [record(1, 'superseded'), record(2, 'deployed')], { copyOf: 2 }, [[2, 'superseded']]],
    [
      'that an earlier roll back left, and could not say so',
      [record(1, 'superseded'), record(2, 'deployed'), record(3, 'deployed', { copyOf: 1 })],
      {},
      [
        [3, 'superseded'],
        [2, 'rolled-back'],
      ],
    ],
  ])('what no longer serves is named: the record %s', (_name, all, more, expected) => {
    expect(ended(all, record(5, 'deployed', more))).toEqual(expected);
  });

  test('of a run that was killed is found', () => {
    expect(unfinishedOf([record(1, 'deployed'), record(2, 'applying')])?.revision).toBe(2);
    expect(unfinishedOf([record(1, 'deployed'), record(2, 'failed')])).toBeUndefined();
    expect(unfinishedOf([record(1, 'superseded'), record(2, 'rolling-back'), record(3, 'deployed')])).toBeUndefined();
  });

  test.each([
    ['2', 2],
    ['v2', 2],
    ['1.4.0', 1],
  ])('finds %s', (named, revision) => {
    const all = [record(1, 'superseded', { release: '1.4.0' }), record(2, 'deployed', { release: '1.5.0' })];
    expect(findRelease(all, named)).toMatchObject({ kind: 'found', record: { revision } });
  });

  const called = (revision: number, release: string, phase: ReleaseRecord['phase'] = 'superseded') =>
    record(revision, phase, { release });
  test.each([
    [
      'a release that failed, though its name is a revision too',
      'v7',
      [called(7, 'v5'), called(9, 'v7', 'failed')],
      'release v7 (revision:9) is failed; revision:7 is release v5',
    ],
    [
      'one that is not recorded, where names look like it',
      'v7',
      [called(7, 'v5'), called(8, 'v6')],
      'no recorded release is called v7; revision:7 is release v5',
    ],
    [
      'what is a release and the revision of another one',
      '7',
      [called(7, '5'), called(12, '7')],
      '7 is release 7 (revision:12); revision:7 is release 5',
    ],
    [
      'a revision that a first release has none of',
      'revision:',
      [called(1, '1')],
      'no revision was before this one, so there is none to name',
    ],
    ['a revision that is not there', 'revision:7', [called(12, 'revision-7')], 'revision 7 is not recorded'],
  ])('leads nowhere for %s', (_name, named, all, why) => {
    expect(findRelease(all, named)).toEqual({ kind: 'none', why });
  });

  test('knows a revision by itself, whatever releases are called', () => {
    const all = [called(7, '5'), called(12, '7')];
    expect(findRelease(all, 'revision:7')).toMatchObject({ kind: 'found', record: { release: '5' } });
    const marked = [called(7, 'v5'), called(9, 'v7')];
    expect(findRelease(marked, 'v7')).toMatchObject({ kind: 'found', record: { revision: 9 } });
    expect(findRelease(all, '12')).toEqual({
      kind: 'none',
      why: 'no recorded release is called 12; revision:12 is release 7',
    });
  });

  test('knows what a later release took over and did not make', () => {
    const config = (name: string, a: string) => object('v1', 'ConfigMap', name, { data: { a, b: a } });
    const before = (name: string, found?: string) => {
      const { apiVersion, kind, metadata } = config(name, '');
      const ref = { apiVersion, kind, name: metadata.name, namespace: metadata.namespace ?? '' };
      return { ref, ...(found === undefined ? {} : { object: config(name, found) }) };
    };
    const all = [
      record(1, 'superseded', { objects: [config('own', '1')], before: [before('own')] }),
      record(2, 'superseded', {
        objects: [config('own', '2'), object('v1', 'ConfigMap', 'theirs', { data: { a: '2' } })],
        before: [before('theirs', 'by hand')],
      }),
      record(3, 'failed', { before: [before('left')] }),
      record(4, 'deployed', {
        objects: [config('own', '4'), object('v1', 'ConfigMap', 'theirs', { data: { a: '4' } }), config('left', '4')],
        before: [before('left', '3')],
      }),
    ];
    const adopted = adoptedSince(all, record(1, 'superseded', { objects: [config('own', '1')] }));
    expect(adopted.map(({ metadata, ...rest }) => [metadata.name, rest['data']])).toEqual([
      ['theirs', { a: 'by hand' }],
    ]);
    expect(adoptedSince(all, all[1] as ReleaseRecord)).toEqual([]);

    // One that was taken back at once found it as it was then, or made it: neither says how it was when the next came.
    const first = record(1, 'superseded', { objects: [config('own', '1')], before: [before('own')] });
    const serving = record(3, 'deployed', {
      objects: [config('own', '3'), config('theirs', '3')],
      before: [before('theirs', 'renewed')],
    });
    for (const seen of [before('theirs', 'stale'), before('theirs')]) {
      const [found] = adoptedSince([first, record(2, 'rolled-back', { before: [seen] }), serving], first);
      expect(found?.['data']).toMatchObject({ a: 'renewed' });
    }
  });

  test('knows what later releases made, which is not what they found, nor what an older one left', () => {
    const config = (name: string) => object('v1', 'ConfigMap', name, {});
    const before = (name: string, found: 'found' | 'none') => {
      const ref = { apiVersion: 'v1', kind: 'ConfigMap', name, namespace: 'shop' };
      return found === 'none' ? { ref } : { ref, object: config(name) };
    };
    const all = [
      record(1, 'superseded', { before: [before('own', 'none'), before('leftover', 'none')] }),
      record(2, 'superseded', { objects: [config('own')] }),
      record(3, 'superseded', { before: [before('of-three', 'none'), before('leftover', 'found')] }),
      record(4, 'rolled-back', { before: [before('never-served', 'none')] }),
      record(5, 'failed', { before: [before('of-five', 'none'), before('of-three', 'found'), before('own', 'none')] }),
      record(6, 'deployed', { before: [before('of-five', 'found')] }),
    ];
    const made = (target: ReleaseRecord) => madeSince(all, target).map(({ name }) => name);
    expect(made(all[1] as ReleaseRecord).sort()).toEqual(['of-five', 'of-three']);
    expect(made(all[2] as ReleaseRecord).sort()).toEqual(['of-five', 'own']);
    expect(made(all[5] as ReleaseRecord)).toEqual([]);
    // A way back that did not come to its end stands where it was to lead.
    expect(made(record(7, 'applying', { copyOf: 3 })).sort()).toEqual(['of-five', 'own']);
  });

  test('of first releases that failed and were left is one: with all that they made, as the first found it', () => {
    const config = (name: string, a: string) => object('v1', 'ConfigMap', name, { data: { a } });
    const ref = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', name, namespace: 'shop' });
    const first = record(1, 'failed', {
      objects: [config('both', '1'), config('one', '1')],
      before: [{ ref: ref('both') }, { ref: ref('one') }],
    });
    const second = record(2, 'failed', {
      objects: [config('both', '2'), config('two', '2')],
      before: [{ ref: ref('both'), object: config('both', '1') }, { ref: ref('two') }],
    });
    const taken = toTakeBack([first, second]) as ReleaseRecord;
    expect(taken).toMatchObject({ revision: 2, phase: 'failed' });
    expect(taken.objects.map(({ metadata, ...rest }) => [metadata.name, rest['data']]).sort()).toEqual([
      ['both', { a: '2' }],
      ['one', { a: '1' }],
      ['two', { a: '2' }],
    ]);
    expect(taken.before.filter(({ object: found }) => found !== undefined)).toEqual([]);
    expect(taken.before).toHaveLength(3);
    expect(goneWith([first, second], taken).map(({ revision }) => revision)).toEqual([1]);
    // Taken back alone, it leaves what the first one made.
    expect(goneWith([first, second], second)).toEqual([]);
    const adopted = record(1, 'failed', { before: [{ ref: ref('both'), object: config('both', '0') }] });
    expect(goneWith([adopted, second], second)).toEqual([]);
    const all = toTakeBack([adopted, second]) as ReleaseRecord;
    expect(goneWith([adopted, second], all).map(({ revision }) => revision)).toEqual([1]);
  });

  test('keeps the newest good ones, and what lies between them', () => {
    const all = [1, 2, 3, 4].map((revision) => record(revision, revision === 4 ? 'deployed' : 'superseded'));
    expect(outdated([...all, record(5, 'rolled-back')], 2).map(({ revision }) => revision)).toEqual([1, 2]);
  });

  test.each([
    ['no JSON', '{'],
    ['another schema', '{"schema":2}'],
    ['no phase', '{"schema":1,"revision":1}'],
  ])('that is %s is a failure that says where', (_name, text) => {
    expect(() => readRecord(text, 'Secret shop/sluice.web.v1')).toThrow(
      /Could not read the release record Secret shop/,
    );
  });
});

describe('rights', () => {
  const rights = rightsFor([deployment('web', {}), object('v1', 'Secret', 's')], {
    resourceOf: ({ kind }) => (kind === 'Deployment' ? DEPLOYMENTS : SECRETS),
    app: 'web',
    home: 'shop',
  });

  test('of Secrets are by name, but to create', () => {
    const [role] = rolesFor(rights, 'web', 'deploy');
    expect(role?.['rules']).toContainEqual({
      apiGroups: [''],
      resources: ['secrets'],
      resourceNames: ['s'],
      verbs: ['delete', 'get', 'patch'],
    });
    expect(JSON.stringify(role)).not.toMatch(/pods\/exec|escalate|"\*"/);
    expect(rolesFor(rights, 'web', 'deploy').map(({ kind }) => kind)).toEqual(['Role']);
  });

  test.each([
    ['by a star', { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, 'yes'],
    ['by name', { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['s'] }, 'yes'],
    ['by another name', { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['t'] }, 'unknown'],
    ['of another group', { verbs: ['get'], apiGroups: ['apps'], resources: ['secrets'] }, 'unknown'],
  ])('are proven %s', (_name, rule, expected) => {
    const review = object('authorization.k8s.io/v1', 'SelfSubjectRulesReview', '', {
      status: { resourceRules: [rule] },
    });
    expect(allows(review, { group: '', resource: 'secrets', verb: 'get', name: 's', namespace: 'shop', why: '' })).toBe(
      expected,
    );
  });
});

describe('a kubeconfig', () => {
  const config = (cluster: object, user: object) => ({
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'k', user: 'u', namespace: 'shop' } }],
    clusters: [{ name: 'k', cluster: { server: 'https://k', ...cluster } }],
    users: [{ name: 'u', user }],
  });
  const refusedFor = (cluster: object, user: object, allowed: readonly ('exec' | 'files')[] = []) => {
    const chosen = chooseContext(config(cluster, user), undefined);
    return 'problem' in chosen ? [chosen.problem] : refusals(chosen, allowed).map(({ accepted }) => accepted);
  };

  test.each([
    ['a program', {}, { exec: { command: 'evil' } }, 'allow-kubeconfig: exec, when it is meant to'],
    [
      'no verification',
      { 'insecure-skip-tls-verify': true },
      {},
      'allow-kubeconfig: insecure-tls, when it is meant to',
    ],
    ['no TLS', { server: 'http://k' }, {}, 'allow-kubeconfig: insecure-tls, when it is meant to'],
    ['a file', { 'certificate-authority': '/etc/ca' }, {}, 'allow-kubeconfig: files, when it is meant to'],
    ['a proxy', { 'proxy-url': 'http://p' }, {}, 'allow-kubeconfig: proxy, when it is meant to'],
    [
      'an auth-provider',
      {},
      { 'auth-provider': { name: 'gcp' } },
      'allow-kubeconfig: auth-provider, when it is meant to',
    ],
  ])('with %s is refused unless that is allowed', (_name, cluster, user, expected) => {
    expect(refusedFor(cluster, user)).toEqual([expected]);
  });

  test('may do what is allowed by name', () => {
    expect(refusedFor({}, { exec: { command: 'x' }, tokenFile: '/t' }, ['exec'])).toEqual([
      'allow-kubeconfig: files, when it is meant to',
    ]);
    expect(refusedFor({}, { token: 't' })).toEqual([]);
  });

  test('a wrong context is answered with those that there are', () => {
    expect(chooseContext(config({}, {}), 'nope')).toMatchObject({ input: 'context', accepted: 'c' });
  });

  test('the command of AWS is known and not needed', () => {
    const user = {
      exec: { command: 'aws', args: ['--region', 'eu-west-1', 'eks', 'get-token', '--cluster-name', 'shop'] },
    };
    const chosen = chooseContext(config({}, user), undefined);
    expect('problem' in chosen ? undefined : eksCommand(chosen)).toEqual({ cluster: 'shop', region: 'eu-west-1' });
  });
});
