import { describe, expect, test } from '@jest/globals';
import { after, minutes, seconds } from '../../../src/domain/duration.ts';
import type { Hook } from '../../../src/domain/shift/hooks.ts';
import { recordOf } from '../../domain/shift/records.ts';
import { type Stage, openStage } from './stage.ts';

// A run that takes somebody's abandoned shift back, and then begins its own in the same process.

const MINE = { me: { id: '200', attempt: 1 }, shiftId: '200-1', images: 'b2' } as const;
const LATER = 'r.example.com/web:good-3';

/** Targets are told by name, as a load balancer tells them; every deployment has new ones. */
function withMembers(stage: Stage): void {
  const { health } = stage.router.targets;
  Object.assign(stage.router.targets, {
    health: async (...call: Parameters<typeof health>) => {
      const found = await health(...call);
      const { taskDefinition } = stage.ecs.serviceOf({ cluster: 'shop', service: `shop-${call[0]}` });
      return { ...found, members: Array.from({ length: found.healthy }, (_, index) => `${taskDefinition}/${index}`) };
    },
  });
}

/** Run 100 has died at 10 %, its lease is over. */
async function withDeadShift(more: Parameters<Stage['run']>[0] = {}): Promise<Stage> {
  const stage = openStage();
  withMembers(stage);
  const killed = new AbortController();
  stage.in(seconds(70), () => killed.abort(new Error('killed')));
  await expect(stage.run(more, {}, killed.signal)).rejects.toThrow('killed');
  expect(stage.journal.current()).toMatchObject({ id: '100-1', phase: 'judging', percent: 10 });
  await stage.clock.advance(minutes(2));
  return stage;
}

const hook = (program: string): Hook => ({ program, args: [], timeout: seconds(30), database: 'untouched' });

describe('a run with a dead shift of other images in its way', () => {
  test('takes it back first, then releases its own: the targets of the old candidate are no losses of the new one', async () => {
    const stage = await withDeadShift();
    const { outcome } = await stage.run(MINE, { images: LATER });
    expect(stage.log.lines).toContain('Shift 100-1 is rolled back');
    expect(outcome).toMatchObject({ kind: 'promoted', record: { id: '200-1', reason: '' } });
  });

  test('runs its commands after the promotion, though the way back has run as many', async () => {
    const hooks = { 'after-promote': [hook('./purge')], 'after-rollback': [hook('./flush')] };
    const stage = await withDeadShift();
    const { outcome, story } = await stage.run({ ...MINE, hooks }, { images: LATER });
    expect(outcome.kind).toBe('promoted');
    expect(stage.ran).toEqual(['./flush rolled-back blue green', './purge promoted green blue']);
    expect(story.hooked).toHaveLength(2);
  });

  test('closes its own request for approval too, when it goes back itself', async () => {
    const stage = openStage();
    const now = stage.clock.now();
    const gateOf = (issue: number) => ({ before: 50, until: after(now, minutes(60)), issue, asked: ['alice'] });
    stage.router.weights = { blue: 90, green: 10 };
    stage.router.seated = ['blue', 'green'];
    stage.journal.set(recordOf({ begunAt: now, since: now, trafficAt: now, leaseUntil: now, gate: gateOf(12) }));
    const { write } = stage.journal;
    let asked = 0;
    stage.journal.write = async (record, signal) => {
      const asks = record.id === '200-1' && record.phase === 'judging' && asked++ === 0;
      await write.call(stage.journal, asks ? { ...record, gate: gateOf(13) } : record, signal);
    };
    const { outcome } = await stage.run(MINE, { images: LATER });
    expect(outcome).toMatchObject({ kind: 'rolled-back', record: { id: '200-1' } });
    const closed = stage.log.warnings.flatMap((line) => /^Request (\d+) /.exec(line)?.[1] ?? []);
    expect(closed).toEqual(['12', '13']);
  });
});

test('commands of a way back that begins in the drain run, though those after the promotion ran before', async () => {
  const hooks = { 'after-promote': [hook('./purge'), hook('./slow')], 'after-rollback': [hook('./flush')] };
  const stage = openStage();
  withMembers(stage);
  stage.ends = async (program) => {
    if (program === './purge')
      await stage.ecs.updateService(
        { cluster: 'shop', service: 'shop-green' },
        { desired: 0 },
        new AbortController().signal,
      );
    return 0;
  };
  const { outcome } = await stage.run({ hooks, oldDesired: 1 });
  expect(outcome).toMatchObject({
    kind: 'rolled-back',
    record: { reason: expect.stringContaining('no healthy target') },
  });
  expect(stage.ran.map((line) => line.split(' ')[0])).toEqual(['./purge', './flush']);
});
