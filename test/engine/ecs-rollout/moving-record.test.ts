import { describe, expect, test } from '@jest/globals';
import { after, minutes, seconds } from '../../../src/domain/duration.ts';
import { deployImage } from '../../../src/engine/ecs-rollout/deploy-image.ts';
import { planGoBack } from '../../../src/engine/ecs-rollout/go-back.ts';
import { readScalable } from '../../../src/engine/ecs-rollout/scale-service.ts';
import type { Ecs } from '../../../src/ports/ecs.ts';
import { IMAGES, REF, stage } from './stage.ts';

const signal = new AbortController().signal;

/** Alarms still judge the release of somebody else, whose tasks are steady: the list says COMPLETED, ECS's record does not. */
async function judged() {
  const scene = stage({ extra: { alarms: { names: ['5xx'], rollback: true } } });
  const { ecs, clock } = scene;
  ecs.elsewhere(REF, IMAGES.other);
  clock.advance(minutes(1));
  const until = after(clock.now(), seconds(90));
  const { currentServiceDeployment: record } = ecs.serviceOf(REF);
  const judging: Ecs = {
    ...ecs,
    async describeServiceDeployments(arns, inner, need) {
      const found = await ecs.describeServiceDeployments(arns, inner, need);
      return found.map((each) =>
        each.arn === record && clock.now() < until ? { ...each, status: 'IN_PROGRESS' } : each,
      );
    },
  };
  expect(ecs.serviceOf(REF).deployments).toMatchObject([{ rolloutState: 'COMPLETED' }]);
  return { ...scene, tools: { ...scene, ecs: judging }, until };
}

describe('a deployment that only its record shows to be in flight', () => {
  test('is waited for before another one begins, with pauses between the looks', async () => {
    const { ecs, clock, request, tools, until } = await judged();
    const before = ecs.calls.length;
    const result = await deployImage(request({ onConflict: 'wait' }), tools, signal);
    expect(result.outcome).toBe('succeeded');
    expect(clock.now()).toBeGreaterThan(until);
    expect(ecs.calls.slice(before).filter((call) => call === 'describeServices').length).toBeLessThan(40);
  });

  test('is in the way of a count', async () => {
    const { clock, tools } = await judged();
    await expect(readScalable({ ref: REF, deadline: clock.now(), onConflict: 'fail' }, tools, signal)).rejects.toThrow(
      'is in flight',
    );
  });

  test('is stopped by a roll back, and not overtaken by an update', async () => {
    const { tools } = await judged();
    const { decision } = await planGoBack({ ref: REF, run: '200/1' }, tools, signal);
    expect(decision.kind).toBe('stop');
  });
});
