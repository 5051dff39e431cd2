import { describe, expect, test } from '@jest/globals';
import { after, minutes, seconds } from '../../../src/domain/duration.ts';
import { Cancelled, Failure } from '../../../src/domain/failure.ts';
import { CloudFailure } from '../../../src/domain/retry-policy.ts';
import { CRASH, openStage } from './stage.ts';

const throttled = (): CloudFailure =>
  new CloudFailure('throttled', { what: 'Could not set the weights', why: 'throttled' });
const denied = (what = 'Could not set the weights'): CloudFailure =>
  new CloudFailure('access-denied', { what, why: 'access denied for elasticloadbalancing:ModifyRule' });

describe('a release over the ports', () => {
  test('deploys, shifts in steps, drains and scales down; blue keeps its tasks until then', async () => {
    const stage = openStage();
    const { outcome, changed } = await stage.run({ checks: 'given' });
    expect(outcome.kind).toBe('promoted');
    expect(changed).toBe('yes');
    expect(stage.router.writes).toEqual([
      'apply blue 100 / green 0',
      'apply blue 90 / green 10',
      'apply blue 50 / green 50',
      'apply blue 0 / green 100',
    ]);
    expect([stage.desired('blue'), stage.desired('green')]).toEqual([0, 3]);
    expect(stage.journal.current()).toMatchObject({ phase: 'done', stable: 'blue', candidate: 'green' });
    expect(stage.prober.requests.map(({ url, headers }) => [url, headers['x-color']])).toEqual([
      ['http://green.test/health', 'green'],
      ['http://users.test/health', undefined],
    ]);
  });

  test('writes the record before each change of weights and reads the weights back before the next phase', async () => {
    const stage = openStage();
    const seen: string[] = [];
    const { apply } = stage.router;
    stage.router.apply = async (split, signal) => {
      seen.push(`${stage.journal.current()?.phase} ${stage.journal.current()?.percent} -> ${split.green}`);
      await apply.call(stage.router, split, signal);
    };
    await stage.run();
    expect(seen).toEqual(['preparing 0 -> 0', 'shifting 10 -> 10', 'shifting 50 -> 50', 'shifting 100 -> 100']);
  });

  test('tells the sources which color is the candidate before anything is measured', async () => {
    const stage = openStage();
    stage.router.weights = { blue: 0, green: 1 };
    stage.router.seated = ['green'];
    await stage.ecs.updateService(
      { cluster: 'shop', service: 'shop-green' },
      { desired: 3 },
      new AbortController().signal,
    );
    await stage.clock.advance(seconds(60));
    const { outcome } = await stage.run();
    expect(outcome).toMatchObject({ kind: 'promoted', record: { stable: 'green', candidate: 'blue' } });
    expect(stage.candidates).toEqual(['blue']);
  });
});

describe('a bad release over the ports', () => {
  test('that errs is taken back by one write, then scaled down', async () => {
    const stage = openStage();
    stage.answers = ({ metric }) => ({
      kind: 'value',
      value: metric === 'health' ? 1 : metric === 'p95' ? 180 : 0.312,
      samples: 412,
    });
    const { outcome, record } = await stage.run();
    expect(outcome.kind).toBe('rolled-back');
    expect(record?.reason).toBe('error-rate 31.2 % > 5 % (n=412), at least 24.5 % with 99.9 % confidence');
    expect(stage.router.writes.at(-1)).toBe('restore blue');
    expect([stage.desired('blue'), stage.desired('green')]).toEqual([3, 0]);
    expect(stage.journal.current()).toMatchObject({ phase: 'rolled-back' });
  });

  test('that crashes gets no traffic, and what was seen of it is shown', async () => {
    const stage = openStage();
    const { outcome } = await stage.run({ prepareWithin: minutes(2) }, { images: CRASH });
    expect(outcome).toMatchObject({
      kind: 'rolled-back',
      record: { trafficAt: undefined, reason: expect.stringContaining('shop-green was not deployed') },
    });
    expect(stage.router.writes).toEqual(['apply blue 100 / green 0']);
    expect(stage.log.entries.map(({ line }) => line).join()).toContain('What was seen of shop-green');
    expect(stage.desired('green')).toBe(0);
  });

  test('that fails its check before traffic gets none, and the reason names the check', async () => {
    const stage = openStage();
    stage.peers = () => ({ status: 503 });
    const { outcome } = await stage.run({ checks: 'given' });
    expect(outcome).toMatchObject({
      kind: 'rolled-back',
      record: { reason: expect.stringMatching(/^check health failed: .*503/) },
    });
    expect(stage.router.writes).toEqual(['apply blue 100 / green 0']);
  });
});

describe('an API that fails', () => {
  test('for a moment while weights are written is asked again, after a pause', async () => {
    const stage = openStage();
    stage.router.fail('apply', throttled(), throttled());
    expect((await stage.run()).outcome.kind).toBe('promoted');
    expect(stage.log.warnings.filter((line) => line.includes('throttled'))).toHaveLength(2);
  });

  test('is told with what this run does about it, not with the advice for one that has ended', async () => {
    const stage = openStage();
    const next = 'Re-run: it goes on from where this run stopped';
    stage.router.fail('apply', new CloudFailure('throttled', { what: 'Could not set it', next }));
    await stage.run();
    expect(stage.log.warnings).toContainEqual(
      expect.stringMatching(/^Could not set it\. Trying again in [\d.]+m?s\.$/),
    );
    expect(stage.log.warnings.join()).not.toContain('Re-run');
  });

  test('for good in the middle of a shift is answered by going back', async () => {
    const stage = openStage();
    const { apply } = stage.router;
    stage.router.apply = async (split, signal) =>
      split.green === 50 ? Promise.reject(denied()) : apply.call(stage.router, split, signal);
    const { outcome } = await stage.run();
    expect(outcome).toMatchObject({
      kind: 'rolled-back',
      record: { reason: 'Could not set the weights: access denied for elasticloadbalancing:ModifyRule.' },
    });
    expect(stage.router.writes.at(-1)).toBe('restore blue');
  });

  test('to be read is waited for: the split stands still', async () => {
    const stage = openStage();
    let outage = 0;
    const { observe } = stage.router;
    stage.router.observe = async (signal) => {
      if (stage.router.weights.green === 10 && outage < 8) {
        outage += 1;
        throw new CloudFailure('transient', { what: 'Could not read the rule', why: 'AWS did not answer' });
      }
      return observe.call(stage.router, signal);
    };
    expect((await stage.run()).outcome.kind).toBe('promoted');
    expect(stage.log.lines.join('\n')).toContain('Waiting for the cloud to answer again (AWS did not answer)');
  });

  test('to be read for good is an error, and the traffic is taken back first', async () => {
    const stage = openStage();
    const { observe } = stage.router;
    stage.router.observe = async (signal) =>
      stage.router.weights.green === 50
        ? Promise.reject(denied('Could not read the rule'))
        : observe.call(stage.router, signal);
    const failed = stage.run();
    await expect(failed).rejects.toThrow(Failure);
    await expect(failed).rejects.toThrow(/Could not read the rule.*All traffic was taken back to blue/);
    expect(stage.router.writes.at(-1)).toBe('restore blue');
  });

  test('to write the record of a rollback does not hold the rollback up', async () => {
    const stage = openStage();
    stage.answers = ({ metric }) => ({
      kind: 'value',
      value: metric === 'health' ? 1 : metric === 'p95' ? 180 : 0.5,
      samples: 400,
    });
    const { write } = stage.journal;
    stage.journal.write = async (entry, signal) =>
      entry.phase === 'rolling-back' || entry.phase === 'rolled-back'
        ? Promise.reject(denied('Could not record the shift'))
        : write.call(stage.journal, entry, signal);
    const { outcome } = await stage.run();
    expect(outcome).toMatchObject({ kind: 'rolled-back' });
    expect(stage.router.writes.at(-1)).toBe('restore blue');
  });

  test('slowly, just when the release turns bad, does not keep the traffic on it', async () => {
    const stage = openStage();
    const { read } = stage.journal;
    stage.journal.read = async (signal) => {
      if (stage.journal.current()?.phase === 'rolling-back') await stage.clock.sleep(seconds(2), signal);
      return read.call(stage.journal, signal);
    };
    stage.answers = ({ metric }) => ({
      kind: 'value',
      value: metric === 'health' ? 1 : metric === 'p95' ? 180 : 0.5,
      samples: 400,
    });
    const { record } = await stage.run();
    expect(record).toMatchObject({ reason: expect.stringContaining('error-rate'), restoredAt: undefined });
    expect(stage.router.writes.at(-1)).toBe('restore blue');
  });

  test('before anything was written is simply an error', async () => {
    const stage = openStage();
    stage.journal.failWrites(denied('Could not record the shift'));
    await expect(stage.run()).rejects.toThrow('Could not record the shift');
    expect(stage.router.writes).toEqual([]);
  });

  test('to scale down does not make a rollback fail: it is told as left to do', async () => {
    const stage = openStage();
    stage.answers = () => ({ kind: 'value', value: 0.5, samples: 400 });
    const { updateService } = stage.ecs;
    stage.ecs.updateService = async (ref, change, signal) =>
      change.desired === 0
        ? Promise.reject(denied('Could not update ECS service'))
        : updateService(ref, change, signal);
    const { outcome } = await stage.run();
    expect(outcome).toMatchObject({
      kind: 'rolled-back',
      left: expect.stringContaining('Could not update ECS service'),
    });
  });
});

describe('a process that lost the shift', () => {
  const OTHER = { id: '101', attempt: 1 };

  test('while it waited writes nothing more', async () => {
    const stage = openStage();
    stage.in(minutes(1.5), () => stage.journal.set({ ...stage.journal.current()!, run: OTHER }));
    const { outcome } = await stage.run();
    expect(outcome).toEqual({ kind: 'superseded', by: '101/1' });
    expect(stage.journal.current()).toMatchObject({ run: OTHER });
    expect(stage.router.writes.filter((write) => write.startsWith('restore'))).toEqual([]);
  });

  test('between its look and its write does not write', async () => {
    const stage = openStage();
    const { observe } = stage.router;
    const writes = stage.router.writes;
    stage.router.observe = async (signal) => {
      const split = await observe.call(stage.router, signal);
      if (stage.journal.current()?.phase === 'shifting') stage.journal.set({ ...stage.journal.current()!, run: OTHER });
      return split;
    };
    const { outcome } = await stage.run();
    expect(outcome).toMatchObject({ kind: 'superseded' });
    expect(writes).toEqual(['apply blue 100 / green 0']);
  });

  test('in the middle of its deployment stops there', async () => {
    const stage = openStage();
    const { registerTaskDefinition } = stage.ecs;
    stage.ecs.registerTaskDefinition = async (body, tags, signal) => {
      const registered = await registerTaskDefinition(body, tags, signal);
      stage.journal.set({ ...stage.journal.current()!, run: OTHER });
      return registered;
    };
    expect((await stage.run()).outcome).toMatchObject({ kind: 'superseded' });
    expect(stage.desired('green')).toBe(0);
  });

  test('to a run that began at the same moment does not begin', async () => {
    const stage = openStage();
    const { read } = stage.journal;
    let reads = 0;
    stage.journal.read = async (signal) => {
      reads += 1;
      const found = await read.call(stage.journal, signal);
      if (reads === 1) stage.journal.set({ ...RIVAL, leaseUntil: after(stage.clock.now(), seconds(90)) });
      return found;
    };
    expect((await stage.run()).outcome).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('shift 101-1 of run 101/1 is under way'),
    });
    expect(stage.journal.written).toEqual([]);
  });

  const RIVAL = {
    id: '101-1', run: OTHER, images: 'b2', stable: 'blue', candidate: 'green', phase: 'preparing', from: 0, percent: 0,
    begunAt: openStage().clock.now(), since: openStage().clock.now(), trafficAt: undefined, groups: undefined, scaling: {}, hooks: { ended: 0, next: 'waiting' }, gate: undefined, approval: undefined, reason: '', detectedAt: undefined, restoredAt: undefined,
  } as const; // prettier-ignore
});

describe('a cancelled run', () => {
  const cancelAt = async (moment: number, onCancel: 'rollback' | 'leave' = 'rollback') => {
    const stage = openStage();
    const stop = new AbortController();
    stage.in(seconds(moment), () => stop.abort(new Cancelled('SIGINT')));
    await expect(stage.run({}, { onCancel }, stop.signal)).rejects.toThrow(Cancelled);
    return stage;
  };

  test('at 10 % has one write to make, which takes everything back', async () => {
    const stage = await cancelAt(60);
    const before = stage.router.writes.length;
    expect(await stage.cancels.restore?.(new AbortController().signal)).toBe('All traffic is back on blue');
    expect(stage.router.writes.slice(before)).toEqual(['restore blue']);
  });

  test('before any traffic has nothing to take back, and says where users are', async () => {
    const stage = await cancelAt(5);
    const before = stage.router.writes.length;
    expect(await stage.cancels.restore?.(new AbortController().signal)).toBe(
      'green got no traffic: all of it stays on blue',
    );
    expect(stage.router.writes.slice(before)).toEqual([]);
  });

  test('after the judgement has nothing to take back', async () => {
    const stage = await cancelAt(300);
    expect(stage.journal.current()?.phase).toBe('finishing');
    expect(stage.cancels.restore).toBeUndefined();
  });

  test('that shall leave the traffic has nothing to take back', async () => {
    const stage = await cancelAt(60, 'leave');
    expect(stage.router.weights).toEqual({ blue: 90, green: 10 });
    expect(stage.cancels.restore).toBeUndefined();
  });

  test('that shall leave the traffic does not leave a way back that was begun', async () => {
    const stage = openStage();
    const stop = new AbortController();
    stage.answers = () => ({ kind: 'value', value: 0.5, samples: 400 });
    const { restore } = stage.router;
    stage.router.restore = (color, signal) => {
      stop.abort(new Cancelled('SIGINT'));
      return restore.call(stage.router, color, signal);
    };
    await expect(stage.run({}, { onCancel: 'leave' }, stop.signal)).rejects.toThrow(Cancelled);
    expect(stage.router.weights).toEqual({ blue: 90, green: 10 });
    stage.router.restore = restore;
    expect(await stage.cancels.restore?.(new AbortController().signal)).toBe('All traffic is back on blue');
  });

  test('in checks that take longer than a lease still takes everything back', async () => {
    const stage = openStage();
    const stop = new AbortController();
    const { probe } = stage.prober;
    let asked = 0;
    stage.prober.probe = async (sent, signal) => {
      if (sent.url.startsWith('http://users.test') && asked++ === 0) {
        await stage.clock.sleep(minutes(4), signal);
        stop.abort(new Cancelled('SIGINT'));
      }
      return probe.call(stage.prober, sent, signal);
    };
    await expect(stage.run({ checks: 'given' }, {}, stop.signal)).rejects.toThrow(Cancelled);
    expect(stage.journal.current()?.phase).toBe('rechecking');
    expect(await stage.cancels.restore?.(new AbortController().signal)).toBe('All traffic is back on blue');
  });

  test('does not take back what may belong to another run by now', async () => {
    const stage = await cancelAt(60);
    await stage.clock.advance(minutes(5));
    await expect(stage.cancels.restore?.(new AbortController().signal)).rejects.toThrow(
      /lease of shift 100-1 ended at .*another run may have taken over/,
    );
    expect(stage.router.weights).toEqual({ blue: 90, green: 10 });
  });
});

test('one line for each step, none for renewals', async () => {
  const stage = openStage();
  await stage.run();
  expect(stage.log.lines.filter((line) => /^Weight|serves|live|ready|Draining/.test(line))).toEqual([
    'blue is live; green becomes the candidate',
    'green is ready at weight 0. Weight 0 -> 10, bake 1m',
    'green serves 10 % since now',
    'Weight 10 -> 50, bake 1m',
    'green serves 50 % since now',
    'Weight 50 -> 100, bake 1m',
    'green serves 100 % since now',
    'green is judged good at 100 %. Draining blue',
    'green is the live color',
  ]);
});
