import { describe, expect, test } from '@jest/globals';
import type { Duration } from '../../src/domain/duration.ts';
import { seconds } from '../../src/domain/duration.ts';
import { toRegistrable, withImages } from '../../src/domain/ecs/task-definition.ts';
import { CloudFailure } from '../../src/domain/retry-policy.ts';
import type { Ecs, EcsService, EcsServiceRef, ServiceDeployment } from '../../src/ports/ecs.ts';

/** A world with one steady service of two tasks whose circuit breaker rolls back, and nothing else going on. */
export interface EcsWorld {
  readonly ecs: Ecs;
  readonly ref: EcsServiceRef;
  readonly container: string;
  readonly images: { readonly first: string; readonly good: string; readonly crash: string };
  pass(length: Duration): Promise<void>;
  close(): Promise<void>;
}

const signal = new AbortController().signal;

/** What every Ecs must do, over the wire or in memory. */
export function ecsContract(name: string, open: () => Promise<EcsWorld>): void {
  const inWorld = (run: (world: EcsWorld) => Promise<void>) => async () => {
    const world = await open();
    try {
      await run(world);
    } finally {
      await world.close();
    }
  };

  describe(`ECS as ${name}`, () => {
    test(
      'shows a steady service with one complete PRIMARY deployment',
      inWorld(async ({ ecs, ref }) => {
        const service = await read(ecs, ref);
        expect(service).toMatchObject({
          ref,
          status: 'ACTIVE',
          desired: 2,
          running: 2,
          pending: 0,
          circuitBreaker: { enable: true, rollback: true },
        });
        expect(service.deployments).toEqual([
          expect.objectContaining({
            status: 'PRIMARY',
            rolloutState: 'COMPLETED',
            running: 2,
            failed: 0,
            taskDefinition: service.taskDefinition,
          }),
        ]);
      }),
    );

    test(
      'names the service and the cluster that it cannot find',
      inWorld(async ({ ecs, ref }) => {
        await expect(ecs.describeServices([{ ...ref, service: 'nobody' }], signal)).rejects.toMatchObject({
          kind: 'not-found',
          message: expect.stringContaining(`ECS service nobody in cluster ${ref.cluster}`),
        });
      }),
    );

    test(
      'registers a new revision that differs by its image alone',
      inWorld(async (world) => {
        const { ecs, ref, images } = world;
        const before = await ecs.describeTaskDefinition((await read(ecs, ref)).taskDefinition, signal);
        const arn = await register(world, images.good);
        const after = await ecs.describeTaskDefinition(arn, signal);
        expect(after.family).toBe(before.family);
        expect(after.arn).not.toBe(before.arn);
        expect(toRegistrable(after.body, {}).body).toEqual(
          toRegistrable(withImages(before.body, { [world.container]: images.good }, before.family).body, {}).body,
        );
        expect((await ecs.describeTaskDefinition(before.family, signal)).arn).toBe(arn);
      }),
    );

    test(
      'keeps the tags of a revision and of a service',
      inWorld(async (world) => {
        const { ecs, ref } = world;
        const arn = await register(world, world.images.good, { team: 'web' });
        expect((await ecs.describeTaskDefinition(arn, signal)).tags).toEqual({ team: 'web' });
        const { arn: service } = await read(ecs, ref);
        await ecs.tagService(service, { 'sluice:phase': 'done', 'sluice:run': '1/1' }, signal);
        await ecs.tagService(service, { 'sluice:phase': 'failed', 'sluice:empty': '' }, signal);
        await ecs.untagService(service, ['sluice:run'], signal);
        const { tags } = await read(ecs, ref);
        expect(tags).toMatchObject({ 'sluice:phase': 'failed', 'sluice:empty': '' });
        expect(tags).not.toHaveProperty('sluice:run');
      }),
    );

    test(
      'lists the ACTIVE revisions of a family, newest first, and those in use',
      inWorld(async (world) => {
        const { ecs, ref, images } = world;
        const { taskDefinition: first } = await read(ecs, ref);
        const { family } = await ecs.describeTaskDefinition(first, signal);
        const second = await register(world, images.good);
        const third = await register(world, images.crash);
        expect(await ecs.listRevisions(family, signal)).toEqual([third, second, first]);
        expect(await ecs.revisionsInUse(family, signal)).toEqual(new Set([first]));
        await ecs.updateService(ref, { taskDefinition: second }, signal);
        expect(await ecs.revisionsInUse(family, signal)).toEqual(new Set([first, second]));
        expect(await ecs.listRevisions(family.slice(0, -1), signal)).toEqual([]);
      }),
    );

    test(
      'deregisters a revision once and for all: it is INACTIVE, not listed, not deployed, and the next one gets a new number',
      inWorld(async (world) => {
        const { ecs, ref, images } = world;
        const arn = await register(world, images.good);
        await ecs.deregisterTaskDefinition(arn, signal);
        await ecs.deregisterTaskDefinition(arn, signal);
        const { family, status } = await ecs.describeTaskDefinition(arn, signal);
        expect(status).toBe('INACTIVE');
        expect(await ecs.listRevisions(family, signal)).not.toContain(arn);
        await expect(ecs.updateService(ref, { taskDefinition: arn }, signal)).rejects.toMatchObject({
          kind: 'invalid',
          message: expect.stringContaining('inactive'),
        });
        expect(await register(world, images.good)).not.toBe(arn);
      }),
    );

    test(
      'refuses a revision that does not exist',
      inWorld(async ({ ecs }) => {
        await expect(ecs.describeTaskDefinition('nobody:99', signal)).rejects.toBeInstanceOf(CloudFailure);
      }),
    );

    test(
      'answers an update with the new PRIMARY deployment, and ends it successful',
      inWorld(async (world) => {
        const { ecs, ref, images } = world;
        const before = await read(ecs, ref);
        const arn = await register(world, images.good);
        const answer = await ecs.updateService(ref, { taskDefinition: arn }, signal);
        const ours = answer.deployments.find(({ status }) => status === 'PRIMARY');
        expect(ours).toMatchObject({ taskDefinition: arn, rolloutState: 'IN_PROGRESS' });
        expect(before.deployments.map(({ id }) => id)).not.toContain(ours?.id);
        const record = await until(world, async () => {
          const { currentServiceDeployment: named } = await read(ecs, ref);
          const [found] = named === undefined ? [] : await ecs.describeServiceDeployments([named], signal);
          return found?.taskDefinition === arn && found.status === 'SUCCESSFUL' ? found : undefined;
        });
        const done = await read(ecs, ref);
        expect(done.deployments).toEqual([
          expect.objectContaining({ id: ours?.id, rolloutState: 'COMPLETED', running: 2 }),
        ]);
        expect(done.events[0]?.message).toContain('steady state');
        const [newest, ...older] = await ecs.listServiceDeployments(ref, signal, { status: 'SUCCESSFUL' });
        expect(newest).toMatchObject({ arn: record.arn, status: 'SUCCESSFUL', taskDefinition: arn });
        expect(older.map(({ taskDefinition }) => taskDefinition)).toContain(before.taskDefinition);
      }),
    );

    test(
      'starts no deployment when only the desired count changes',
      inWorld(async (world) => {
        const { ecs, ref } = world;
        const [before] = (await read(ecs, ref)).deployments;
        const answer = await ecs.updateService(ref, { desired: 1 }, signal);
        expect(answer.deployments.map(({ id }) => id)).toEqual([before?.id]);
        const service = await until(world, async () =>
          readWhen(ecs, ref, ({ running, desired }) => running === 1 && desired === 1),
        );
        expect(service.deployments).toEqual([expect.objectContaining({ id: before?.id, rolloutState: 'COMPLETED' })]);
      }),
    );

    test(
      'starts a deployment of the same revision when it is forced',
      inWorld(async ({ ecs, ref }) => {
        const before = await read(ecs, ref);
        const answer = await ecs.updateService(
          ref,
          { taskDefinition: before.taskDefinition, forceNewDeployment: true },
          signal,
        );
        const ours = answer.deployments.find(({ status }) => status === 'PRIMARY');
        expect(ours).toMatchObject({ taskDefinition: before.taskDefinition });
        expect(ours?.id).not.toBe(before.deployments[0]?.id);
      }),
    );

    test(
      'rolls a crashing revision back by itself and keeps its stopped tasks',
      inWorld(async (world) => {
        const { ecs, ref, images } = world;
        const before = await read(ecs, ref);
        const arn = await register(world, images.crash);
        const answer = await ecs.updateService(ref, { taskDefinition: arn }, signal);
        const ours = answer.deployments.find(({ status }) => status === 'PRIMARY');
        const record = await until(world, async () => recordOf(world, arn, 'ROLLBACK_SUCCESSFUL'));
        expect(record.statusReason).toContain('circuit breaker');
        const back = await until(world, async () =>
          readWhen(
            ecs,
            ref,
            ({ deployments }) => deployments.length === 1 && deployments[0]?.rolloutState === 'COMPLETED',
          ),
        );
        expect(back.taskDefinition).toBe(before.taskDefinition);
        const stopped = (await ecs.stoppedTasks(ref, signal)).filter(({ startedBy }) => startedBy === ours?.id);
        expect(stopped.length).toBeGreaterThanOrEqual(3);
        expect(stopped[0]).toMatchObject({
          stopCode: 'EssentialContainerExited',
          containers: [expect.objectContaining({ exitCode: expect.any(Number) })],
        });
      }),
    );

    test(
      'goes back when a deployment in progress is stopped',
      inWorld(async (world) => {
        const { ecs, ref } = world;
        const before = await read(ecs, ref);
        const arn = await register(world, world.images.good);
        await ecs.updateService(ref, { taskDefinition: arn }, signal);
        const running = await until(world, async () => recordOf(world, arn, 'IN_PROGRESS'), seconds(1));
        await ecs.stopServiceDeployment(running.arn, 'ROLLBACK', signal);
        await until(world, async () => recordOf(world, arn, 'ROLLBACK_SUCCESSFUL'));
        const back = await until(world, async () =>
          readWhen(ecs, ref, ({ deployments }) => deployments[0]?.rolloutState === 'COMPLETED'),
        );
        expect(back.taskDefinition).toBe(before.taskDefinition);
      }),
    );

    test(
      'refuses to stop a deployment that ended',
      inWorld(async ({ ecs, ref }) => {
        const [done] = await ecs.listServiceDeployments(ref, signal);
        await expect(ecs.stopServiceDeployment(done?.arn ?? '', 'ROLLBACK', signal)).rejects.toBeInstanceOf(
          CloudFailure,
        );
      }),
    );

    test(
      'knows nothing of a deployment that never was, and tells of the others beside it',
      inWorld(async ({ ecs, ref }) => {
        const [done] = await ecs.listServiceDeployments(ref, signal);
        const known = done?.arn ?? '';
        const asked = [`${known.slice(0, -4)}none`, known];
        const found = await ecs.describeServiceDeployments(asked, signal);
        expect(found.map(({ arn }) => arn)).toEqual([known]);
        expect(found[0]).toMatchObject({ status: 'SUCCESSFUL', taskDefinition: done?.taskDefinition });
      }),
    );

    test(
      'shows where the running tasks of one deployment are, and none of another one',
      inWorld(async (world) => {
        const { ecs, ref } = world;
        const primaryOf = async (): Promise<string> =>
          (await read(ecs, ref)).deployments.find(({ status }) => status === 'PRIMARY')?.id ?? '';
        const first = await primaryOf();
        const before = await ecs.placesOf(ref, first, signal);
        expect(new Set(before.map((place) => JSON.stringify(place))).size).toBe(2);
        expect(await ecs.placesOf(ref, 'ecs-svc/0', signal)).toEqual([]);
        const arn = await register(world, world.images.good);
        await ecs.updateService(ref, { taskDefinition: arn }, signal);
        const second = await primaryOf();
        expect(second).not.toBe(first);
        expect(await ecs.placesOf(ref, first, signal)).toHaveLength(2);
        const after = await until(world, async () => {
          const places = await ecs.placesOf(ref, second, signal);
          return places.length === 2 ? places : undefined;
        });
        for (const place of before) expect(after).not.toContainEqual(place);
      }),
    );

    test(
      'makes no call for a signal that is aborted',
      inWorld(async ({ ecs, ref }) => {
        const reason = new Error('stop');
        await expect(ecs.describeServices([ref], AbortSignal.abort(reason))).rejects.toBe(reason);
      }),
    );
  });
}

async function read(ecs: Ecs, ref: EcsServiceRef): Promise<EcsService> {
  const [service] = await ecs.describeServices([ref], signal);
  expect(service).toBeDefined();
  return service as EcsService;
}

async function readWhen(
  ecs: Ecs,
  ref: EcsServiceRef,
  holds: (service: EcsService) => boolean,
): Promise<EcsService | undefined> {
  const service = await read(ecs, ref);
  return holds(service) ? service : undefined;
}

async function recordOf(
  { ecs, ref }: EcsWorld,
  taskDefinition: string,
  status: string,
): Promise<ServiceDeployment | undefined> {
  const listed = await ecs.listServiceDeployments(ref, signal);
  return listed.find((record) => record.taskDefinition === taskDefinition && record.status === status);
}

async function register(
  { ecs, ref, container }: EcsWorld,
  image: string,
  tags: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { taskDefinition } = await read(ecs, ref);
  const current = await ecs.describeTaskDefinition(taskDefinition, signal);
  const { body } = withImages(current.body, { [container]: image }, current.family);
  return (await ecs.registerTaskDefinition(toRegistrable(body, {}).body, tags, signal)).arn;
}

async function until<T>(world: EcsWorld, look: () => Promise<T | undefined>, every: Duration = seconds(2)): Promise<T> {
  for (let looks = 0; looks < 120; looks++) {
    const seen = await look();
    if (seen !== undefined) return seen;
    await world.pass(every);
  }
  throw new Error('not seen in 120 looks');
}
