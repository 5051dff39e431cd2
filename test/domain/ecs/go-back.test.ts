import { describe, expect, test } from '@jest/globals';
import { instant } from '../../../src/domain/duration.ts';
import { decideGoBack } from '../../../src/domain/ecs/go-back.ts';
import { toTags } from '../../../src/domain/ecs/journal.ts';
import { releaseStack } from '../../../src/domain/ecs/release-history.ts';
import type { EcsDeployment, EcsService, ServiceDeployment } from '../../../src/domain/ecs/service.ts';

const td = (revision: number): string => `arn:aws:ecs:us-west-2:111122223333:task-definition/web:${revision}`;
/** Oldest first, as it happened; ECS lists the newest first. */
const history = (...revisions: readonly number[]): readonly ServiceDeployment[] =>
  revisions
    .map((revision, index) => ({
      arn: `arn:sd/${index}`,
      status: 'SUCCESSFUL',
      taskDefinition: td(revision),
      createdAt: instant(index),
    }))
    .toReversed();

describe('the releases that a person steps back through', () => {
  const rows = [
    { name: 'one after the other', happened: [1, 2, 3], stack: [1, 2, 3] },
    { name: 'a roll back takes the bad one off', happened: [1, 2, 3, 2], stack: [1, 2] },
    { name: 'a roll back over several', happened: [1, 2, 3, 1], stack: [1] },
    { name: 'a release after a roll back', happened: [1, 2, 1, 3], stack: [1, 3] },
    { name: 'the bad one deployed again on purpose', happened: [1, 2, 1, 2], stack: [1, 2] },
    { name: 'the same revision forced', happened: [1, 2, 2], stack: [1, 2] },
    { name: 'none', happened: [], stack: [] },
  ];
  test.each(rows)('$name', ({ happened, stack }) => {
    expect(releaseStack(history(...happened))).toEqual(stack.map(td));
  });

  test('know only deployments that were successful', () => {
    const failed: ServiceDeployment = { arn: 'x', status: 'ROLLBACK_SUCCESSFUL', taskDefinition: td(9) };
    expect(releaseStack([failed, ...history(1)])).toEqual([td(1)]);
  });
});

const primary = (revision: number, given: Partial<EcsDeployment> = {}): EcsDeployment => ({
  id: `ecs-svc/${revision}`,
  status: 'PRIMARY',
  taskDefinition: td(revision),
  desired: 3,
  running: 3,
  pending: 0,
  failed: 0,
  rolloutState: 'COMPLETED',
  ...given,
});
const service = (deployment: EcsDeployment, given: Partial<EcsService> = {}): EcsService => ({
  arn: 'arn:svc',
  ref: { cluster: 'shop', service: 'web' },
  status: 'ACTIVE',
  taskDefinition: deployment.taskDefinition,
  desired: 3,
  running: 3,
  pending: 0,
  deployments: [deployment],
  events: [],
  loadBalancers: [],
  tags: {},
  ...given,
});
const moving = { rolloutState: 'IN_PROGRESS' } as const;
const goingBack: ServiceDeployment = { arn: 'sd', status: 'ROLLBACK_IN_PROGRESS' };
const journal = (phase: 'rolled-back' | 'rolling-back' | 'done', run: string, previous?: number, release = 'r') => ({
  tags: toTags({
    phase,
    release,
    run,
    ...(previous === undefined ? {} : { previousTaskDefinition: td(previous) }),
  }),
});

describe('a roll back on demand', () => {
  const rows = [
    { name: 'leads to the release before', now: primary(2), past: [1, 2], move: { kind: 'deploy', to: td(1) } },
    {
      name: 'a second time leads one release further, not to the bad one',
      now: primary(2),
      past: [1, 2, 3, 2],
      move: { kind: 'deploy', to: td(1) },
    },
    {
      name: 'from a revision that failed leads to the last good one',
      now: primary(3, { rolloutState: 'FAILED' }),
      past: [1, 2],
      move: { kind: 'deploy', to: td(2) },
    },
    {
      name: 'stops a release in flight',
      now: primary(3, moving),
      past: [1, 2],
      move: { kind: 'stop', deployment: { id: 'ecs-svc/3' } },
    },
    {
      name: 'stops the same revision that is forced again',
      now: primary(2, moving),
      past: [1, 2],
      move: { kind: 'stop' },
    },
    {
      name: 'follows a way back that a lost run began',
      now: primary(1, moving),
      past: [1, 2],
      move: { kind: 'follow', deployment: { id: 'ecs-svc/1' } },
    },
    { name: 'follows the one of ECS', now: primary(2, moving), past: [2], record: goingBack, move: { kind: 'follow' } },
    {
      name: 'to a named revision deploys that',
      now: primary(2),
      past: [1, 2],
      wish: { to: td(7) },
      move: { kind: 'deploy', to: td(7) },
    },
    {
      name: 'to a named revision supersedes a release in flight',
      now: primary(3, moving),
      past: [1, 2],
      wish: { to: td(1) },
      move: { kind: 'deploy', to: td(1) },
    },
    {
      name: 'to a named revision lets ECS end its own way back first',
      now: primary(2, moving),
      past: [1, 2],
      record: goingBack,
      wish: { to: td(1) },
      move: { kind: 'wait', for: 'a roll back to web:2' },
    },
    {
      name: 'to the revision that runs has nothing to do',
      now: primary(2),
      past: [1, 2],
      wish: { to: td(2) },
      move: { kind: 'unchanged', why: '3 of 3 tasks run web:2 already' },
    },
    {
      name: 'to the revision that failed deploys it again',
      now: primary(2, { rolloutState: 'FAILED' }),
      past: [1],
      wish: { to: td(2) },
      move: { kind: 'deploy', to: td(2) },
    },
    {
      name: 'repeated by the same run is one step',
      now: primary(1),
      past: [0, 1, 2, 1],
      tags: journal('rolled-back', '100/1'),
      move: { kind: 'unchanged', why: 'this run went back already: 3 of 3 tasks run web:1' },
    },
    {
      name: 'repeated after a run that died before its update is made',
      now: primary(2),
      past: [1, 2],
      tags: journal('rolling-back', '100/1', undefined, 'back to web:1'),
      move: { kind: 'deploy', to: td(1) },
    },
    {
      name: 'repeated after a run that died after its update is one step',
      now: primary(1),
      past: [0, 1, 2, 1],
      tags: journal('rolling-back', '100/1', undefined, 'back to web:1'),
      move: { kind: 'unchanged' },
    },
    {
      name: 'repeated after a run that died when it had stopped a release is one step',
      now: primary(2),
      past: [1, 2],
      tags: journal('rolling-back', '100/1', undefined, 'back from web:3'),
      move: { kind: 'unchanged' },
    },
    {
      name: 'is not decided from a read that is older than the record',
      now: primary(1),
      past: [1, 2],
      move: { kind: 'look-again', why: expect.stringContaining('web:2 as the last successful deployment') },
    },
    {
      name: 'by another run is another step',
      now: primary(1),
      past: [0, 1, 2, 1],
      tags: journal('rolled-back', '99/1'),
      move: { kind: 'deploy', to: td(0) },
    },
    {
      name: 'without a record takes what the tags noted',
      now: primary(2),
      past: [],
      tags: journal('done', '99/1', 1),
      move: { kind: 'deploy', to: td(1) },
    },
    {
      name: 'from the first release is refused',
      now: primary(1),
      past: [1],
      move: { kind: 'refuse', facts: { next: 'Name a revision by the input to' } },
    },
    {
      name: 'of a service of CodeDeploy is refused',
      now: primary(2),
      past: [1, 2],
      tags: { controller: 'CODE_DEPLOY' },
      move: { kind: 'refuse', facts: { what: 'Could not roll back ECS service web in cluster shop' } },
    },
  ];
  test.each(rows)('$name', ({ now, past, record, wish, tags, move }) => {
    const situation = {
      service: service(now, tags),
      successful: history(...past),
      ...(record === undefined ? {} : { serviceDeployment: record }),
    };
    expect(decideGoBack(situation, { run: '100/2', ...wish })).toMatchObject(move);
  });
});

describe('a roll back after a release that changed volumes alone', () => {
  const volume = (snapshotId: string) => [{ name: 'data', managedEBSVolume: { roleArn: 'arn:role', snapshotId } }];
  const [last, before, first] = history(4, 5, 5) as [ServiceDeployment, ServiceDeployment, ServiceDeployment];
  const past = (now: string) => [
    { ...last, volumes: volume(now) },
    { ...before, volumes: volume('snap-good') },
    { ...first, volumes: volume('snap-good') },
  ];
  const decide = (successful: readonly ServiceDeployment[], to?: string) =>
    decideGoBack({ service: service(primary(5)), successful }, { run: '9/1', ...(to === undefined ? {} : { to }) });

  test('is refused: one release back would be older software, and not those volumes', () => {
    expect(decide(past('snap-bad'))).toMatchObject({
      kind: 'refuse',
      facts: {
        why: 'the last release changed its volumes and left web:5; web:4 is older software, and not the volumes of before',
        next: 'Take the volumes back by mode: deploy with service-settings as they were, or name the software by to: web:4',
      },
    });
  });

  test('goes on where the volumes of before are back already: the release of volumes was taken back', () => {
    const taken = [{ ...last, volumes: volume('snap-good') }, ...past('snap-bad')];
    expect(decide(taken)).toEqual({ kind: 'deploy', to: td(4) });
  });

  test('goes on where a revision is named, where the volumes are the same, and where they are not known', () => {
    const back = { kind: 'deploy', to: td(4) };
    expect(decide(past('snap-bad'), td(4))).toEqual(back);
    expect(decide(past('snap-good'))).toEqual(back);
    expect(decide([last, ...past('snap-bad').slice(1)])).toEqual(back);
  });
});
