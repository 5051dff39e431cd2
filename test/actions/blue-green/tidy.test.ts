import { describe, expect, test } from '@jest/globals';
import { after, hours, minutes, seconds } from '../../../src/domain/duration.ts';
import { Cancelled, Failure } from '../../../src/domain/failure.ts';
import { tidyAlone } from '../../../actions/blue-green/src/execute/tidy.ts';
import { type Stage, openStage } from './stage.ts';

const { signal } = new AbortController();
const badRelease = (): Stage => {
  const stage = openStage();
  stage.router.sticky = minutes(2);
  stage.answers = ({ metric }) => ({ kind: 'value', value: metric === 'health' ? 1 : 0.312, samples: 412 });
  return stage;
};

describe('stickiness that a way back dropped', () => {
  test('is put back behind everything else, and said', async () => {
    const stage = badRelease();
    const { outcome } = await stage.run();
    expect(outcome.kind).toBe('rolled-back');
    expect(stage.router.writes.slice(-2)).toEqual(['restore blue', 'tidy stickiness of 2m']);
    expect(stage.router.sticky).toBe(minutes(2));
    expect(stage.log.lines).toContain('The stickiness of 2m of fake rule is back');
  });

  test('is waited for when that is no longer than a drain', async () => {
    const stage = badRelease();
    const tidy = stage.router.tidy.bind(stage.router);
    let due = stage.clock.now();
    stage.router.tidy = async (signal, guard) => {
      if (stage.router.dropped === 0) return { kind: 'nothing' };
      if (due <= stage.clock.now() && stage.router.writes.includes('waited')) return tidy(signal, guard);
      due = after(stage.clock.now(), minutes(2));
      (stage.router.writes as string[]).push('waited');
      return { kind: 'later', what: 'stickiness of 2m', at: due };
    };
    const begun = stage.clock.now();
    await stage.run();
    expect(stage.router.writes.slice(-2)).toEqual(['waited', 'tidy stickiness of 2m']);
    expect(stage.clock.now() - begun).toBeGreaterThan(minutes(2));
  });

  test('is left to the next run when it takes longer, and both the moment and who does it are said', async () => {
    const stage = badRelease();
    const at = after(stage.clock.now(), hours(24));
    stage.router.tidy = async () => ({ kind: 'later', what: 'stickiness of 1d', at });
    const { outcome } = await stage.run();
    expect(outcome.kind).toBe('rolled-back');
    expect(stage.log.lines.join('\n')).toMatch(
      /The stickiness of 1d of fake rule stays off until 2026-01-02T00:00:00Z.*the next run or mode: reconcile after that puts it back/,
    );
  });

  test('is left to whoever begins a shift meanwhile: the way back stays what it was', async () => {
    const stage = badRelease();
    const at = () => after(stage.clock.now(), minutes(2));
    let looks = 0;
    stage.router.tidy = async (inner, guard) => {
      if (stage.journal.current()?.phase === 'rolled-back') {
        looks += 1;
        const next = { ...stage.journal.current()!, run: { id: '101', attempt: 1 }, phase: 'preparing' } as const;
        stage.in(minutes(1), () => stage.journal.set(next));
      } else await guard?.(inner);
      return { kind: 'later', what: 'stickiness of 2m', at: at() };
    };
    const { outcome } = await stage.run();
    expect([outcome.kind, looks, stage.router.writes.at(-1)]).toEqual(['rolled-back', 1, 'restore blue']);
    expect(stage.log.lines).toContain('Run 101/1 began a shift meanwhile: what is left to tidy up is left to it');
  });

  test('is noted right behind the way back, which does not wait for that', async () => {
    const stage = badRelease();
    let noted = 0;
    stage.router.noteDropped = async () => {
      expect(stage.router.writes.at(-1)).toBe('restore blue');
      noted += 1;
      throw new Failure({ what: 'Could not remember the stickiness', why: 'access denied' });
    };
    const { outcome } = await stage.run();
    expect([outcome.kind, noted]).toEqual(['rolled-back', 1]);
    expect(stage.log.lines).toContain('Could not remember the stickiness: access denied.');
  });

  test('stays remembered while a shift that was taken over may still go back', async () => {
    const stage = openStage();
    const stop = new AbortController();
    stage.in(seconds(60), () => stop.abort(new Cancelled('SIGINT')));
    await expect(stage.run({}, { onCancel: 'leave' }, stop.signal)).rejects.toThrow(Cancelled);
    const tidied: (string | undefined)[] = [];
    const tidy = stage.router.tidy.bind(stage.router);
    stage.router.tidy = async (...call) => {
      tidied.push(stage.journal.current()?.phase);
      return tidy(...call);
    };
    await stage.clock.sleep(minutes(3), signal);
    const { outcome } = await stage.run({ me: { id: '101', attempt: 1 }, onStale: 'resume' });
    expect([outcome.kind, tidied]).toEqual(['promoted', ['done']]);
  });

  test('does not turn a good way back into a failure when it cannot be put back', async () => {
    const stage = badRelease();
    stage.router.tidy = async () => {
      throw new Failure({ what: 'Could not remember the stickiness', why: 'access denied' });
    };
    const { outcome } = await stage.run();
    expect(outcome.kind).toBe('rolled-back');
    expect(stage.log.lines).toContain('Could not remember the stickiness: access denied.');
  });
});

describe('stickiness that is put back by itself, by reconcile', () => {
  const NOTHING = { changed: 'no', says: undefined };
  const ports = (stage: Stage) => ({ ...stage, willChange: () => () => undefined });
  const over = async (): Promise<Stage> => {
    const stage = badRelease();
    const tidy = stage.router.tidy.bind(stage.router);
    const at = after(stage.clock.now(), hours(24));
    stage.router.tidy = async () => ({ kind: 'later', what: 'stickiness of 2m', at });
    await stage.run();
    stage.router.tidy = tidy;
    return stage;
  };

  test('is back, and what was back is said', async () => {
    const stage = await over();
    expect(await tidyAlone(ports(stage), signal)).toEqual({ changed: 'yes', says: 'the stickiness of 2m is back' });
    expect(stage.router.writes.at(-1)).toBe('tidy stickiness of 2m');
    expect(await tidyAlone(ports(stage), signal)).toEqual(NOTHING);
  });

  test('waits for a shift that is under way, also for one that begins in that moment', async () => {
    const stage = await over();
    const record = stage.journal.current();
    const read = stage.journal.read.bind(stage.journal);
    let reads = 0;
    stage.journal.read = async (inner) =>
      reads++ === 0 || record === undefined ? read(inner) : { ...record, phase: 'shifting' };
    expect(await tidyAlone(ports(stage), signal)).toEqual(NOTHING);
    expect(reads).toBe(2);
    expect(await tidyAlone(ports(stage), signal)).toEqual(NOTHING);
    expect(stage.router.writes.at(-1)).toBe('restore blue');
  });
});
