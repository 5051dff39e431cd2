import { describe, expect, test } from '@jest/globals';
import { seconds } from '../../../src/domain/duration.ts';
import { clockTogether, ecsTogether } from '../../../src/engine/ecs-rollout/together.ts';
import type { Ecs } from '../../../src/ports/ecs.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { IMAGES, stage } from './stage.ts';

const signal = new AbortController().signal;

/** Twelve services of one cluster, and the record that each has. */
async function twelve() {
  const scene = stage();
  const { ecs, clock } = scene;
  const refs = Array.from({ length: 12 }, (_, index) => ({ cluster: 'shop', service: `s${index}` }));
  for (const ref of refs) ecs.addService({ ref, image: IMAGES.first });
  const records = refs.map((ref) => ecs.serviceOf(ref).currentServiceDeployment ?? '');
  const before = ecs.calls.length;
  return { ecs, refs, records, shared: ecsTogether(ecs, clock, signal), calls: () => ecs.calls.slice(before) };
}

const names = (calls: readonly string[]): readonly string[] => calls.map((call) => call.split(' ')[0] ?? '');

describe('rollouts that are followed together', () => {
  test('read ten services in one call, and twenty records', async () => {
    const { refs, records, shared, calls } = await twelve();
    const seen = await Promise.all(refs.map((ref) => shared.describeServices([ref], signal)));
    const read = await Promise.all(records.map((arn) => shared.describeServiceDeployments([arn], signal)));
    expect(seen.map(([service]) => service?.ref.service)).toEqual(refs.map(({ service }) => service));
    expect(read.map(([record]) => record?.arn)).toEqual(records);
    expect(names(calls())).toEqual(['describeServices', 'describeServices', 'describeServiceDeployments']);
  });

  test('do not share the reading of records that one may and another must be allowed to make', async () => {
    const { ecs, records, shared } = await twelve();
    const needs: (string | undefined)[] = [];
    const { describeServiceDeployments } = ecs;
    const watched: Ecs = {
      ...ecs,
      describeServiceDeployments(arns, inner, need) {
        needs.push(need);
        return describeServiceDeployments(arns, inner, need);
      },
    };
    const one = ecsTogether(watched, stage().clock, signal);
    await Promise.all([
      one.describeServiceDeployments([records[0] ?? ''], signal),
      one.describeServiceDeployments([records[1] ?? ''], signal, 'must'),
    ]);
    expect(needs.sort()).toEqual(['may', 'must']);
    expect(await shared.describeServiceDeployments([records[0] ?? ''], signal)).toHaveLength(1);
  });

  test('are told of their own error alone where one of them asks for what ECS refuses', async () => {
    const { refs, ecs, shared } = await twelve();
    ecs.fail('describeServices', 'not-found', 1);
    const asked = [...refs.slice(0, 2), { cluster: 'shop', service: 'nobody' }];
    const answers = await Promise.allSettled(asked.map((ref) => shared.describeServices([ref], signal)));
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  });

  test("all learn of an error that is nobody's own, from one call", async () => {
    const { ecs, records, shared, calls } = await twelve();
    ecs.fail('describeServiceDeployments', 'throttled', 1);
    const answers = await Promise.allSettled(records.map((arn) => shared.describeServiceDeployments([arn], signal)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(['rejected']));
    expect(names(calls())).toEqual(['describeServiceDeployments']);
  });

  test('leave without an answer when their own signal is aborted', async () => {
    const { refs, shared } = await twelve();
    const reason = new Error('stop');
    await expect(shared.describeServices(refs.slice(0, 1), AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

describe('the beat of rollouts that are followed together', () => {
  /** How long each of them slept on the clock below, by the order in which they lay down. */
  async function sleeps(lengths: readonly number[]): Promise<readonly number[]> {
    const { clock } = stage();
    const slept: number[] = [];
    const counting: Clock = {
      ...clock,
      sleep(length, own) {
        slept.push(length / 1_000);
        return clock.sleep(length, own);
      },
    };
    const shared = clockTogether(counting, signal);
    await Promise.all(lengths.map((length) => shared.sleep(seconds(length), signal)));
    return slept;
  }

  test.each([
    { name: 'a longer wait joins a shorter one', lengths: [5, 5.3], slept: [5] },
    { name: 'a wait that is a little shorter joins too', lengths: [5.15, 4.9], slept: [5.15] },
    { name: 'one that is much shorter does not', lengths: [10, 5], slept: [10, 5] },
    { name: 'nor does one that would wake far too early', lengths: [3, 10], slept: [3, 10] },
    { name: "a pause of one call is nobody else's", lengths: [1, 1], slept: [1, 1] },
  ])('$name', async ({ lengths, slept }) => {
    expect(await sleeps(lengths)).toEqual(slept);
  });
});
