import { describe, expect, test } from '@jest/globals';
import { instant } from '../../../src/domain/duration.ts';
import { type Situation, type Wish, decideStart, lastGood } from '../../../src/domain/ecs/start.ts';
import type { EcsService, ServiceDeployment } from '../../../src/domain/ecs/service.ts';
import { NEW, OLD, OTHER, deployment, service } from './services.ts';

const PINNED = `r.example.com/web@sha256:${'a'.repeat(64)}`;
const TAGGED = 'r.example.com/web:stable';
const situation = (
  image: string,
  given: Partial<EcsService> = {},
  serviceDeployment?: ServiceDeployment,
): Situation => ({
  service: service(given),
  current: { arn: OLD, family: 'web', body: { containerDefinitions: [{ name: 'web', image }] }, tags: {} },
  ...(serviceDeployment === undefined ? {} : { serviceDeployment }),
});
const wish = (given: Partial<Wish> = {}): Wish => ({ images: PINNED, release: 'r-1', run: '100/2', ...given });
const journal = (phase: string, run: string, release = 'r-1') => ({
  'sluice:schema': '1',
  'sluice:phase': phase,
  'sluice:run': run,
  'sluice:release': release,
});
const moving = { deployments: [deployment('ecs-svc/2', OLD, { rolloutState: 'IN_PROGRESS' })] };
const goingBack = {
  deployments: [
    deployment('ecs-svc/3', OLD, {
      rolloutState: 'IN_PROGRESS',
      rolloutStateReason: 'circuit breaker: rolling back to deploymentId ecs-svc/1.',
    }),
  ],
};
const classic = (given: Partial<EcsService>): Partial<EcsService> => ({
  ...given,
  deployments: (given.deployments ?? []).map(({ rolloutState: _, ...rest }) => rest),
});

describe('a deployment', () => {
  const rows = [
    { name: 'of another image is started', from: situation(TAGGED), wish: {}, kind: 'deploy' },
    { name: 'of the image by digest that runs is not needed', from: situation(PINNED), wish: {}, kind: 'unchanged' },
    { name: 'of a tag that runs is made again', from: situation(TAGGED), wish: { images: TAGGED }, kind: 'restart' },
    {
      name: 'of a tag that this workflow run has deployed is not needed',
      from: situation(TAGGED, { tags: journal('done', '100/1') }),
      wish: { images: TAGGED },
      kind: 'unchanged',
    },
    {
      name: 'of a tag that another run has deployed is made again',
      from: situation(TAGGED, { tags: journal('done', '99/1') }),
      wish: { images: TAGGED },
      kind: 'restart',
    },
    {
      name: 'of a tag that another release of this run has deployed is made again',
      from: situation(TAGGED, { tags: journal('done', '100/1', 'r-0') }),
      wish: { images: TAGGED },
      kind: 'restart',
    },
    {
      name: 'of a tag by a writer of another schema is made again',
      from: situation(TAGGED, { tags: { ...journal('done', '100/1'), 'sluice:schema': '2' } }),
      wish: { images: TAGGED },
      kind: 'restart',
    },
    {
      name: 'of a revision that failed is made again',
      from: situation(PINNED, { deployments: [deployment('ecs-svc/1', OLD, { rolloutState: 'FAILED' })] }),
      wish: {},
      kind: 'restart',
    },
    {
      name: 'under other settings of the service is made again, for its tasks keep what they began with',
      from: situation(PINNED, { settings: { propagateTags: 'NONE' } }),
      wish: { settings: { propagateTags: 'SERVICE' as const } },
      kind: 'restart',
    },
    {
      name: 'under the settings that the service has is left alone',
      from: situation(PINNED, { settings: { propagateTags: 'SERVICE' } }),
      wish: { settings: { propagateTags: 'SERVICE' as const } },
      kind: 'unchanged',
    },
    {
      name: 'in flight under other settings is a conflict',
      from: situation(PINNED, moving),
      wish: { settings: { managedTags: true } },
      kind: 'conflict',
    },
    {
      name: 'with a volume that the definition does not wait for is refused',
      from: situation(PINNED),
      wish: { settings: { volumes: [{ name: 'data', managedEBSVolume: {} }] } },
      kind: 'refuse',
    },
    {
      name: 'with another role is a new revision',
      from: situation(PINNED),
      wish: { roles: { task: 'r' } },
      kind: 'deploy',
    },
    { name: 'of another count alone is a scaling', from: situation(PINNED), wish: { desired: 0 }, kind: 'scale' },
    {
      name: 'of what is not steady yet is waited for',
      from: situation(PINNED, { running: 2 }),
      wish: {},
      kind: 'settle',
    },
    { name: 'in flight with the same image is followed', from: situation(PINNED, moving), wish: {}, kind: 'attach' },
    { name: 'in flight with another image is a conflict', from: situation(TAGGED, moving), wish: {}, kind: 'conflict' },
    {
      name: 'is a conflict with a roll back, even to the same image',
      from: situation(PINNED, goingBack),
      wish: {},
      kind: 'conflict',
    },
    {
      name: "is a conflict with a roll back that only ECS's record shows",
      from: situation(PINNED, moving, { arn: 'arn:sd', status: 'ROLLBACK_IN_PROGRESS' }),
      wish: {},
      kind: 'conflict',
    },
    {
      name: 'behind a Classic Load Balancer is in flight while two are listed',
      from: situation(
        TAGGED,
        classic({ deployments: [deployment('b', NEW), deployment('a', OLD, { status: 'ACTIVE' })] }),
      ),
      wish: {},
      kind: 'conflict',
    },
    {
      name: 'behind a Classic Load Balancer is not in flight with one',
      from: situation(TAGGED, classic({ deployments: [deployment('a', OLD)] })),
      wish: {},
      kind: 'deploy',
    },
  ];
  test.each(rows)('$name', ({ from, wish: given, kind }) => {
    expect(decideStart(from, wish(given)).kind).toBe(kind);
  });

  test.each([
    { name: 'that this release left behind is ours to wait for', release: 'r-1', byUs: true },
    { name: 'of another release is not', release: 'r-0', byUs: false },
  ])('in flight $name', ({ release, byUs }) => {
    expect(
      decideStart(situation(TAGGED, { ...moving, tags: journal('rolling-back', '100/1', release) }), wish()),
    ).toMatchObject({ kind: 'conflict', byUs });
  });
});

describe('a deployment that is in flight', () => {
  const left = { ...journal('failed', '99/1', 'r-0'), 'sluice:failed-deployment': 'ecs-svc/2' };
  const rows: readonly { name: string; given: Partial<EcsService>; record?: string; image?: string; kind: string }[] = [
    { name: 'and was left as failed is replaced', given: { tags: left }, kind: 'deploy' },
    {
      name: 'and was left as failed is replaced, by its record too',
      given: { tags: left },
      record: 'IN_PROGRESS',
      kind: 'deploy',
    },
    { name: 'is followed by its own image', given: { tags: left }, image: PINNED, kind: 'attach' },
    { name: 'and being stopped has an end', given: { tags: left }, record: 'STOP_REQUESTED', kind: 'conflict' },
    { name: 'and going back has an end', given: { tags: left }, record: 'ROLLBACK_IN_PROGRESS', kind: 'conflict' },
    {
      name: 'came after the one that was left as failed',
      given: { tags: { ...left, 'sluice:failed-deployment': 'ecs-svc/1' } },
      kind: 'conflict',
    },
    {
      name: 'is not known to be the one that failed',
      given: { tags: journal('failed', '99/1', 'r-0') },
      kind: 'conflict',
    },
    {
      name: 'is the next one of the tags',
      given: { tags: { ...left, 'sluice:phase': 'deploying' } },
      kind: 'conflict',
    },
    { name: 'moves traffic', given: { tags: left, strategy: 'BLUE_GREEN' }, kind: 'conflict' },
  ];
  test.each(rows)('$name', ({ given, record, image = TAGGED, kind }) => {
    const from = situation(
      image,
      { ...moving, ...given },
      record === undefined ? undefined : { arn: 'arn:sd', status: record },
    );
    expect(decideStart(from, wish()).kind).toBe(kind);
  });

  test('is told with whose it is, since when, and what failed', () => {
    const createdAt = instant(Date.UTC(2026, 0, 2, 3, 4, 5));
    const deployments = [deployment('ecs-svc/2', OLD, { rolloutState: 'IN_PROGRESS', createdAt, failed: 4 })];
    const from = situation(TAGGED, { deployments, tags: journal('deploying', '99/1', 'r-0') });
    expect(decideStart(from, wish())).toMatchObject({
      kind: 'conflict',
      with: 'the deployment of web:7',
      whose:
        'since 2026-01-02T03:04:05Z, 4 tasks failed, the tags of the service name release r-0 of run 99/1, deploying',
    });
  });
});

describe('the revision to go back to', () => {
  const record = (taskDefinition: string | undefined, status = 'SUCCESSFUL'): ServiceDeployment => ({
    arn: 'arn:sd',
    status,
    ...(taskDefinition === undefined ? {} : { taskDefinition }),
  });
  const rows = [
    { name: 'is the newest successful one', records: [record(OTHER), record(OLD)], ours: NEW, good: OTHER },
    { name: 'is never the one that is undone', records: [record(NEW), record(OTHER)], ours: NEW, good: OTHER },
    {
      name: 'is not one that only ended',
      records: [record(OTHER, 'STOPPED'), record(OTHER, 'ROLLBACK_SUCCESSFUL')],
      ours: NEW,
      good: OLD,
    },
    { name: 'is not one whose revision may not be read', records: [record(undefined)], ours: NEW, good: OLD },
    { name: 'is the complete one that runs when there is no record', records: [], ours: NEW, good: OLD },
    {
      name: 'may be the same revision, when that is what is deployed again',
      records: [record(OLD)],
      ours: undefined,
      good: OLD,
    },
  ];
  test.each(rows)('$name', ({ records, ours, good }) => {
    expect(lastGood(service(), records, ours)).toBe(good);
  });

  test('does not exist when nothing was ever complete', () => {
    expect(lastGood(service({ deployments: [deployment('a', OLD, { rolloutState: 'FAILED' })] }), [])).toBeUndefined();
  });
});
