import { describe, expect, test } from '@jest/globals';
import { type spec, toRequest } from '../../../actions/deploy-k8s/src/inputs.ts';
import { hours, minutes } from '../../../src/domain/duration.ts';
import { type InputsOf, describeProblem } from '../../../src/domain/inputs.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
type Values = InputsOf<typeof spec>;
const values = (given: Partial<Values> = {}): Values =>
  ({
    mode: 'deploy',
    app: 'shop',
    namespace: 'shop',
    manifests: ['k8s'],
    'field-conflicts': 'fail',
    prune: 'none',
    'prune-limit': 10,
    'require-digest': false,
    'restart-on-config': true,
    'require-approval': false,
    timeout: minutes(20),
    recheck: minutes(2),
    'backup-keep': hours(168),
    'on-failure': 'rollback',
    'on-cancel': 'rollback',
    'on-conflict': 'fail',
    'on-outdated': 'fail',
    'dry-run': false,
    ...given,
  }) as Values;
const api = { repository: 'team/api', digest: DIGEST, tag: '1.4.0' };
const web = { repository: 'team/web', digest: DIGEST, tag: '1.4.0' };
const images = { registry: 'r.example.com', images: { api } };

describe('{{IMAGE_TAG}}', () => {
  test.each([
    ['pinned-tag', { 'pinned-tag': '2.0.0@sha256:b', ...images }, '2.0.0@sha256:b'],
    ['tag and digest of the only entry of images', images, `1.4.0@${DIGEST}`],
    ['those of the entry that is named', { ...images, images: { api, web }, 'image-name': 'web' }, `1.4.0@${DIGEST}`],
    ['nothing where several could be meant', { ...images, images: { api, web } }, undefined],
    ['nothing where the entry has no tag', { ...images, images: { api: { ...api, tag: undefined } } }, undefined],
  ])('becomes %s', (_name, given, expected) => {
    const request = toRequest(values(given as Partial<Values>));
    const set = request.ok && 'set' in request.value ? request.value.set : undefined;
    expect(set?.placeholders.get('IMAGE_TAG')).toBe(expected);
  });
});

test('every problem is named at once', () => {
  const request = toRequest(
    values({
      app: undefined,
      kubeconfig: 'kind: Config',
      server: 'https://10.0.0.1:6443',
      rules: ['p95 > 1s'],
      to: '7',
    } as Partial<Values>),
  );
  expect(request.ok ? [] : request.problems.map(describeProblem)).toEqual([
    expect.stringContaining('to: is not read by mode: deploy'),
    expect.stringContaining('kubeconfig: excludes server'),
    expect.stringContaining('token: is missing: server needs it'),
    expect.stringContaining('rules: need an address to measure'),
    expect.stringContaining('app: is missing'),
  ]);
});

test('a tag that is not of the approved images is a problem', () => {
  const approved = { ...images, 'require-approval': true, environment: 'production', approval: '{}' };
  const told = (tag: string): readonly string[] => {
    const request = toRequest(values({ ...approved, 'pinned-tag': tag } as Partial<Values>));
    return request.ok ? [] : request.problems.map(({ input, problem }) => `${input}: ${problem}`);
  };
  expect(told(`1.4.0@${DIGEST}`)).toEqual([]);
  expect(told(`1.4.0@sha256:${'b'.repeat(64)}`)).toEqual(['pinned-tag: is none of images, which is what was approved']);
  expect(told('1.4.0')).toHaveLength(1);
});

test.each(['Namespace', 'CustomResourceDefinition', 'PersistentVolume', 'PersistentVolumeClaim'])(
  'a %s is never replaced',
  (kind) => {
    const request = toRequest(values({ replace: ['Job', kind] } as Partial<Values>));
    expect(request.ok ? [] : request.problems.map(describeProblem)).toEqual([
      expect.stringContaining(`replace: "${kind}" is never deleted`),
    ]);
  },
);

test.each([
  ['scale', {}, ['replicas: is missing', 'workload: is missing']],
  ['backup', { 'backup-key': 'too-short' }, ['backup-location: is missing', 'backup-key: is too short']],
  ['restore', { 'backup-location': 'b', 'backup-key': 'a'.repeat(16) }, ['restore: is missing']],
])('mode: %s says what it lacks', (mode, given, expected) => {
  const request = toRequest(values({ mode, ...given } as Partial<Values>));
  const told = request.ok ? [] : request.problems.map(describeProblem);
  expect(told).toEqual(expected.map((start) => expect.stringContaining(start)));
});
