import { describe, expect, test } from '@jest/globals';
import { type Instant, after, minutes, seconds } from '../../../src/domain/duration.ts';
import { Cancelled } from '../../../src/domain/failure.ts';
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
    const told = 'Could not read the services: transient. The way back does not wait for the sizes of the services.';
    expect(stage.log.warnings.filter((line) => line === told)).toHaveLength(1);
  });

  /** The moment of the first write of the weights, in milliseconds since now. */
  const whenBack = async (stage: Stage, more: Parameters<Stage['run']>[1] = {}): Promise<number> => {
    const begun = stage.clock.now();
    let back: Instant | undefined;
    const { restore } = stage.router;
    stage.router.restore = async (...call) => {
      back ??= stage.clock.now();
      await restore.call(stage.router, ...call);
    };
    expect((await stage.run({ ...AGAIN, oldDesired: 1 }, more)).outcome.kind).toBe('rolled-back');
    expect(stage.router.weights).toEqual(BLUE_ALONE);
    return (back ?? after(begun, minutes(99))) - begun;
  };

  /** ECS keeps every read open for a minute, until users are back. */
  const ecsHangs = (stage: Stage): { asked: number } => {
    const count = { asked: 0 };
    const { describeServices } = stage.ecs;
    stage.ecs.describeServices = async (refs, signal) => {
      if (stage.router.weights.blue !== 100) {
        count.asked += 1;
        await stage.clock.sleep(minutes(1), signal);
      }
      return describeServices(refs, signal);
    };
    return count;
  };

  test('waits a few seconds for an ECS that hangs', async () => {
    const stage = await finished();
    ecsHangs(stage);
    expect(await whenBack(stage)).toBeLessThan(seconds(15));
  });

  test('asks an ECS that hangs once where the old color has enough targets, before it is begun', async () => {
    const stage = openStage();
    await stage.run({ policy: POLICY, mode: 'prepare' });
    await stage.run({ policy: POLICY, mode: 'shift' });
    const count = ecsHangs(stage);
    expect(await whenBack(stage)).toBeLessThan(seconds(10));
    expect(count.asked).toBe(1);
  });

  test('that may not scale it up goes with what it has, and says so', async () => {
    const stage = await finished();
    const { updateService } = stage.ecs;
    stage.ecs.updateService = (ref, change, signal) =>
      ref.service === SERVICES.blue
        ? Promise.reject(new CloudFailure('access-denied', { what: 'Could not change shop-blue', why: 'denied' }))
        : updateService(ref, change, signal);
    const { outcome } = await stage.run({ ...AGAIN, oldDesired: 1 });
    expect(outcome).toMatchObject({ kind: 'rolled-back', left: expect.stringContaining('Could not change shop-blue') });
    expect([stage.router.weights, stage.desired('blue'), stage.desired('green')]).toEqual([BLUE_ALONE, 1, 3]);
  });

  test('that is throttled as it scales does not wait longer than for a few tries, though the lease is renewed meanwhile', async () => {
    const stage = await finished();
    const { updateService } = stage.ecs;
    const begun = stage.clock.now();
    stage.ecs.updateService = async (ref, change, signal) => {
      if (ref.service !== SERVICES.blue) return updateService(ref, change, signal);
      await stage.clock.sleep(seconds(40), signal);
      throw new CloudFailure('throttled', { what: 'Could not change shop-blue', why: 'Rate exceeded' });
    };
    const { outcome } = await stage.run({ ...AGAIN, oldDesired: 1 });
    expect(outcome).toMatchObject({ kind: 'rolled-back', left: expect.stringContaining('blue wants 1 tasks') });
    expect(stage.router.weights).toEqual(BLUE_ALONE);
    expect(Number(outcome.kind === 'rolled-back' && outcome.record.restoredAt) - begun).toBeLessThan(minutes(5));
  });

  test('that may not scale it up waits for what its own size brings, and says at the end what was in the way', async () => {
    const stage = openStage();
    await stage.run({ policy: POLICY, oldDesired: 3 });
    await stage.ecs.updateService({ cluster: 'shop', service: SERVICES.green }, { desired: 4 }, new AbortController().signal);
    const { health } = stage.router.targets;
    stage.router.targets.health = async (color, ...call) => {
      const seen = await health(color, ...call);
      return { ...seen, healthy: color === 'blue' ? 1 : seen.healthy };
    };
    stage.ecs.updateService = () =>
      Promise.reject(new CloudFailure('access-denied', { what: 'Could not change shop-blue', why: 'denied' }));
    expect((await stage.run(AGAIN)).outcome).toMatchObject({
      kind: 'rollback-failed',
      why: expect.stringMatching(/^blue has 1 of 3 healthy targets.*, and green still serves; it could not be scaled up: Could not change shop-blue/),
    });
    expect(stage.router.weights).toEqual({ blue: 0, green: 100 });
  }); // prettier-ignore

  test('is not kept by services that are crossed by now', async () => {
    const stage = await finished();
    const services = { blue: SERVICES.green, green: SERVICES.blue };
    const begun = stage.clock.now();
    const { outcome } = await stage.run({ ...AGAIN, oldDesired: 1 }, { ecs: { cluster: 'shop', services } });
    expect(outcome.kind).toBe('rolled-back');
    expect(stage.log.warnings.some((line) => line.includes('are crossed'))).toBe(true);
    expect(stage.router.weights).toEqual(BLUE_ALONE);
    expect(stage.clock.now() - begun).toBeLessThan(minutes(2));
  });

  /** A way back that waits for blue, which stays at one healthy target of three. */
  const waiting = async (): Promise<Stage> => {
    const stage = await finished();
    const { health } = stage.router.targets;
    stage.router.targets.health = async (color, ...call) => {
      const seen = await health(color, ...call);
      return color === 'blue' ? { ...seen, healthy: Math.min(1, seen.healthy) } : seen;
    };
    return stage;
  };

  test('that is cancelled while it waits leaves users where they are served, and says where', async () => {
    const stage = await waiting();
    const stop = new AbortController();
    stage.in(seconds(60), () => stop.abort(new Cancelled('SIGINT')));
    await expect(stage.run({ ...AGAIN, oldDesired: 1 }, {}, stop.signal)).rejects.toThrow(Cancelled);
    expect(await stage.cancels.restore?.(new AbortController().signal)).toMatch(
      /^Traffic stays on green, which serves, because blue has too few healthy targets yet/,
    );
    expect(stage.router.weights).toEqual({ blue: 0, green: 100 });
  });

  test('whose looks fail for good while it waits does the same', async () => {
    const stage = await waiting();
    const { health } = stage.router.targets;
    stage.in(seconds(60), () => {
      stage.router.targets.health = () =>
        Promise.reject(new CloudFailure('access-denied', { what: 'Could not read the targets', why: 'denied' }));
    });
    await expect(stage.run({ ...AGAIN, oldDesired: 1 })).rejects.toThrow(/Could not read the targets.*Traffic stays on green/);
    expect(stage.router.weights).toEqual({ blue: 0, green: 100 });
    stage.router.targets.health = health;
  }); // prettier-ignore

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
