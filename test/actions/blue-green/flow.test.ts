import { describe, expect, test } from '@jest/globals';
import { reportOf } from '../../../actions/blue-green/src/report.ts';
import { type Duration, minutes, seconds } from '../../../src/domain/duration.ts';
import type { Measurement, MetricProvider, MetricQuery, Window } from '../../../src/ports/metric-provider.ts';
import { goalOf, policyOf } from './rehearsal.ts';
import { POLICY, type Stage, openStage } from './stage.ts';

const COMPARED = policyOf({
  rules: ['error-rate > 5% for 2m', 'error-rate > stable + 0.1pp'],
  bake: '1m',
  recheck: { after: '15s', for: '30s' },
  metrics: { 'error-rate': { from: 'web', url: 'http://metrics.test/{color}', value: '$.rate', samples: '$.n' } },
});

async function run(requests: ((query: MetricQuery) => Measurement) | undefined, policy = POLICY): Promise<Stage> {
  const stage = openStage();
  const measure = async (query: MetricQuery): Promise<Measurement> => requests?.(query) ?? { kind: 'no-data' };
  if (requests !== undefined) stage.requests = { name: 'requests', memory: 'kept', measure };
  const { story } = await stage.run({ policy });
  stage.said = story;
  return stage;
}
const rate = (value: number): Measurement => ({ kind: 'value', value, samples: 1 });

describe('what is said of requests', () => {
  test('before the first traffic: what each step can see, and how long the margin takes', async () => {
    const { said, log } = await run(({ arm }) => rate(arm === 'stable' ? 50 : 5), COMPARED);
    expect(said?.power).toEqual([
      expect.stringMatching(
        /^error-rate > stable \+ 0\.1pp: at 50 requests\/s and .* errors, 10 % sees \+.* in 1m, 50 % sees .*; \+ ?0\.1pp takes about .* at 50 %$/,
      ),
    ]);
    expect(log.entries.map(({ line }) => line).join()).toContain('What this policy can see');
  });

  test('that it is not known, where no source tells the requests', async () => {
    expect((await run(undefined, COMPARED)).said?.power).toEqual([expect.stringContaining('is not known')]);
  });

  test('at the end of each step: how many each color got, whatever the share', async () => {
    const { said } = await run(({ arm }) => rate(arm === 'stable' ? 45 : 5));
    const lines = said?.events.map(({ says }) => says).filter((says) => says.startsWith('Requests at')) ?? [];
    expect(lines).toEqual([10, 50, 100].map((percent) => `Requests at weight ${percent}: green 5/s (10 %), blue 45/s`));
  });

  test('a source that does not answer stops nothing', async () => {
    const { journal } = await run(() => ({ kind: 'unreachable', cause: new Error('denied') }));
    expect(journal.current()?.phase).toBe('done');
  });
});

describe('a candidate that has weight and gets no request', () => {
  const LOST = ({ arm }: MetricQuery): Measurement => (arm === 'stable' ? rate(45) : { kind: 'no-data' });
  const SHORT = { bake: '1m', recheck: { after: '15s', for: '30s' }, deadline: '10m' };
  const verdictOf = async (
    more: Record<string, unknown>,
    requests = LOST,
    { lingers = seconds(0), ...source }: { readonly lingers?: Duration } & Pick<MetricProvider, 'periods'> = {},
  ) => {
    const stage = openStage();
    stage.requests = { name: 'requests', memory: 'kept', measure: async (query) => requests(query), ...source };
    stage.router.lingers = async () => lingers;
    const policy = policyOf({ ...SHORT, ...more });
    const result = await stage.run({ policy });
    const goal = goalOf({ policy });
    const report = reportOf({ ...result, goal, router: 'web', outputs: {} });
    return { story: result.story, report, outcome: result.outcome.kind, percent: result.record?.percent };
  };
  const SAYS = 'Requests at weight 10: green none (0 %), blue 45/s: green gets no request although it has weight';

  test('is taken back after no-data-timeout', async () => {
    const { report, outcome, percent } = await verdictOf({});
    expect({ outcome, percent, verdict: report.outputs['verdict'] }).toEqual({
      outcome: 'rolled-back',
      percent: 10,
      verdict: 'fail',
    });
    expect(report.outputs['reason']).toMatch(`${SAYS}, for 2m (limit 2m)`);
  });

  test('is held until the deadline by on-no-data: hold, and the verdict is inconclusive', async () => {
    const { story, report, outcome, percent } = await verdictOf({ 'on-no-data': 'hold' });
    expect({ outcome, percent, verdict: report.outputs['verdict'] }).toEqual({
      outcome: 'rolled-back',
      percent: 10,
      verdict: 'inconclusive',
    });
    expect(report.outputs['reason']).toBe(`${SAYS}; the deadline of 10m passed at 10 %`);
    expect(story.events.filter(({ says }) => says === SAYS)).toHaveLength(1);
  });

  test('goes on by on-no-data: continue, and never passes', async () => {
    const { report, outcome } = await verdictOf({ 'on-no-data': 'continue' });
    expect({ outcome, verdict: report.outputs['verdict'] }).toEqual({ outcome: 'promoted', verdict: 'inconclusive' });
    expect(report.headline).toContain(`inconclusive: ${SAYS}`);
  });

  test('and gets some later goes on and passes', async () => {
    let asked = 0;
    const late = (query: MetricQuery): Measurement =>
      query.arm === 'candidate' && ++asked > 4 ? rate(5) : LOST(query);
    const { report, outcome } = await verdictOf({}, late);
    expect({ outcome, verdict: report.outputs['verdict'] }).toEqual({ outcome: 'promoted', verdict: 'pass' });
  });

  test('is not taken back for what a source does not answer', async () => {
    const deaf = ({ arm }: MetricQuery): Measurement =>
      arm === 'stable' ? rate(45) : { kind: 'unreachable', cause: new Error('Rate exceeded') };
    const { report, outcome } = await verdictOf({ bake: '2m30s' }, deaf);
    expect({ outcome, verdict: report.outputs['verdict'] }).toEqual({ outcome: 'promoted', verdict: 'pass' });
  });

  test('is not passed over because the source is silent since', async () => {
    let asked = 0;
    const falls = (query: MetricQuery): Measurement =>
      ++asked > 12 ? { kind: 'unreachable', cause: new Error('Rate exceeded') } : LOST(query);
    const { report, outcome, percent } = await verdictOf({}, falls);
    expect({ outcome, percent, verdict: report.outputs['verdict'] }).toEqual({
      outcome: 'rolled-back',
      percent: 10,
      verdict: 'inconclusive',
    });
    expect(report.outputs['reason']).toBe(`${SAYS}; the deadline of 10m passed at 10 %`);
  });

  test('is asked for again after a moment in which the source was silent', async () => {
    let asked = 0;
    const deafOnce = (query: MetricQuery): Measurement =>
      ++asked === 3 ? { kind: 'unreachable', cause: new Error('Rate exceeded') } : LOST(query);
    expect(await verdictOf({}, deafOnce)).toMatchObject({ outcome: 'rolled-back', percent: 10 });
  });

  test('because two requests a minute are too few to reach it is not taken for lost', async () => {
    const night = ({ arm }: MetricQuery): Measurement => (arm === 'stable' ? rate(2 / 60) : { kind: 'no-data' });
    const { report, outcome, story } = await verdictOf({ steps: ['10%', '100%'], bake: '2m' }, night);
    expect({ outcome, verdict: report.outputs['verdict'] }).toEqual({ outcome: 'promoted', verdict: 'pass' });
    expect(story.events.map(({ says }) => says).join()).toMatch(/at weight 10: green none .*; about 0\.4 would have been its share so far, too few to tell/);
  }); // prettier-ignore

  test('is not expected to have got any in what a source with periods knows of before', async () => {
    const periods = { length: minutes(1), delay: seconds(30) };
    const few = ({ arm }: MetricQuery): Measurement => (arm === 'stable' ? rate(0.5) : { kind: 'no-data' });
    const { story } = await verdictOf({ bake: '2m' }, few, { periods });
    expect(story.events.map(({ says }) => says).join()).toMatch(/at weight 10: .* too few to tell/);
  });

  test('while clients are kept on their color goes on, and never passes', async () => {
    const { report, outcome } = await verdictOf({}, LOST, { lingers: minutes(5) });
    expect({ outcome, verdict: report.outputs['verdict'] }).toEqual({ outcome: 'promoted', verdict: 'inconclusive' });
    expect(report.headline).toContain(`inconclusive: ${SAYS}; clients are kept on their color for 5m`);
  });

  test('while clients are kept on their color is taken back by on-inconclusive: rollback', async () => {
    const { report, outcome } = await verdictOf({ 'on-inconclusive': 'rollback' }, LOST, { lingers: minutes(5) });
    expect(outcome).toBe('rolled-back');
    expect(report.outputs['reason']).toMatch(/^inconclusive: Requests at weight 10/);
  });

  test('in the last minute of a step, but did before in it, is judged', async () => {
    const rare = async (query: MetricQuery, { from, to }: Window): Promise<Measurement> =>
      query.arm === 'candidate' && to - from > minutes(1) ? rate(0.01) : LOST(query);
    const stage = openStage();
    stage.requests = { name: 'requests', memory: 'kept', measure: rare };
    const { outcome } = await stage.run({ policy: policyOf({ ...SHORT, bake: '90s' }) });
    expect(outcome.kind).toBe('promoted');
  });
});
