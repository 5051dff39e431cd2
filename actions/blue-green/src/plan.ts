import { formatDuration, formatInstant } from '../../../src/domain/duration.ts';
import { longestTime, longestWait, shortestTime } from '../../../src/domain/policy/budget.ts';
import { formatHook } from '../../../src/domain/shift/hooks.ts';
import { type ShiftRecord, formatRun, isOver, isResting } from '../../../src/domain/shift/record.ts';
import { lifeWords, stageWords } from '../../../src/domain/shift/record-words.ts';
import { formatScaling } from '../../../src/domain/shift/scaling.ts';
import { type Color, formatSplit, otherColor } from '../../../src/domain/traffic-split.ts';
import { unreachable } from '../../../src/domain/unreachable.ts';
import type { OpenGate } from '../../../src/domain/shift/gate.ts';
import { decide } from './decide.ts';
import { gateBefore } from './decide/gate.ts';
import type { Goal } from './decide/goal.ts';
import type { Decision } from './decide/moves.ts';
import { type Seen, leftWords } from './decide/seen.ts';
import type { Instant } from '../../../src/domain/duration.ts';

/** What is there now, a line each: for `status` and for the plan. */
export function stateOf(seen: Seen, now: Instant): readonly string[] {
  const { live, record, targets, desired, scaling } = seen;
  const color = (each: Color): string => {
    const { healthy, total, reasons } = targets[each];
    const why = reasons.length === 0 ? '' : ` (${reasons.join(', ')})`;
    const scaled = scaling[each] === 'none' ? '' : `, ${formatScaling(scaling[each])}`;
    return `${each}: ${healthy} of ${total} targets healthy${why}, ${desired === 'unknown' ? 'tasks unknown' : `${desired[each]} tasks asked for`}${scaled}`;
  };
  return [
    `Traffic: ${live === 'none' ? 'nowhere, both weights are 0' : formatSplit(live)}`,
    color('blue'),
    color('green'),
    record === undefined ? 'Shift: none was ever recorded' : `Shift: ${wordsOf(record, now)}`,
    ...(record?.gate === undefined ? [] : [`Approval: ${wordsOfGate(record.gate)}`]),
  ];
}

function wordsOf(record: ShiftRecord, now: Instant): string {
  const reason = record.reason === '' ? '' : `, because: ${record.reason}`;
  return `${record.id} of run ${formatRun(record.run)}, ${stageWords(record)} of ${record.candidate}${workWords(record, now)}${reason}`;
}

function workWords(record: ShiftRecord, now: Instant): string {
  if (isOver(record.phase)) return '';
  if (isResting(record.phase)) return ', rests between two jobs';
  return `, ${now < record.leaseUntil ? 'its run is at work' : 'nobody is at work'} (${lifeWords(record, now)})`;
}

const wordsOfGate = ({ before, issue, asked, until }: OpenGate): string => {
  const request = issue === undefined ? 'its request is being opened' : `request ${issue} asks ${asked.join(', ')}`;
  return `${before} % waits for it until ${formatInstant(until)}; ${request}`;
};

/** What a run would do first, and then, if all goes well. Nothing of it is done. */
export function planOf(goal: Goal, seen: Seen, now: Instant): readonly string[] {
  const first = decide(goal, seen, now);
  return [`First: ${wordsOfDecision(first)}`, ...restOf(goal, first, seen)];
}

function wordsOfDecision(decision: Decision): string {
  switch (decision.kind) {
    case 'wait':
      return `wait for ${decision.for}`;
    case 'done':
      return decision.outcome.kind === 'refused'
        ? `nothing: ${decision.outcome.why}. ${decision.outcome.next}`
        : `nothing: ${decision.outcome.kind}`;
    case 'move':
      return decision.move.kind === 'record'
        ? `record ${decision.move.record.phase}: ${decision.move.says ?? 'lease'}`
        : decision.move.kind;
    default:
      return unreachable(decision);
  }
}

const gateWords = (goal: Goal, percent: number): string => {
  const gate = gateBefore(goal, percent);
  if (gate === undefined) return '';
  return ` after approval by ${gate.who} (${gate.file}), asked for ${formatDuration(gate.within)} at most while the step before is judged on`;
};

function restOf(goal: Goal, first: Decision, seen: Seen): readonly string[] {
  if (first.kind !== 'move' || first.move.kind !== 'record' || first.move.record.phase === 'rolling-back') return [];
  const { policy, checks, drain, oldDesired, mode } = goal;
  const { candidate } = first.move.record;
  const prepare = [
    `Prepare: ${candidate} into the rule at weight 0, ${goal.deploy === 'none' ? 'deployed by somebody else, and' : 'deployed and'} healthy within ${formatDuration(goal.prepareWithin)}`,
    ...(checks === 'given' ? ['Check the candidate before it has traffic'] : []),
  ];
  const recheck =
    policy.recheck === undefined
      ? []
      : [`Recheck after ${formatDuration(policy.recheck.after)} for ${formatDuration(policy.recheck.for)}`];
  const shift = [
    ...policy.steps.map(
      (percent) => `${candidate} at ${percent} %${gateWords(goal, percent)}, judged for ${formatDuration(policy.bake)}`,
    ),
    ...recheck,
    ...(checks === 'given' ? ['Check again, through the front door'] : []),
    ...policy.rules.map((rule) => `Rule: ${rule.level}: ${rule.text}`),
    `Judged time ${formatDuration(shortestTime(policy))} to ${formatDuration(longestTime(policy))}, ${policy.gates.length === 0 ? '' : `waiting for people ${formatDuration(longestWait(policy))} at most, `}deadline ${formatDuration(policy.deadline)}`,
  ];
  const finish = [
    `Drain ${otherColor(candidate)} for ${formatDuration(drain)}${seen.desired === 'unknown' ? leftWords(seen, otherColor(candidate)) : `, then scale it to ${oldDesired}`}`,
    ...goal.hooks['after-promote'].map((hook) => `Then run: ${formatHook(hook)}`),
  ];
  switch (mode) {
    case 'run':
      return [...prepare, ...shift, ...finish];
    case 'prepare':
      return prepare;
    case 'shift':
      return shift;
    case 'finish':
      return finish;
    case 'rollback':
    case 'settle':
      return [];
    default:
      return unreachable(mode);
  }
}
