import { describe, expect, test } from '@jest/globals';
import { spec, toRequest as requestOf } from '../../../actions/deploy-ecs/src/inputs.ts';
import { minutes } from '../../../src/domain/duration.ts';
import type { InputsOf } from '../../../src/domain/inputs.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
type Values = InputsOf<typeof spec>;
const values = (given: Partial<Values> = {}): Values =>
  ({
    mode: 'deploy',
    'require-approval': false,
    'keep-revisions': 10,
    cluster: 'shop',
    service: 'web',
    image: `r.example.com/web@${DIGEST}`,
    timeout: minutes(20),
    'on-failure': 'rollback',
    'on-cancel': 'rollback',
    'on-conflict': 'fail',
    'on-outdated': 'fail',
    'dry-run': false,
    ...given,
  }) as Values;
/** As if the stage held all of them: what a mode does not read is the matter of mode-inputs.test.ts. */
const toRequest = (given: Values) => requestOf(given, new Set());
const built = { api: { repository: 'team/api', digest: DIGEST }, web: { repository: 'team/web', digest: DIGEST } };

describe('the request', () => {
  const images = [
    { name: 'image', given: {}, image: `r.example.com/web@${DIGEST}` },
    {
      name: 'the only entry of images',
      given: { image: undefined, images: { api: built.api }, registry: 'r.example.com' },
      image: `r.example.com/team/api@${DIGEST}`,
    },
    {
      name: 'the entry of images that is named',
      given: { image: undefined, images: built, registry: 'localhost:5000', 'image-name': 'web' },
      image: `localhost:5000/team/web@${DIGEST}`,
    },
  ];
  test.each(images)('takes its image from $name', ({ given, image }) => {
    expect(toRequest(values(given as Partial<Values>))).toMatchObject({
      ok: true,
      value: { image, release: image, mode: 'deploy', dryRun: 'no' },
    });
  });

  test('keeps a desired count of zero apart from none', () => {
    expect(toRequest(values({ 'desired-count': 0 }))).toMatchObject({ value: { desired: 0 } });
    expect(toRequest(values())).toMatchObject({ value: { desired: undefined } });
  });

  test('of what changes without an image is named by all of it, so that no other release has its name', () => {
    const role = (name: string) => `arn:aws:iam::123456789012:role/${name}`;
    const releaseOf = (given: Partial<Values>): string => {
      const request = toRequest(values({ image: undefined, ...given }));
      return request.ok && 'release' in request.value ? request.value.release : 'none';
    };
    const given: readonly Partial<Values>[] = [
      { 'task-role-arn': role('a') },
      { 'task-role-arn': role('b') },
      { 'execution-role-arn': role('a') },
      { 'service-settings': { managedTags: true } },
      { 'service-settings': { managedTags: false } },
      { containers: { web: { environment: { LEVEL: 'info' } } } },
      { containers: { web: { environment: { LEVEL: 'debug' } } } },
      { 'task-definition': 'web:7' },
      { 'task-definition': 'web:7', 'task-role-arn': role('a') },
    ];
    expect(new Set(given.map(releaseOf)).size).toBe(given.length);
    expect(given.map(releaseOf)).toEqual(given.map(releaseOf));
    expect(releaseOf({ 'service-settings': { managedTags: true } })).toMatch(/^settings [0-9a-f]{16}$/);
  });

  test('plans when it is a dry run, and is named by the release when there is one', () => {
    expect(toRequest(values({ 'dry-run': true, 'release-id': 'v1' }))).toMatchObject({
      value: { mode: 'deploy', dryRun: 'yes', release: 'v1' },
    });
  });
});

describe('the mode', () => {
  const without = { image: undefined };
  const modes = [
    { name: 'rollback to the release before', given: { mode: 'rollback' }, value: { mode: 'rollback', to: undefined } },
    { name: 'rollback to a revision', given: { mode: 'rollback', to: 'web:7' }, value: { to: 'web:7' } },
    { name: 'scale to zero', given: { mode: 'scale', 'desired-count': 0 }, value: { mode: 'scale', desired: 0 } },
    { name: 'status', given: { mode: 'status' }, value: { mode: 'status' } },
    { name: 'cleanup', given: { mode: 'cleanup', 'keep-revisions': 3 }, value: { mode: 'cleanup', keep: 3 } },
  ];
  test.each(modes)('$name needs no image', ({ given, value }) => {
    expect(toRequest(values({ ...without, ...given } as Partial<Values>))).toMatchObject({ ok: true, value });
  });

  test('scale without a count is a problem', () => {
    expect(toRequest(values({ ...without, mode: 'scale' }))).toMatchObject({
      ok: false,
      problems: [{ input: 'desired-count' }],
    });
  });

  const revisions = ['41', 'web-task:41', 'arn:aws:ecs:us-west-2:111122223333:task-definition/web:41'];
  test.each(revisions)('a revision may be named %s', (given) => {
    expect(spec.to.read(given)).toEqual({ ok: true, value: given });
  });

  test.each(['web-task', 'web:latest', 'deploy/task.json', '-1'])('%s is no revision', (given) => {
    expect(spec.to.read(given)).toMatchObject({ ok: false, problem: 'is not a revision' });
  });
});

describe('what the new revision is made of', () => {
  const read = (given: Partial<Values>) => toRequest(values({ image: undefined, ...given } as Partial<Values>));

  test.each([
    { given: 'deploy/task.yml', kind: 'file' },
    { given: 'task-definition.json', kind: 'file' },
    { given: 'web-task', kind: 'registered' },
    { given: 'web-task:7', kind: 'registered' },
    { given: 'arn:aws:ecs:us-west-2:111122223333:task-definition/web:7', kind: 'registered' },
  ])('may be $given, without an image', ({ given, kind }) => {
    expect(spec['task-definition'].read(given)).toMatchObject({ ok: true });
    expect(read({ 'task-definition': given })).toMatchObject({
      value: { definition: { kind, name: given }, image: undefined, release: given },
    });
  });

  test('a file outside of the workspace is none', () => {
    expect(spec['task-definition'].read('../../etc/task.yml')).toMatchObject({ ok: false });
  });

  test('images are given out by container, from entries and references', () => {
    const containers = {
      web: { image: 'api' },
      proxy: { image: 'docker.io/envoy:1.30' },
      log: { environment: { A: 'b' } },
    };
    expect(read({ images: built, registry: 'r.example.com', containers })).toMatchObject({
      value: {
        image: undefined,
        edits: {
          web: { image: `r.example.com/team/api@${DIGEST}` },
          proxy: { image: 'docker.io/envoy:1.30' },
          log: { environment: { A: 'b' } },
        },
      },
    });
  });

  const wrong = [
    {
      name: 'an entry that is misspelt',
      given: { images: built, registry: 'r', containers: { web: { image: 'apy' } } },
      problems: [{ input: 'containers.web.image', problem: 'is no entry of images', nearest: 'api' }],
    },
    {
      name: 'no registry',
      given: { images: built, containers: { web: { image: 'api' } } },
      problems: [{ input: 'registry' }],
    },
    {
      name: 'an image beside what was approved',
      given: {
        images: built,
        registry: 'r',
        environment: 'production',
        'require-approval': true,
        containers: { web: { image: 'r/other:1' } },
      },
      problems: [{ input: 'containers.web.image', problem: 'is no entry of images, so that nobody approved it' }],
    },
    {
      name: 'two images for one container',
      given: { image: 'r/web:1', container: 'web', containers: { web: { image: 'r/web:2' } } },
      problems: [{ input: 'containers.web.image', problem: 'excludes image for the same container' }],
    },
  ];
  test.each(wrong)('is told: $name', ({ given, problems }) => {
    expect(read(given as Partial<Values>)).toMatchObject({ ok: false, problems });
  });
});

describe('checks and approval', () => {
  const images = { api: { ...built.api, tag: '1.4.0' } };
  const given = { image: undefined, images, registry: 'r.example.com', checks: 'c.yml' };

  test('expect the tag of the image, or what is said', () => {
    expect(toRequest(values(given as Partial<Values>))).toMatchObject({
      value: { checks: { expectVersion: '1.4.0' } },
    });
    expect(toRequest(values({ ...given, 'expect-version': 'x' } as Partial<Values>))).toMatchObject({
      value: { checks: { expectVersion: 'x' } },
    });
  });

  test('an approval is bound to images, and both are named when they are missing', () => {
    expect(toRequest(values({ 'require-approval': true }))).toMatchObject({
      ok: false,
      problems: [{ input: 'images' }, { input: 'environment' }],
    });
  });
});

describe('inputs that do not fit', () => {
  const rows = [
    { name: 'no image at all', given: { image: undefined }, input: 'image', problem: 'is missing' },
    { name: 'two of them', given: { images: built }, input: 'image', problem: 'excludes images' },
    {
      name: 'an image without digest or tag',
      given: { image: 'r.example.com/web' },
      input: 'image',
      problem: 'has neither a digest nor a tag',
    },
    {
      name: 'images without a registry',
      given: { image: undefined, images: { api: built.api } },
      input: 'registry',
      problem: 'is missing: images has repositories without it',
    },
    {
      name: 'a registry with a scheme',
      given: { image: undefined, images: { api: built.api }, registry: 'https://r.example.com' },
      input: 'registry',
      problem: 'is not a host name',
    },
    {
      name: 'a rule that cannot fail in the time that it has',
      given: { rules: ['p95 > 1ms for 10m'], recheck: minutes(1), url: 'https://shop.example.com' },
      input: 'rules',
      problem: 'can never fail: it has to hold for longer than recheck (1m)',
    },
    {
      name: 'several images and no choice',
      given: { image: undefined, images: built, registry: 'r.example.com' },
      input: 'image-name',
      problem: 'is missing: images has 2 entries',
    },
    {
      name: 'a choice that is not there',
      given: { image: undefined, images: built, registry: 'r.example.com', 'image-name': 'apy' },
      input: 'image-name',
      problem: 'is no entry of images',
    },
  ];
  test.each(rows)('are told: $name', ({ given, input, problem }) => {
    expect(toRequest(values(given as Partial<Values>))).toEqual({
      ok: false,
      problems: [expect.objectContaining({ input, problem })],
    });
  });

  test('are told together', () => {
    expect(toRequest(values({ image: undefined, images: built } as Partial<Values>))).toMatchObject({
      ok: false,
      problems: [{ input: 'registry' }, { input: 'image-name', accepted: 'api, web' }],
    });
  });

  test('name the nearest entry', () => {
    expect(
      toRequest(values({ image: undefined, images: built, registry: 'r', 'image-name': 'apy' } as Partial<Values>)),
    ).toMatchObject({ problems: [{ nearest: 'api' }] });
  });
});
