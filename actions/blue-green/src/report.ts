import type { Judgement } from '../../../src/domain/analysis/judge.ts';
import {
  type Duration,
  type Instant,
  after,
  between,
  formatDuration,
  formatInstant,
  formatTimeOfDay,
} from '../../../src/domain/duration.ts';
import type { Policy } from '../../../src/domain/policy/policy.ts';
import type { Annotation, Report, Section } from '../../../src/domain/report.ts';
import { type Live, stableColor } from '../../../src/domain/shift/live-color.ts';
import { type ShiftRecord, hadTraffic } from '../../../src/domain/shift/record.ts';
import { type Color, type TrafficSplit, formatSplit, otherColor } from '../../../src/domain/traffic-split.ts';
import { unreachable } from '../../../src/domain/unreachable.ts';
import type { Address } from './goal.ts';
import type { Request } from './inputs.ts';
import type { Goal } from './decide/goal.ts';
import type { Outcome } from './decide/moves.ts';
import type { Seen } from './decide/seen.ts';
import { hooksAnnotations, hooksOutput, hooksSection, hooksWords } from './report/hooks.ts';
import { chartOf } from './report/chart.ts';
import { type Story, judgeStory, rowOf, valuesOf } from './report/story.ts';

export interface Reported {
  readonly outcome: Outcome;
  readonly record: ShiftRecord | undefined;
  readonly story: Story;
  readonly changed: 'yes' | 'no';
  readonly goal: Goal;
  /** Name of the place where the traffic is decided. */
  readonly router: string;
  /** Outputs that do not depend on how it ended. */
  readonly outputs: Readonly<Record<string, string>>;
}

export type Verdict = 'pass' | 'warn' | 'inconclusive' | 'fail' | '';

/** PURE: what a run has to say at its end, whatever the end is. */
export function reportOf(reported: Reported): Report {
  const { outcome, record, story, goal } = reported;
  const judgement = judgeStory(goal.policy, story, record);
  const verdict = verdictOf(outcome, judgement, goal);
  const headline = `${headlineOf(reported, judgement)}${hooksWords(story.hooked)}`;
  return {
    conclusion: isSuccess(outcome, goal) ? 'success' : 'failure',
    outcome: nameOf(outcome, goal),
    headline,
    changed: reported.changed === 'yes',
    outputs: {
      ...reported.outputs,
      ...outputsOf(record, verdict),
      ...(goesBack(outcome) ? {} : NO_WAY_BACK),
      hooks: hooksOutput(story.hooked),
    },
    summary: summaryOf(reported, { judgement, verdict, headline }),
    annotations: [...annotationsOf(reported, judgement), ...hooksAnnotations(story.hooked, nameOf(outcome, goal))],
  };
}

/** A release that never got traffic did not fail users; that is worth a word of its own. */
export const nameOf = (outcome: Outcome, goal: Goal): string =>
  outcome.kind === 'rolled-back' && goal.mode !== 'rollback' && neverHadTraffic(outcome.record)
    ? 'candidate-failed'
    : outcome.kind;

const neverHadTraffic = (record: ShiftRecord): boolean => !hadTraffic(record);

function isSuccess(outcome: Outcome, goal: Goal): boolean {
  if (outcome.kind === 'rolled-back') return goal.mode === 'rollback';
  return (
    outcome.kind === 'promoted' ||
    outcome.kind === 'switched' ||
    outcome.kind === 'prepared' ||
    outcome.kind === 'unchanged'
  );
}

function verdictOf(outcome: Outcome, judgement: Judgement | undefined, goal: Goal): Verdict {
  if (outcome.kind === 'rolled-back' || outcome.kind === 'rollback-failed') {
    if (goal.mode === 'rollback') return '';
    // Whoever was not let in was not judged bad: nobody knows how it would have ended.
    const isOpen = outcome.record.approval === 'refused' || isUndecided(outcome.record, judgement, goal);
    return isOpen ? 'inconclusive' : 'fail';
  }
  if (judgement === undefined || (outcome.kind !== 'promoted' && outcome.kind !== 'switched')) return '';
  if (judgement.verdict.kind !== 'passing') return 'inconclusive';
  return judgement.warnings.length > 0 ? 'warn' : 'pass';
}

/** Its time was over before anything was decided: nobody knows whether it is bad. */
const isUndecided = (
  { begunAt, detectedAt }: ShiftRecord,
  judgement: Judgement | undefined,
  { policy }: Goal,
): boolean =>
  detectedAt !== undefined &&
  detectedAt >= after(begunAt, policy.deadline) &&
  judgement !== undefined &&
  judgement.verdict.kind !== 'failed' &&
  judgement.verdict.kind !== 'passing';

/** undefined also where the candidate had 0 % when the reason was seen: an earlier process had taken the traffic back. */
export const rollbackTime = (record: ShiftRecord | undefined): Duration | undefined =>
  record?.detectedAt === undefined || record.restoredAt === undefined || record.percent === 0
    ? undefined
    : between(record.detectedAt, record.restoredAt);

/** Of its own way back a run tells all; that of an earlier one is no incident of now, and whoever reads `detected-at` takes it for one. */
const goesBack = ({ kind }: Outcome): boolean => kind === 'rolled-back' || kind === 'rollback-failed';

const NO_WAY_BACK = { reason: '', 'detected-at': '', 'restored-at': '', 'rollback-seconds': '' };

function outputsOf(record: ShiftRecord | undefined, verdict: Verdict): Record<string, string> {
  const time = (moment: Instant | undefined): string => (moment === undefined ? '' : formatInstant(moment));
  const took = rollbackTime(record);
  const isBack = record !== undefined && hadTraffic(record);
  return {
    'shift-id': record?.id ?? '',
    phase: record?.phase ?? '',
    'stable-color': record?.stable ?? '',
    'candidate-color': record?.candidate ?? '',
    verdict,
    reason: record?.detectedAt === undefined ? '' : record.reason,
    'detected-at': time(record?.detectedAt),
    'restored-at': isBack ? time(record?.restoredAt) : '',
    'rollback-seconds': took === undefined || !isBack ? '' : (took / 1_000).toFixed(1),
  };
}

function headlineOf({ outcome, goal, router }: Reported, judgement: Judgement | undefined): string {
  switch (outcome.kind) {
    case 'promoted':
      return `${outcome.record.candidate} is the live color of ${router}${judgedWords(judgement)}`;
    case 'switched':
      return `${outcome.record.candidate} has all traffic of ${router}, ${outcome.record.stable} stands by${judgedWords(judgement)}`;
    case 'prepared':
      return `${outcome.record.candidate} is ready at weight 0, shift ${outcome.record.id}`;
    case 'unchanged':
      return `Nothing to do: shift ${outcome.record.id} is ${outcome.record.phase} already`;
    case 'rolled-back':
      return `${rolledBackWords(outcome.record)}${outcome.left === undefined ? '' : `. Left to do: ${outcome.left}`}`;
    case 'rollback-failed':
      return `The rollback of shift ${outcome.record.id} failed: ${outcome.why}. Traffic is ${shown(outcome.live)}; give ${outcome.record.stable} all the weight on ${router}. It began because of: ${outcome.record.reason}`;
    case 'drifted':
      return `Somebody else moved the traffic of ${outcome.route}: it is ${shown(outcome.live)}, shift ${outcome.record.id} left it at ${outcome.expected.map(formatSplit).join(' or ')}. The weights were left as they are, and nobody judges any more what users of ${outcome.record.candidate} get: set them back, or go back by mode: rollback`;
    case 'not-drained':
      return `${outcome.record.candidate} has all traffic of ${router}, and ${outcome.record.stable} keeps its tasks as the way back: ${outcome.why}. Look at the targets of ${outcome.record.candidate}, then run mode: finish, or go back by mode: rollback`;
    case 'superseded':
      return `Another run took this shift over (${outcome.by}); this one wrote nothing more`;
    case 'refused':
      return `Not started (mode ${goal.mode}): ${outcome.why}. ${outcome.next}`;
    default:
      return unreachable(outcome);
  }
}

const shown = (live: Live | TrafficSplit): string =>
  live === 'none' ? 'nowhere, both weights are 0' : formatSplit(live);

function judgedWords(judgement: Judgement | undefined): string {
  if (judgement === undefined) return '';
  if (judgement.verdict.kind === 'passing')
    return judgement.warnings.length === 0 ? ': every rule held' : `, with a warning: ${judgement.warnings.join('; ')}`;
  return `, but inconclusive: ${'says' in judgement.verdict ? judgement.verdict.says : ''}`;
}

function rolledBackWords(record: ShiftRecord): string {
  const took = rollbackTime(record);
  if (neverHadTraffic(record)) return `The candidate ${record.candidate} got no traffic: ${record.reason}`;
  const before = record.percent === 0 ? `; ${record.stable} had all traffic already` : '';
  const back = took === undefined ? before : `; traffic was back ${formatDuration(took)} after that was seen`;
  return `Rolled back to ${record.stable}: ${record.reason}${back}`;
}

/** What a person does with a release of which nobody knows whether it is good. */
export function nextWords(outcome: Outcome, judgement: Judgement | undefined): string | undefined {
  const ended = outcome.kind === 'promoted' || outcome.kind === 'switched';
  if (!ended || judgement === undefined || judgement.verdict.kind === 'passing') return undefined;
  const open = judgement.findings.filter(({ standing }) => standing.kind !== 'passing').map(({ rule }) => rule.text);
  const { stable, candidate } = outcome.record;
  const back =
    outcome.kind === 'switched'
      ? `go back by mode: rollback while ${stable} stands by`
      : `release the earlier image by mode: run, because ${stable} is drained`;
  return `Next: look at ${open.length === 0 ? 'the metrics' : open.map((rule) => `"${rule}"`).join(', ')} of ${candidate} yourself. If it is worse, ${back}. To know by itself next time: a longer bake, or on-inconclusive: hold, which waits for certainty until the deadline`;
}

/** Said, not hidden: a rollback that took longer than the policy allows. */
export function lateWords(record: ShiftRecord | undefined, policy: Policy): string | undefined {
  const took = rollbackTime(record);
  if (took === undefined || took <= policy.rollbackWithin) return undefined;
  return `The rollback took ${formatDuration(took)}, longer than rollback-within ${formatDuration(policy.rollbackWithin)}`;
}

function annotationsOf({ record, goal, outcome }: Reported, judgement: Judgement | undefined): readonly Annotation[] {
  const late = lateWords(record, goal.policy);
  const title = 'blue-green';
  const inconclusive =
    (outcome.kind === 'promoted' || outcome.kind === 'switched') &&
    judgement !== undefined &&
    judgement.verdict.kind !== 'passing';
  return [
    ...(late === undefined ? [] : [{ level: 'warning', title, message: late } as const]),
    ...(inconclusive
      ? [
          {
            level: 'warning',
            title,
            message: `Inconclusive${judgedWords(judgement)}. ${nextWords(outcome, judgement) ?? ''}`,
          } as const,
        ]
      : []),
    ...(judgement?.warnings ?? []).map((message) => ({ level: 'warning', title, message }) as const),
  ];
}

interface Said {
  readonly judgement: Judgement | undefined;
  readonly verdict: Verdict;
  readonly headline: string;
}

function summaryOf(reported: Reported, { judgement, verdict, headline }: Said): readonly Section[] {
  const { outcome, record, story, goal } = reported;
  const late = lateWords(record, goal.policy);
  const next = nextWords(outcome, judgement);
  const chart = chartOf(goal.policy, story, record);
  return [
    { kind: 'heading', text: `Blue-green: ${nameOf(outcome, goal)}${verdict === '' ? '' : `, verdict ${verdict}`}` },
    { kind: 'verbatim', text: headline },
    ...(late === undefined ? [] : [{ kind: 'text', text: `${late}.` } as const]),
    ...(next === undefined ? [] : [{ kind: 'text', text: `${next}.` } as const]),
    ...(story.power.length === 0
      ? []
      : [{ kind: 'verbatim', text: ['What this policy could see:', ...story.power].join('\n') } as const]),
    ...(story.events.length === 0 ? [] : [timelineOf(reported)]),
    ...(chart === undefined ? [] : [{ kind: 'mermaid', source: chart } as const]),
    ...(judgement === undefined
      ? []
      : [
          {
            kind: 'table',
            columns: ['rule', 'level', 'last value', 'end'],
            rows: judgement.findings.map(rowOf),
          } as const,
        ]),
    ...hooksSection(story.hooked),
  ];
}

function timelineOf({ story, goal, record }: Reported): Section {
  const rates = valuesOf(goal.policy, story, 'error-rate');
  const rateAt = (at: Instant): string => {
    const last = rates.filter((each) => each.at <= at).at(-1);
    return last === undefined ? '' : `${(last.value * 100).toFixed(2)} %`;
  };
  const rows = story.events.map(({ at, says, percent }) => [formatTimeOfDay(at), `${percent} %`, rateAt(at), says]);
  return { kind: 'table', columns: ['UTC', record?.candidate ?? 'candidate', 'error-rate', 'what'], rows };
}

export interface Looked {
  readonly outcome: 'status' | 'planned' | 'nothing-to-do' | 'stale';
  readonly seen: Seen;
  readonly lines: readonly string[];
  readonly router: string;
  readonly outputs: Readonly<Record<string, string>>;
  /** What became of what an earlier way back took from users. */
  readonly tidied?: { readonly changed: 'yes' | 'no'; readonly says: string | undefined } | undefined;
}

/** A run that only looked. */
export function lookedReport({ outcome, seen, lines, router, outputs, tidied }: Looked): Report {
  const traffic = `Traffic of ${router} is ${shown(seen.live)}; ${tidied?.says ?? 'nothing was changed'}`;
  return {
    conclusion: outcome === 'stale' ? 'failure' : 'success',
    outcome,
    headline: outcome === 'stale' ? `${lines.join('. ')}. ${traffic}` : traffic,
    changed: tidied?.changed === 'yes',
    outputs: {
      ...outputs,
      ...outputsOf(seen.record, ''),
      // On a schedule an old way back would be told as a new incident at each look.
      ...(outcome === 'nothing-to-do' ? NO_WAY_BACK : {}),
      'idle-color': idleColor(seen),
    },
    summary: [
      { kind: 'heading', text: `Blue-green: ${outcome}` },
      { kind: 'verbatim', text: lines.join('\n') },
    ],
  };
}

/** Where a step of the team's own may deploy; nowhere while both colors have users, or none. */
function idleColor({ live, targets }: Seen): Color | '' {
  const stable = stableColor(live, targets);
  return stable.kind === 'live' ? otherColor(stable.color) : '';
}

/** What the next job needs to reach the candidate, and to move the same traffic. */
export function outputsOfAddress(
  request: Request,
  address: ((color: Color) => Address) | undefined,
  candidate: Color | undefined,
): Record<string, string> {
  const reached = candidate === undefined ? undefined : address?.(candidate);
  return {
    'candidate-url': reached?.url ?? '',
    'candidate-headers': reached === undefined ? '' : JSON.stringify(reached.headers),
    routes: JSON.stringify(request.routes),
  };
}
