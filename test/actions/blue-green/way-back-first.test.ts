import { describe, expect, test } from '@jest/globals';
import { type Instant, after, minutes, seconds } from '../../../src/domain/duration.ts';
import { CloudFailure } from '../../../src/domain/retry-policy.ts';
import { policyOf } from './rehearsal.ts';
import { SERVICES, type Stage, openStage } from './stage.ts';

// Between users and a color that serves stands the write of the weights, and nothing that only tidying needs.

const POLICY = policyOf({ bake: '1m', recheck: 'none' });
const AGAIN = { me: { id: '105', attempt: 1 }, shiftId: '105-1', mode: 'rollback', policy: POLICY } as const;

/** Services cannot be read while `when` holds. */
function ecsFails(stage: Stage, kind: 'transient' | 'access-denied', when: () => boolean): void {
  const { describeServices } = stage.ecs;
  stage.ecs.describeServices = async (refs, signal) => {
    if (when()) throw new CloudFailure(kind, { what: 'Could not read the services', why: kind });
    return describeServices(refs, signal);
  };
}

/** A shift whose runner died at 50 %, an hour ago. */
async function abandoned(): Promise<Stage> {
  const stage = openStage();
  const kill = new AbortController();
  const { write } = stage.journal;
  stage.journal.write = async (entry, signal) => {
    await write(entry, signal);
    if (entry.phase === 'judging' && entry.percent === 50) kill.abort();
  };
  await expect(stage.run({ policy: POLICY }, {}, kill.signal)).rejects.toThrow();
  stage.journal.write = write;
  await stage.clock.sleep(minutes(60), new AbortController().signal);
  expect(stage.router.weights).toEqual({ blue: 50, green: 50 });
  return stage;
}
const BLUE_ALONE = { blue: 100, green: 0 };

describe('a way back while ECS does not answer', () => {
  test('of a release that is judged bad takes the traffic back at once, and waits with the rest', async () => {
    const stage = openStage();
    const detected: Instant[] = [];
    const restored: Instant[] = [];
    let until: Instant | undefined;
    stage.answers = ({ metric }) => ({ kind: 'value', value: metric === 'p95' ? 180 : metric === 'health' ? 1 : 0.9, samples: 400 });
    ecsFails(stage, 'transient', () => {
      if (stage.journal.current()?.phase !== 'rolling-back') return false;
      until ??= after(stage.clock.now(), minutes(3));
      return stage.clock.now() < until;
    });
    const { write } = stage.journal;
    stage.journal.write = async (entry, signal) => {
      if (entry.phase === 'rolling-back') detected.push(stage.clock.now());
      await write(entry, signal);
    };
    const { restore } = stage.router;
    stage.router.restore = async (...call) => {
      restored.push(stage.clock.now());
      await restore(...call);
    };
    const { outcome } = await stage.run({ policy: POLICY });
    expect(outcome.kind).toBe('rolled-back');
    expect(restored[0]).toBeLessThan(after(detected[0] as Instant, seconds(5)));
    expect([stage.router.weights, stage.desired('green')]).toEqual([BLUE_ALONE, 0]);
  }); // prettier-ignore

  test('that a person asks for may lack every right to read a service: users are back, and the failure says so', async () => {
    const stage = await abandoned();
    ecsFails(stage, 'access-denied', () => true);
    await expect(stage.run(AGAIN)).rejects.toThrow(/Could not read the services.*All traffic is on blue again/);
    expect(stage.router.weights).toEqual(BLUE_ALONE);
  });

  test('whose next look fails for good ends with one write of the weights', async () => {
    const stage = await abandoned();
    const { health } = stage.router.targets;
    stage.router.targets.health = (...call) =>
      stage.journal.current()?.phase === 'rolling-back'
        ? Promise.reject(new CloudFailure('access-denied', { what: 'Could not read the targets', why: 'denied' }))
        : health(...call);
    await expect(stage.run(AGAIN, { onCancel: 'leave' })).rejects.toThrow(/All traffic was taken back to blue/);
    expect(stage.router.weights).toEqual(BLUE_ALONE);
  });
});

describe('a way back of a finished release that left one task of the old color', () => {
  const finished = async (): Promise<Stage> => {
    const stage = openStage();
    expect((await stage.run({ policy: POLICY, oldDesired: 1 })).outcome.kind).toBe('promoted');
    expect([stage.desired('blue'), stage.desired('green')]).toEqual([1, 3]);
    return stage;
  };

  test('scales it up before the traffic goes there, and the other one down behind', async () => {
    const stage = await finished();
    const sizes: unknown[] = [];
    const { restore } = stage.router;
    stage.router.restore = async (...call) => {
      sizes.push([stage.desired('blue'), stage.desired('green')]);
      await restore(...call);
    };
    const { outcome } = await stage.run({ ...AGAIN, oldDesired: 1 });
    expect(outcome).toMatchObject({ kind: 'rolled-back', left: undefined });
    expect(sizes).toEqual([[3, 3]]);
    expect([stage.router.weights, stage.desired('blue'), stage.desired('green')]).toEqual([BLUE_ALONE, 3, 1]);
  });

  test('does not wait for services that cannot be read', async () => {
    const stage = await finished();
    ecsFails(stage, 'transient', () => stage.router.weights.blue !== 100);
    expect((await stage.run({ ...AGAIN, oldDesired: 1 })).outcome.kind).toBe('rolled-back');
    expect([stage.router.weights, stage.desired('blue'), stage.desired('green')]).toEqual([BLUE_ALONE, 3, 1]);
  });

  test('is refused when it wants none any more, though its last targets still answer', async () => {
    const stage = await finished();
    const { health } = stage.router.targets;
    stage.router.targets.health = async (color, ...call) =>
      color === 'blue' ? { healthy: 1, total: 1, reasons: [] } : health(color, ...call);
    await stage.ecs.updateService({ cluster: 'shop', service: SERVICES.blue }, { desired: 0 }, new AbortController().signal);
    expect((await stage.run(AGAIN)).outcome).toMatchObject({ kind: 'refused', why: expect.stringContaining('blue wants 0 tasks') });
    expect(stage.router.weights).toEqual({ blue: 0, green: 100 });
  }); // prettier-ignore
});

describe('a way back with services that do not fit the colors', () => {
  test('takes the traffic back; a service of something else is left alone, and told', async () => {
    const stage = await abandoned();
    const hub = { cluster: 'shop', service: 'hub' };
    stage.ecs.addService({ ref: hub, image: 'r.example.com/hub:1', container: 'web', desired: 2 });
    const services = { ...SERVICES, green: 'hub' };
    const { outcome } = await stage.run(AGAIN, { ecs: { cluster: 'shop', services } });
    expect(outcome).toMatchObject({
      kind: 'rolled-back',
      left: expect.stringMatching(/hub cannot be the service of green.*No service was changed/),
    });
    expect(stage.router.weights).toEqual(BLUE_ALONE);
    expect([stage.ecs.serviceOf(hub).desired, stage.desired('green')]).toEqual([2, 3]);
  });

  test('takes the traffic back; services that are crossed by now keep their tasks', async () => {
    const stage = await abandoned();
    const services = { blue: SERVICES.green, green: SERVICES.blue };
    const { outcome } = await stage.run(AGAIN, { ecs: { cluster: 'shop', services } });
    expect(outcome).toMatchObject({ kind: 'rolled-back', left: expect.stringContaining('are crossed') });
    expect(stage.router.weights).toEqual(BLUE_ALONE);
    expect([stage.desired('blue'), stage.desired('green')]).toEqual([3, 3]);
  });
});

describe('all traffic to a color that is named', () => {
  const health = (stage: Stage, color: 'blue' | 'green') => {
    const { health: before } = stage.router.targets;
    stage.router.targets.health = async (asked, ...call) => {
      if (asked === color) throw new CloudFailure('transient', { what: `Could not read ${color}`, why: 'no answer' });
      return asked === 'green' ? { healthy: 3, total: 3, reasons: [] } : before(asked, ...call);
    };
  };

  test('moves though nothing can be read of the other one: its region may be lost', async () => {
    const stage = openStage();
    health(stage, 'blue');
    const { outcome } = await stage.run({ mode: 'rollback', to: 'green' }, { ecs: undefined });
    expect(outcome.kind).toBe('rolled-back');
    expect(stage.router.weights).toEqual({ blue: 0, green: 100 });
    expect(stage.log.warnings.filter((line) => line.includes('Nothing is known of blue'))).toHaveLength(1);
  });

  test('does not move while nothing can be read of that color itself', async () => {
    const stage = openStage();
    health(stage, 'green');
    await expect(stage.run({ mode: 'rollback', to: 'green' }, { ecs: undefined })).rejects.toThrow(
      'Could not read green',
    );
    expect(stage.router.writes).toEqual([]);
  });
});
