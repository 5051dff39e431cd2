import { describe, expect, test } from '@jest/globals';
import { applyImageRules, readImageRules, unapproved, unpinned } from '../../../src/domain/kubernetes/image-rules.ts';
import { containersOf } from '../../../src/domain/kubernetes/pod-templates.ts';
import { deployment, manifest } from './objects.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

function applied(images: Readonly<Record<string, string>>, ...lines: readonly string[]): readonly string[] {
  const rules = readImageRules(lines, () => undefined);
  if (!rules.ok) return rules.problems.map(({ problem }) => problem);
  const result = applyImageRules([manifest(deployment('web', images))], rules.value);
  if (!result.ok) return result.problems.map(({ given, problem }) => `${given}: ${problem}`);
  return result.value.manifests.flatMap(({ object }) => containersOf(object).map(({ image }) => image ?? ''));
}

describe('a rule by repository', () => {
  test.each([
    ['replaces tag and digest', { app: `ghcr.io/team/web:1@${DIGEST}` }, `ghcr.io/team/web:2`, ['ghcr.io/team/web:2']],
    [
      'leaves another image of a registry with a port alone',
      { app: 'localhost:5000/app:old', sidecar: 'localhost:5000/sidecar:old' },
      'localhost:5000/app:new',
      ['localhost:5000/app:new', 'localhost:5000/sidecar:old'],
    ],
    [
      'never matches by prefix',
      { app: 'ghcr.io/team/web-api:1', web: 'ghcr.io/team/web:1' },
      'ghcr.io/team/web:2',
      ['ghcr.io/team/web-api:1', 'ghcr.io/team/web:2'],
    ],
    [
      'knows the long name of Docker Hub',
      { app: 'nginx' },
      'docker.io/library/nginx:1.27',
      ['docker.io/library/nginx:1.27'],
    ],
    [
      'fills in the registry that a manifest leaves out',
      { app: 'wesign/charts:latest' },
      `reg.example.com/wesign/charts@${DIGEST}`,
      [`reg.example.com/wesign/charts@${DIGEST}`],
    ],
  ])('%s', (_name, images, rule, expected) => {
    expect(applied(images, rule)).toEqual(expected);
  });
});

describe('a more exact rule', () => {
  test('names one container of one object', () => {
    const images = { app: 'a/b:1', proxy: 'c/d:1' };
    expect(applied(images, 'Deployment/web:proxy=e/f:2')).toEqual(['a/b:1', 'e/f:2']);
    expect(applied(images, 'proxy=e/f:2')).toEqual(['a/b:1', 'e/f:2']);
  });

  test('wins over one by repository', () => {
    expect(applied({ app: 'a/b:1' }, 'a/b:2', 'Deployment/web:app=a/b:3')).toEqual(['a/b:3']);
  });
});

describe('an error is', () => {
  test.each([
    ['a rule that matches nothing', ['x/y:1'], ['x/y:1: matches no container of the manifests']],
    [
      'a container that two rules match',
      ['a/b:2', 'app=a/b:3'],
      ['Deployment shop/web, container app: matches 2 rules with different images: a/b:2, app=a/b:3'],
    ],
    ['an image without tag and digest', ['app=a/b'], ['has neither a digest nor a tag']],
  ])('%s', (_name, lines, expected) => {
    expect(applied({ app: 'a/b:1' }, ...lines)).toEqual(expected);
  });
});

test('an image without a digest is named with its place', () => {
  const set = [manifest(deployment('web', { app: 'a/b:1', other: `a/c@${DIGEST}` }))];
  expect(unpinned(set)).toEqual([expect.objectContaining({ input: 'k8s/all.yml:7', given: 'a/b:1' })]);
});

describe('images that were not approved', () => {
  const OTHER = `sha256:${'b'.repeat(64)}`;
  const found = (images: Readonly<Record<string, string>>, put: readonly string[] = []) =>
    unapproved(
      [manifest(deployment('web', images))],
      put.map((name) => ({ where: `Deployment shop/web, container ${name}`, from: '', to: '' })),
      [{ repository: 'team/web', digest: DIGEST }],
    ).map(({ given }) => given);
  test.each([
    ['the approved one is none', { app: `r.example.com/team/web:1@${DIGEST}` }, [], []],
    ['what the manifest names beside it is none', { app: 'redis:8', web: `r.example.com/team/web@${DIGEST}` }, [], []],
    ['another digest of its repository is one', { app: `team/web@${OTHER}` }, [], [`team/web@${OTHER}`]],
    ['a tag of its repository is one', { app: 'r.example.com/team/web:1' }, [], ['r.example.com/team/web:1']],
    ['another repository that a rule put in is one', { app: `evil/web@${OTHER}` }, ['app'], [`evil/web@${OTHER}`]],
  ])('%s', (_name, images, put, expected) => {
    expect(found(images as Readonly<Record<string, string>>, put)).toEqual(expected);
  });
});
