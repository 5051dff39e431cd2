import { type Finding, type Judgement, judge } from '../../../../src/domain/analysis/judge.ts';
import { type Sample, seriesOf } from '../../../../src/domain/analysis/sample.ts';
import { lastValue } from '../../../../src/domain/analysis/words.ts';
import type { Instant } from '../../../../src/domain/duration.ts';
import type { Policy } from '../../../../src/domain/policy/policy.ts';
import type { HookResult } from '../../../../src/domain/shift/hooks.ts';
import type { ShiftRecord } from '../../../../src/domain/shift/record.ts';

/** One line of what happened, for the summary. */
export interface Event {
  readonly at: Instant;
  readonly says: string;
  /** Percent of the traffic that the candidate had from then on. */
  readonly percent: number;
}

/** What a run has to tell when it ends, whatever its end. */
export interface Story {
  readonly events: readonly Event[];
  readonly samples: readonly Sample[];
  readonly hooked: readonly HookResult[];
  /** What the policy could see with the requests of the beginning, a line a rule. */
  readonly power: readonly string[];
  /** What was said of steps that ended without a request for the candidate. */
  readonly unserved: readonly string[];
}

/** The whole shift judged once more, over everything that was measured. */
export function judgeStory(policy: Policy, story: Story, record: ShiftRecord | undefined): Judgement | undefined {
  if (record?.trafficAt === undefined || story.samples.length === 0) return undefined;
  const judgement = judge(policy, { samples: story.samples, begin: record.trafficAt, since: record.trafficAt });
  const [says] = story.unserved;
  // Rules that hold say nothing of a candidate that users did not reach.
  return says === undefined || judgement.verdict.kind !== 'passing'
    ? judgement
    : { ...judgement, verdict: { kind: 'inconclusive', says } };
}

/** `error-rate > 5% for 2m` | `0.4 % (n=412)` | `passing` */
export const rowOf = ({ rule, standing, last }: Finding): readonly string[] => [
  rule.text,
  rule.level,
  lastValue(rule, last),
  standing.kind === 'passing' ? 'holds' : standing.kind === 'failed' ? `**failed**: ${standing.says}` : standing.says,
];

/** Values of one metric over time, for the chart: moment and fraction. */
export function valuesOf(
  policy: Policy,
  story: Story,
  metric: string,
): readonly { readonly at: Instant; readonly value: number }[] {
  const rule = policy.rules.find((each) => each.metric === metric);
  if (rule === undefined) return [];
  const { key } = seriesOf(rule, policy.interval);
  return story.samples.flatMap(({ series, at, reading }) =>
    series === key && reading.kind === 'value' ? [{ at, value: reading.value }] : [],
  );
}
