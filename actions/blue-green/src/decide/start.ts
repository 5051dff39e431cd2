import type { Instant } from '../../../../src/domain/duration.ts';
import { stableColor } from '../../../../src/domain/shift/live-color.ts';
import { NO_HOOKS_DONE } from '../../../../src/domain/shift/hooks.ts';
import { type ShiftRecord, leaseFrom, stableOnly } from '../../../../src/domain/shift/record.ts';
import type { HeldScaling } from '../../../../src/domain/shift/scaling.ts';
import { type Color, formatSplit, otherColor, splitGiving } from '../../../../src/domain/traffic-split.ts';
import { unreachable } from '../../../../src/domain/unreachable.ts';
import { allAre, difference } from './routes.ts';
import { heldBefore } from './scaling.ts';
import { isLeaving, leavingWords } from './size.ts';
import type { Goal } from './goal.ts';
import { type Decision, done, enter, refused } from './moves.ts';
import type { Seen } from './seen.ts';

/** No shift is under way: begins one, goes back to the color before, or says why there is nothing to do. */
export function decideStart(goal: Goal, seen: Seen, now: Instant): Decision {
  switch (goal.mode) {
    case 'run':
    case 'prepare':
      return begin(goal, seen, now);
    case 'shift':
      return refused(`nothing is prepared${lastWord(seen.record)}`, 'Run mode: prepare first');
    case 'finish':
      return seen.record?.phase === 'done' && fits(goal, seen.record)
        ? done({ kind: 'unchanged', record: seen.record })
        : refused(`no switched shift waits to be finished${lastWord(seen.record)}`, 'Run mode: shift first');
    case 'rollback':
      return seen.record === undefined ? goBack(goal, seen, now) : goBackFrom(goal, { seen, record: seen.record, now });
    case 'settle':
      return seen.record === undefined
        ? refused('no shift was ever recorded', 'Nothing is to be given back')
        : done({ kind: 'unchanged', record: seen.record });
    default:
      return unreachable(goal.mode);
  }
}

const fits = (goal: Goal, record: ShiftRecord): boolean =>
  goal.expectedShift === undefined || goal.expectedShift === record.id;

/** A late or repeated way back of one release must not take the traffic off the next one. */
function goBackFrom(
  goal: Goal,
  { seen, record, now }: { readonly seen: Seen; readonly record: ShiftRecord; readonly now: Instant },
): Decision {
  if (fits(goal, record) || isOwnWayBack(goal, record)) return goBack(goal, seen, now);
  return refused(
    `shift ${record.id} is the last one, not ${goal.expectedShift}`,
    'Go back without shift-id, if the release of now shall go',
  );
}

/** What an earlier attempt of this very run began, when it was asked to go back from the shift that it names. */
export const isOwnWayBack = ({ mode, me }: Goal, { run, phase }: ShiftRecord): boolean =>
  mode === 'rollback' && run.id === me.id && (phase === 'rolling-back' || phase === 'rolled-back');

const lastWord = (record: ShiftRecord | undefined): string =>
  record === undefined
    ? ''
    : `; the last shift ${record.id} is ${record.phase}${record.reason === '' ? '' : `: ${record.reason}`}`;

const NOBODY_SERVES = [
  'neither color has a healthy target',
  'Deploy the live color until it is healthy; blue-green needs one that serves',
] as const;

/** The color of a new shift comes from the live weights, whatever the record of the last one says. */
export function begin(goal: Goal, seen: Seen, now: Instant): Decision {
  const differing = difference(seen);
  if (differing !== undefined)
    return refused(`the routes differ, and no shift explains it: ${differing}`, 'Set them alike by hand, then re-run');
  const stable = stableColor(seen.live, seen.targets);
  switch (stable.kind) {
    case 'live':
      if (isLiveAlready(goal, seen.record, stable.color)) return done({ kind: 'unchanged', record: seen.record });
      // Whoever deploys nothing waits for targets; of a service that wants none, none will come.
      if (goal.deploy === 'none' && isLeaving(seen, otherColor(stable.color)))
        return refused(
          `${otherColor(stable.color)} wants 0 tasks, and nobody deploys to it here (deploy: none)`,
          'Deploy to it in a step before, or leave out deploy: none',
        );
      return enter(
        { ...recordOf(goal, stable.color, now), scaling: scalingAtBegin(goal, seen) },
        { phase: 'preparing' },
        {
          now,
          says: `${stable.color} is live; ${otherColor(stable.color)} becomes the candidate${tagWords(goal, seen, stable.color)}`,
        },
      );
    case 'misdirected':
      return rescue(goal, seen, { healthy: stable.healthy, now });
    case 'split':
      if (seen.tagged !== undefined && seen.targets[seen.tagged].healthy > 0)
        return rescue(goal, seen, { healthy: seen.tagged, why: `the tag ${goal.colorTag} says ${seen.tagged}`, now });
      return refused(
        `traffic is ${seen.live === 'none' ? 'nowhere, both weights are 0' : formatSplit(seen.live)}, and no shift explains it`,
        'Give one color all the weight by hand, then re-run',
      );
    case 'none-healthy':
      return refused(...NOBODY_SERVES);
    default:
      return unreachable(stable);
  }
}

/** A tag is an opinion, weights are what users meet: they win, and that they do is said. */
const tagWords = (goal: Goal, { tagged }: Seen, live: Color): string =>
  tagged === undefined || tagged === live
    ? ''
    : `; the tag ${goal.colorTag} says that ${tagged} is live, but the weights say ${live}, and they decide`;

const isLiveAlready = (goal: Goal, record: ShiftRecord | undefined, live: Color): record is ShiftRecord =>
  record?.phase === 'done' && record.images === goal.images && record.candidate === live;

/** A shift that stands in the way of this one holds what it found, which this one must not take for what it was before. */
function scalingAtBegin(goal: Goal, seen: Seen): HeldScaling {
  const carried = seen.record?.scaling ?? {};
  return goal.autoscaling === 'leave' ? carried : heldBefore(seen, carried);
}

function recordOf(goal: Goal, stable: Color, now: Instant): ShiftRecord {
  return {
    id: goal.shiftId,
    run: goal.me,
    images: goal.images ?? 'none',
    stable,
    candidate: otherColor(stable),
    phase: 'preparing',
    // Known to whoever writes the record.
    groups: undefined,
    from: 0,
    percent: 0,
    begunAt: now,
    since: now,
    trafficAt: undefined,
    leaseUntil: leaseFrom(now),
    scaling: {},
    hooks: NO_HOOKS_DONE,
    gate: undefined,
    approval: undefined,
    reason: '',
    detectedAt: undefined,
    restoredAt: undefined,
  };
}

/** The weights send users where nobody is healthy: everything goes to the one color that can serve, then the shift begins. */
function rescue(
  goal: Goal,
  seen: Seen,
  { healthy, why, now }: { readonly healthy: Color; readonly why?: string; readonly now: Instant },
): Decision {
  const dead = otherColor(healthy);
  const percent = seen.live === 'none' ? 0 : Math.round(seen.live[dead]);
  const weights = seen.live === 'none' ? 'both weights were 0' : `${dead} had weight ${percent}`;
  const cause = why ?? (seen.live === 'none' ? undefined : 'no healthy target');
  const reason = cause === undefined ? weights : `${weights} and ${cause}`;
  return enter(
    {
      ...recordOf(goal, healthy, now),
      id: `${goal.shiftId}-rescue`,
      images: 'none',
      from: percent,
      percent,
      scaling: seen.record?.scaling ?? {},
      reason,
    },
    { phase: 'rolling-back', detectedAt: now },
    { now, says: `${reason}: all traffic goes to ${healthy}` },
  );
}

/** Why nobody can go back to this color; undefined: it can be asked to serve. */
export function noWayBack(
  seen: Seen,
  { to, record }: { readonly to: Color; readonly record: ShiftRecord | undefined },
): Decision | undefined {
  const { healthy } = seen.targets[to];
  // What is left of it is better than a color that serves nobody.
  if (healthy > 0 && !(isLeaving(seen, to) && seen.targets[otherColor(to)].healthy > 0)) return undefined;
  const what = healthy > 0 ? leavingWords(to) : `${to} has no healthy target to go back to`;
  const why = record === undefined ? 'no shift was ever recorded here' : 'it was scaled down after the last shift';
  return refused(`${what}: ${why}`, 'Release the earlier image by mode: run');
}

/** The rollback that a person asks for when no shift is open: to the other color, as long as it still stands. */
function goBack(goal: Goal, seen: Seen, now: Instant): Decision {
  if (goal.to !== undefined) return goTo(goal, seen, { to: goal.to, now });
  const stable = stableColor(seen.live, seen.targets);
  if (stable.kind === 'misdirected') return rescue(goal, seen, { healthy: stable.healthy, now });
  if (stable.kind === 'none-healthy') return refused(...NOBODY_SERVES);
  if (seen.record?.phase === 'rolled-back') return goBackAgain(goal, { seen, record: seen.record, now });
  if (stable.kind !== 'live') {
    return refused('it is not known which color was before', 'Give one color all the weight by hand');
  }
  const previous = otherColor(stable.color);
  const none = noWayBack(seen, { to: previous, record: seen.record });
  if (none !== undefined) return none;
  return enter(
    { ...recordOf(goal, previous, now), from: 100, percent: 100, reason: goal.because },
    { phase: 'rolling-back', detectedAt: now },
    { now, says: `${stable.color} is live; traffic goes back to ${previous}` },
  );
}

/** A shift that is taken back says where users belong, whoever led them elsewhere since. */
function goBackAgain(
  goal: Goal,
  { seen, record, now }: { readonly seen: Seen; readonly record: ShiftRecord; readonly now: Instant },
): Decision {
  const { stable: to } = record;
  if (allAre(seen, stableOnly(record))) return done({ kind: 'unchanged', record });
  const is = seen.live === 'none' ? 'nowhere, both weights are 0' : formatSplit(seen.live);
  const moved = difference(seen) ?? `traffic is ${is}`;
  const none = noWayBack(seen, { to, record });
  return none === undefined
    ? allTo(goal, seen, { to, now, says: `${moved}; all of it goes back to ${to}, where shift ${record.id} left it` })
    : refused(
        `${moved}, shift ${record.id} left it on ${to}, and ${to} has ${seen.targets[to].healthy} healthy targets`,
        'Release the earlier image by mode: run',
      );
}

/** All traffic to the color that a person names: recovery in another region, and the way back from there. */
function goTo(goal: Goal, seen: Seen, { to, now }: { readonly to: Color; readonly now: Instant }): Decision {
  const all = splitGiving(to, 100);
  if (allAre(seen, all) && seen.record !== undefined) return done({ kind: 'unchanged', record: seen.record });
  if (seen.targets[to].healthy === 0) {
    const { reasons } = seen.targets[to];
    const why = `${to} has no healthy target${reasons.length === 0 ? '' : ` (${reasons.join(', ')})`}`;
    return refused(why, `Deploy to ${to} until it is healthy, then re-run`);
  }
  if (isLeaving(seen, to) && seen.targets[otherColor(to)].healthy > 0)
    return refused(leavingWords(to), `Deploy to ${to}, then re-run`);
  return allTo(goal, seen, { to, now, says: `All traffic goes to ${to}, as asked` });
}

interface There {
  readonly to: Color;
  readonly now: Instant;
  readonly says: string;
}

function allTo(goal: Goal, seen: Seen, { to, now, says }: There): Decision {
  // As long as one of them leads elsewhere, users are to be moved.
  const away = seen.routes.map(({ live }) => (live === 'none' ? 0 : Math.round(live[otherColor(to)])));
  const percent = Math.max(0, ...away);
  return enter(
    { ...recordOf(goal, to, now), from: percent, percent, reason: goal.because },
    { phase: 'rolling-back', detectedAt: now },
    { now, says },
  );
}
