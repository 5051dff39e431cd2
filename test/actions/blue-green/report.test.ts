import { describe, expect, test } from '@jest/globals';
import type { Goal } from '../../../actions/blue-green/src/decide/goal.ts';
import type { Outcome } from '../../../actions/blue-green/src/decide/moves.ts';
import { planOf, stateOf } from '../../../actions/blue-green/src/plan.ts';
import { type Reported, lookedReport, reportOf } from '../../../actions/blue-green/src/report.ts';
import type { Sample } from '../../../src/domain/analysis/sample.ts';
import { candidateSeries } from '../../domain/analysis/series.ts';
import type { Hook, HookResult } from '../../../src/domain/shift/hooks.ts';
import { after, instant, minutes, seconds } from '../../../src/domain/duration.ts';
import type { ShiftRecord } from '../../../src/domain/shift/record.ts';
import { splitGiving } from '../../../src/domain/traffic-split.ts';
import { renderSummary } from '../../../src/runtime/summary.ts';
import { chartsOf } from '../../harness/mermaid.ts';
import { NOW, recordOf } from '../../domain/shift/records.ts';
import { goalOf, policyOf } from './rehearsal.ts';
import { partsOf } from './summary-parts.ts';

const POLICY = policyOf({ rules: ['error-rate > 5% for 2m', 'warn: error-rate > 1% for 30s'] });

const samplesOf = (value: number, samples: number): readonly Sample[] =>
  Array.from({ length: 20 }, (_, index) =>
    candidateSeries(POLICY).map(({ key, window }) => ({
      series: key,
      at: instant(NOW + (index + 1) * 15_000),
      window,
      reading: { kind: 'value' as const, value, samples },
    })),
  ).flat();

const reported = (outcome: Outcome, more: Partial<Reported> = {}, goal: Partial<Goal> = {}) =>
  reportOf({
    outcome,
    record: 'record' in outcome ? outcome.record : undefined,
    story: {
      events: [{ at: NOW, says: 'green serves 10 % since now', percent: 10 }],
      samples: samplesOf(0.004, 412),
      hooked: [],
      power: [],
      unserved: [],
    },
    changed: 'yes',
    goal: goalOf({ policy: POLICY, ...goal }),
    router: 'ALB rule web-443/10',
    outputs: { routes: '[]' },
    ...more,
  });

const DONE = recordOf({ phase: 'done', percent: 100 });
const BACK = recordOf({
  phase: 'rolled-back',
  percent: 50,
  reason: 'error-rate 31.2 % > 5 % (n=412)',
  detectedAt: after(NOW, seconds(60)),
  restoredAt: after(NOW, seconds(61.4)),
});
const promoted: Outcome = { kind: 'promoted', record: DONE, judgement: undefined };

describe('the report', () => {
  test('of a good release is green and says that every rule held', () => {
    expect(reported(promoted)).toMatchObject({
      conclusion: 'success', outcome: 'promoted', changed: true,
      headline: 'green is the live color of ALB rule web-443/10: every rule held',
      outputs: { verdict: 'pass', reason: '', hooks: '', 'shift-id': '100-1', 'stable-color': 'blue', 'candidate-color': 'green', 'detected-at': '', 'rollback-seconds': '', routes: '[]' },
    });
  }); // prettier-ignore

  test('of a warning is green, and the warning is an annotation', () => {
    const report = reported(promoted, {
      story: { events: [], samples: samplesOf(0.02, 500), hooked: [], power: [], unserved: [] },
    });
    expect(report).toMatchObject({ conclusion: 'success', outputs: { verdict: 'warn' } });
    expect(report.annotations).toEqual([
      { level: 'warning', title: 'blue-green', message: 'error-rate 2 % > 1 % for 30s (n=500)' },
    ]);
  });

  test('of too few requests is never a pass', () => {
    const report = reported(promoted, {
      story: { events: [], samples: samplesOf(0, 12), hooked: [], power: [], unserved: [] },
    });
    expect(report.outputs['verdict']).toBe('inconclusive');
    expect(report.headline).toBe(
      'green is the live color of ALB rule web-443/10, but inconclusive: error-rate: 12 requests, 20 needed',
    );
    expect(report.annotations?.[0]).toMatchObject({ level: 'warning' });
    expect(report.summary[0]).toMatchObject({ text: 'Blue-green: promoted, verdict inconclusive' });
  });

  test('of a rollback is red and says why, when and how long it took', () => {
    expect(reported({ kind: 'rolled-back', record: BACK, left: undefined })).toMatchObject({
      conclusion: 'failure', outcome: 'rolled-back',
      headline: 'Rolled back to blue: error-rate 31.2 % > 5 % (n=412); traffic was back 1.4s after that was seen',
      outputs: { verdict: 'fail', reason: 'error-rate 31.2 % > 5 % (n=412)', 'detected-at': '2026-11-20T12:01:00Z', 'restored-at': '2026-11-20T12:01:01Z', 'rollback-seconds': '1.4' },
    });
  }); // prettier-ignore

  test('of a rollback that a person asked for is green', () => {
    expect(reported({ kind: 'rolled-back', record: BACK, left: undefined }, {}, { mode: 'rollback' })).toMatchObject({
      conclusion: 'success',
      outputs: { verdict: '' },
    });
  });

  test('of a rollback that took too long says so', () => {
    const late = { ...BACK, restoredAt: after(NOW, minutes(4)) };
    const report = reported({ kind: 'rolled-back', record: late, left: undefined });
    expect(report.annotations).toContainEqual({
      level: 'warning',
      title: 'blue-green',
      message: 'The rollback took 3m, longer than rollback-within 2m',
    });
  });

  test('of a deadline that passed before anything was decided is inconclusive, and of a rule that failed is not', () => {
    const late = { ...BACK, trafficAt: NOW, begunAt: NOW, detectedAt: after(NOW, minutes(30)) };
    const of = (value: number, samples: number) =>
      reported(
        { kind: 'rolled-back', record: late, left: undefined },
        { story: { events: [], samples: samplesOf(value, samples), hooked: [], power: [], unserved: [] } },
      ).outputs['verdict'];
    expect(of(0, 12)).toBe('inconclusive');
    expect(of(0.5, 400)).toBe('fail');
  });

  test('of a release that people did not let in is red and inconclusive', () => {
    const good = { events: [], samples: samplesOf(0, 500), hooked: [], power: [], unserved: [] };
    const refused = { ...BACK, approval: 'refused' as const };
    expect(reported({ kind: 'rolled-back', record: refused, left: undefined }, { story: good })).toMatchObject({
      conclusion: 'failure',
      outputs: { verdict: 'inconclusive' },
    });
  });

  test('of a way back whose traffic an earlier process had moved tells no time', () => {
    const before = { ...BACK, percent: 0, restoredAt: BACK.detectedAt };
    expect(reported({ kind: 'rolled-back', record: before, left: undefined })).toMatchObject({
      headline: 'Rolled back to blue: error-rate 31.2 % > 5 % (n=412); blue had all traffic already',
      outputs: { 'rollback-seconds': '', 'detected-at': '2026-11-20T12:01:00Z' },
    });
  });

  test('of a run that found nothing to do tells no way back of an earlier one', () => {
    expect(reported({ kind: 'unchanged', record: BACK }, {}, { mode: 'rollback' })).toMatchObject({
      outcome: 'unchanged',
      outputs: { 'shift-id': '100-1', reason: '', 'detected-at': '', 'restored-at': '', 'rollback-seconds': '' },
    });
  });

  test('of a rollback with something left to do names it', () => {
    expect(
      reported({ kind: 'rolled-back', record: BACK, left: 'Could not update ECS service shop-green' }).headline,
    ).toContain('Left to do: Could not update ECS service shop-green');
  });

  test('of a candidate that never had traffic has a word of its own and no rollback', () => {
    const never = { ...BACK, percent: 0, trafficAt: undefined, reason: 'shop-green was not deployed' };
    expect(reported({ kind: 'rolled-back', record: never, left: undefined })).toMatchObject({
      outcome: 'candidate-failed', headline: 'The candidate green got no traffic: shop-green was not deployed', outputs: { 'rollback-seconds': '', 'restored-at': '' },
    });
  }); // prettier-ignore

  test.each([
    { name: 'a drain that would have left too few', outcome: { kind: 'not-drained', record: DONE, why: 'green has 1 of 10 healthy targets' } as Outcome, says: 'green has all traffic of ALB rule web-443/10, and blue keeps its tasks as the way back: green has 1 of 10 healthy targets. Look at the targets of green, then run mode: finish, or go back by mode: rollback' },
    { name: 'a drift, with both values', outcome: { kind: 'drifted', route: 'ALB rule web-443/10', record: recordOf(), live: splitGiving('green', 30), expected: [splitGiving('green', 10)] } as Outcome, says: 'it is blue 70 / green 30, shift 100-1 left it at blue 90 / green 10. The weights were left as they are, and nobody judges any more what users of green get' },
    { name: 'a takeover', outcome: { kind: 'superseded', by: '101/1' } as Outcome, says: 'Another run took this shift over (101/1); this one wrote nothing more' },
    { name: 'a refusal, with what to do', outcome: { kind: 'refused', why: 'neither color has a healthy target', next: 'Deploy first' } as Outcome, says: 'Not started (mode run): neither color has a healthy target. Deploy first' },
    { name: 'a failed rollback, with what to do by hand', outcome: { kind: 'rollback-failed', record: BACK, live: splitGiving('green', 50), why: 'access denied' } as Outcome, says: 'Traffic is blue 50 / green 50; give blue all the weight on ALB rule web-443/10' },
  ])('of $name is red', ({ outcome, says }) => {
    const report = reported(outcome);
    expect(report.conclusion).toBe('failure');
    expect(report.headline).toContain(says);
    expect(partsOf(renderSummary(report.summary)).heading).toMatch(new RegExp(`^Blue-green: ${outcome.kind}(, verdict fail)?$`));
  }); // prettier-ignore

  const chartOf = (outcome: Outcome, story: Partial<Reported['story']> = {}) => {
    const events = [{ at: NOW, says: 'green serves 10 % since now', percent: 10 }];
    const whole = { events, samples: samplesOf(0.004, 412), hooked: [], power: [], unserved: [], ...story };
    return chartsOf(renderSummary(reported(outcome, { story: whole }).summary));
  };

  test('draws weights and error rate over time, at most 40 points', () => {
    expect(chartOf(promoted)).toEqual([
      {
        title: '"Traffic and errors of green in percent, errors known from second 15 on"',
        x: '"seconds since its first traffic" 0 --> 300',
        y: '"percent" 0 --> 100',
        series: [Array.from({ length: 21 }, () => 10), [0, ...Array.from({ length: 20 }, () => 0.4)]],
      },
    ]);
    const many = Array.from({ length: 200 }, () => samplesOf(0.004, 412))
      .flat()
      .map((sample, index) => ({ ...sample, at: instant(NOW + index * 100) }));
    expect(chartOf(promoted, { samples: many })[0]?.series.map(({ length }) => length)).toEqual([40, 40]);
  });

  test('draws the way back, which comes after the last sample, and nothing of errors that nobody measured', () => {
    const back: Outcome = { kind: 'rolled-back', record: BACK, left: undefined };
    const events = [
      { at: NOW, says: 'green serves 50 % since now', percent: 50 },
      { at: after(NOW, seconds(301)), says: 'Rolling back', percent: 50 },
      { at: after(NOW, seconds(303)), says: 'blue has all traffic again', percent: 0 },
    ];
    const [chart] = chartOf(back, { events });
    expect(chart?.x).toBe('"seconds since its first traffic" 0 --> 303');
    expect(chart?.series[0]).toEqual([...Array.from({ length: 20 }, () => 50), 0]);
    const blind = samplesOf(0, 0).map((sample) => ({ ...sample, reading: { kind: 'no-data' } as const }));
    expect(chartOf(back, { events, samples: blind })).toMatchObject([{ title: '"Traffic of green in percent"', series: [{}] }]);
  }); // prettier-ignore

  test.each([
    { name: 'a value that is no number', bad: (text: string) => text.replace('line [10', 'line [NaN') },
    { name: 'a value with an exponent', bad: (text: string) => text.replace('0.4', '4e-7') },
    { name: 'a quote in the title', bad: (text: string) => text.replace('errors of', 'errors "of"') },
    { name: 'an empty line', bad: (text: string) => text.replace(/line \[10[^\]]*/, 'line [') },
    { name: 'lines of different lengths', bad: (text: string) => text.replace('line [10, ', 'line [') },
  ])('would not be shown as a chart with $name, and the check of charts finds it', ({ bad }) => {
    const text = renderSummary(reported(promoted).summary);
    expect(chartsOf(text)).toHaveLength(1);
    expect(bad(text)).not.toBe(text);
    expect(() => chartsOf(bad(text))).toThrow(/Mermaid would not take|lines of/);
  });
});

const seen = {
  kind: 'seen', served: 'no-source', routes: [{ name: 'web', live: splitGiving('blue', 100) }], live: splitGiving('blue', 100), spread: 'everywhere',
  own: undefined, seated: 'both', record: undefined, engaged: false, desired: { blue: 3, green: 0 }, scaling: { blue: 'none', green: 'none' }, tagged: undefined, samples: [], candidateHealth: [], deployed: undefined,
  sources: undefined, checked: {}, hooked: [], gate: undefined, request: 'untouched', oldColor: 'unknown', renewal: 'possible', lost: undefined, unscaled: undefined, trouble: undefined,
  targets: { blue: { healthy: 3, total: 3, reasons: [] }, green: { healthy: 0, total: 0, reasons: [] } },
} as const; // prettier-ignore

describe('a release of which nobody knows whether it is good', () => {
  const story = {
    events: [],
    samples: samplesOf(0, 12),
    hooked: [],
    unserved: [],
    power: ['error-rate > stable + 0.1pp: at 3 requests/s'],
  };
  const messageOf = (outcome: Outcome): string => reported(outcome, { story }).annotations?.[0]?.message ?? '';

  test('says which rules a person must look at, and how to go back as long as that is quick', () => {
    const switched: Outcome = { kind: 'switched', record: DONE, judgement: undefined };
    expect(messageOf(switched)).toMatch(
      /^Inconclusive.*Next: look at "error-rate > 5% for 2m".*go back by mode: rollback while blue stands by/,
    );
    expect(messageOf(promoted)).toMatch(/release the earlier image by mode: run, because blue is drained/);
    const texts = reported(promoted, { story }).summary.map((section) => ('text' in section ? section.text : ''));
    expect(texts.join()).toContain('Next: look at');
    expect(texts.join()).toContain('error-rate > stable + 0.1pp: at 3 requests/s');
  });

  test('is not asked of a person when every rule held', () => {
    expect(JSON.stringify(reported(promoted))).not.toContain('Next: look at');
  });
});

describe('commands of the team', () => {
  const hook = (program: string): Hook => ({ program, args: [], timeout: seconds(5), database: 'untouched' });
  const hooked: readonly HookResult[] = [
    { hook: hook('./purge'), end: 'failed', says: 'it ended with 3' },
    { hook: hook('./old-schema'), end: 'skipped', says: 'it changes a database, and allow-database-hooks is not set' },
    { hook: hook('./remove-stack'), end: 'good', says: 'it ended well' },
  ];
  const story = { events: [], samples: samplesOf(0.004, 412), hooked, power: [], unserved: [] };

  test('that fail are told in red, and leave the outcome and the color of the step alone', () => {
    const report = reported(promoted, { story });
    expect(report).toMatchObject({ conclusion: 'success', outcome: 'promoted', outputs: { hooks: 'failed' } });
    expect(report.headline).toMatch(/; 1 of 3 commands failed$/);
    expect(report.annotations?.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      'error: The command ./purge failed: it ended with 3. Traffic was not moved for it, the outcome is promoted; run the command by hand',
      'warning: The command ./old-schema was not run: it changes a database, and allow-database-hooks is not set',
    ]);
    expect(report.summary.at(-1)).toMatchObject({
      kind: 'table',
      rows: hooked.map((each) => [each.hook.program, each.end, each.says]),
    });
  });
});

describe('the plan', () => {
  test('says what would be done first, and then, with the shortest and the longest time', () => {
    expect(
      planOf(goalOf({ policy: policyOf({ rules: ['error-rate > 5% for 2m'] }), checks: 'given' }), seen, NOW),
    ).toEqual([
      'First: record preparing: blue is live; green becomes the candidate',
      'Prepare: green into the rule at weight 0, deployed and healthy within 15m',
      'Check the candidate before it has traffic',
      'green at 10 %, judged for 5m',
      'green at 50 %, judged for 5m',
      'green at 100 %, judged for 5m',
      'Recheck after 30s for 2m',
      'Check again, through the front door',
      'Rule: fail: error-rate > 5% for 2m',
      'Judged time 17m30s to 25m30s, deadline 30m',
      'Drain blue for 5m, then scale it to 0',
    ]);
  });

  test('says why nothing would be done', () => {
    expect(planOf(goalOf({ mode: 'finish' }), seen, NOW)).toEqual([
      'First: nothing: no switched shift waits to be finished. Run mode: shift first',
    ]);
  });
});

test('the state shows traffic, targets and the shift', () => {
  const shift = (change: Partial<ShiftRecord>, at = NOW) => stateOf({ ...seen, record: recordOf(change) }, at).at(-1);
  expect(stateOf({ ...seen, record: recordOf({ reason: 'p95 too high' }) }, NOW)).toEqual([
    'Traffic: blue 100 / green 0',
    'blue: 3 of 3 targets healthy, 3 tasks asked for',
    'green: 0 of 0 targets healthy, 0 tasks asked for',
    expect.stringMatching(
      /^Shift: 100-1 of run 100\/1, judging, 10 % of green, its run is at work \(last sign .* ago, taken for dead at [\d:]{8} UTC\), because: p95 too high$/,
    ),
  ]);
  const leaseUntil = after(NOW, seconds(90));
  expect(shift({ phase: 'shifting', from: 10, percent: 50, leaseUntil }, after(NOW, seconds(40)))).toBe(
    'Shift: 100-1 of run 100/1, shifting, 10 -> 50 % of green, its run is at work (last sign 40s ago, taken for dead at 12:01:30 UTC)',
  );
  expect(shift({ leaseUntil }, after(NOW, minutes(3)))).toContain(
    'nobody is at work (last sign 3m ago, taken for dead since 12:01:30 UTC)',
  );
  expect(shift({ phase: 'done', percent: 100 })).toBe('Shift: 100-1 of run 100/1, done, 100 % of green');
});

test.each([
  { name: 'is the one without users', live: splitGiving('blue', 100), idle: 'green' },
  { name: 'is none while both have some', live: splitGiving('blue', 90), idle: '' },
  { name: 'is none while the one with users is not healthy', live: splitGiving('green', 100), idle: '' },
])('the idle color $name', ({ live, idle }) => {
  const looked = { outcome: 'status', seen: { ...seen, live }, lines: [], router: 'ALB rule web-443/10', outputs: {} } as const;
  expect(lookedReport(looked).outputs).toMatchObject({ 'idle-color': idle });
}); // prettier-ignore

test('a look of a schedule that finds nothing to do tells no way back of before', () => {
  const back = { detectedAt: minutes(1), restoredAt: minutes(2), reason: 'error-rate', phase: 'rolled-back' } as const;
  const looked = {
    seen: { ...seen, record: { ...recordOf(), ...back } as never },
    lines: [],
    router: 'r',
    outputs: {},
  };
  const told = { reason: 'error-rate', 'rollback-seconds': '60.0' };
  expect(lookedReport({ ...looked, outcome: 'status' }).outputs).toMatchObject(told);
  const none = { reason: '', 'detected-at': '', 'restored-at': '', 'rollback-seconds': '' };
  expect(lookedReport({ ...looked, outcome: 'nothing-to-do' }).outputs).toMatchObject(none);
});
