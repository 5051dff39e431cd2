import { decide } from '../../../actions/blue-green/src/decide.ts';
import type { Goal } from '../../../actions/blue-green/src/decide/goal.ts';
import type { Move, Outcome } from '../../../actions/blue-green/src/decide/moves.ts';
import type { GateView, Result, Seen } from '../../../actions/blue-green/src/decide/seen.ts';
import { type Reading, type Sample, allSeries } from '../../../src/domain/analysis/sample.ts';
import {
  type Duration,
  type Instant,
  after,
  between,
  instant,
  minutes,
  seconds,
} from '../../../src/domain/duration.ts';
import { parsePolicy } from '../../../src/domain/policy/parse-policy.ts';
import type { Policy } from '../../../src/domain/policy/policy.ts';
import type { Live, TargetHealth } from '../../../src/domain/shift/live-color.ts';
import { type ShiftRecord, isInTraffic } from '../../../src/domain/shift/record.ts';
import type { Scaling } from '../../../src/domain/shift/scaling.ts';
import { type Color, otherColor, splitGiving } from '../../../src/domain/traffic-split.ts';

/** A release rehearsed by decide alone: the moves change a world of plain values, and the clock jumps to the end of every wait. */
export interface World {
  now: Instant;
  live: Live;
  record: ShiftRecord | undefined;
  seated: 'both' | 'missing';
  readonly healthy: Record<Color, number>;
  readonly desired: Record<Color, number>;
  readonly scaling: Record<Color, Scaling>;
  trafficAt: Instant | undefined;
  tagged?: Color | undefined;
}

/** What the sources would say at some share of traffic, so long after its beginning. */
export interface Scenario {
  readonly rps: number;
  readonly metric: (
    metric: string,
    seen: { readonly percent: number; readonly seconds: number; readonly samples: number },
  ) => Reading;
  readonly deployed?: Result;
  readonly sources?: Result;
  readonly checks?: Partial<Record<'before' | 'after', Result>>;
  /** How people answer when they are asked, and so long after that; without it never. */
  readonly answers?: { readonly view: GateView; readonly after: Duration };
  /** Whether tasks that a color is scaled up by are healthy by themselves; else `meanwhile` says when. */
  readonly starting?: 'at once' | 'slowly';
  /** Whatever somebody else does, before each turn. */
  readonly meanwhile?: (world: World) => void;
}

export const START = instant(Date.UTC(2026, 10, 20, 12));
export const good = (value: number, samples: number): Reading => ({ kind: 'value', value, samples });

export const healthyRelease: Scenario = {
  rps: 50,
  metric: (metric, { samples }) => (metric === 'health' ? good(1, 1) : good(metric === 'p95' ? 180 : 0.005, samples)),
};

/** A release whose error rate is what `rate` says. */
export const withErrorRate = (rate: (percent: number, seconds: number) => number): Scenario => ({
  ...healthyRelease,
  metric: (metric, seen) =>
    metric === 'error-rate'
      ? good(rate(seen.percent, seen.seconds), seen.samples)
      : healthyRelease.metric(metric, seen),
});

export function policyOf(more: Record<string, unknown> = {}): Policy {
  const rules = ['health fails 4 in a row', 'error-rate > 5% for 2m', 'p95 > 2000ms for 5m'];
  const read = parsePolicy({ rules, ...more });
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.value;
}

export const goalOf = (more: Partial<Goal> = {}): Goal => ({
  mode: 'run',
  me: { id: '100', attempt: 1 },
  shiftId: '100-1',
  expectedShift: undefined,
  images: 'a1',
  policy: policyOf(),
  gates: [],
  colorTag: 'DeploymentColor',
  deploy: 'ecs',
  to: undefined,
  minHealthy: 2,
  prepareWithin: minutes(15),
  drain: minutes(5),
  oldDesired: 0,
  checks: 'none',
  autoscaling: 'suspend',
  hooks: { 'after-promote': [], 'after-rollback': [] },
  onStale: 'rollback',
  onBusy: 'take',
  because: 'asked for by run 105/1',
  ...more,
});

export const blueIsLive = (): World => ({
  now: START,
  live: splitGiving('blue', 100),
  record: undefined,
  seated: 'missing',
  healthy: { blue: 3, green: 0 },
  desired: { blue: 3, green: 0 },
  scaling: { blue: 'none', green: 'none' },
  trafficAt: undefined,
});

/** What one process remembers; a kill loses it. */
interface Memory {
  engaged: boolean;
  written: ShiftRecord | undefined;
  samples: Sample[];
  candidateHealth: number[];
  deployed: Result | undefined;
  sources: Result | undefined;
  checked: Partial<Record<'before' | 'after', Result>>;
  asking: { readonly before: number; readonly since: Instant } | undefined;
  request: Seen['request'];
}

export interface Run {
  readonly outcome: Outcome | 'killed';
  readonly moves: readonly Move[];
  readonly said: readonly string[];
  /** Percent of the candidate over time, in seconds since the start. */
  readonly weights: readonly (readonly [second: number, percent: number])[];
  readonly world: World;
}

/** Runs `decide` to its end, or until `killedAfter` moves were made. The world stays for the next process. */
export function rehearse(
  goal: Goal,
  world: World,
  scenario: Scenario,
  options: { readonly killedAfter?: number } = {},
): Run {
  const memory: Memory = {
    engaged: false,
    written: undefined,
    samples: [],
    candidateHealth: [],
    deployed: undefined,
    sources: undefined,
    checked: {},
    asking: undefined,
    request: 'untouched',
  };
  const moves: Move[] = [];
  const said: string[] = [];
  const weights: [number, number][] = [];
  for (let turn = 0; turn < 5_000; turn++) {
    scenario.meanwhile?.(world);
    if (moves.length === options.killedAfter) return { outcome: 'killed', moves, said, weights, world };
    const decision = decide(goal, observe(world, memory, scenario), world.now);
    if (decision.kind === 'done') return { outcome: decision.outcome, moves, said, weights, world };
    if (decision.kind === 'wait') {
      const left = decision.until === undefined ? decision.every : between(world.now, decision.until);
      world.now = after(world.now, left > 0 && left < decision.every ? left : decision.every);
      continue;
    }
    moves.push(decision.move);
    if ('says' in decision.move && decision.move.says !== undefined) said.push(decision.move.says);
    make(decision.move, { world, memory, scenario, goal });
    const percent = shareOf(world);
    if (weights.at(-1)?.[1] !== percent) weights.push([between(START, world.now) / 1_000, percent]);
    world.now = after(world.now, seconds(0.1));
  }
  throw new Error(`no end after 5,000 turns: ${said.slice(-3).join(' | ')}`);
}

const shareOf = ({ live, record }: World): number =>
  live === 'none' ? 0 : record === undefined ? 0 : live[record.candidate];

/** The number of the request is known a moment after the asking began. */
function gateOf({ asking }: Memory, { answers }: Scenario, now: Instant): Seen['gate'] {
  if (asking === undefined) return undefined;
  const { before, since } = asking;
  const isAnswered = answers !== undefined && now >= after(since, answers.after);
  if (isAnswered) return { before, view: answers.view };
  const waitsFor = '1 more approval';
  return now > after(since, seconds(1))
    ? { before, view: { kind: 'open', issue: 12, url: 'https://example.com/12', asked: ['alice', 'bob'], waitsFor } }
    : { before, view: { kind: 'opening', waitsFor } };
}

function observe(world: World, memory: Memory, scenario: Scenario): Seen {
  if (world.record !== undefined && isInTraffic(world.record.phase))
    memory.candidateHealth.push(world.healthy[world.record.candidate]);
  const targets = (color: Color): TargetHealth => {
    const total = world.desired[color];
    return {
      healthy: world.healthy[color],
      total,
      reasons: total > world.healthy[color] ? [`${total - world.healthy[color]} initial`] : [],
    };
  };
  return {
    kind: 'seen',
    routes: [{ name: 'fake rule', live: world.live }],
    live: world.live,
    seated: world.seated,
    spread: 'everywhere',
    record: world.record,
    engaged: memory.engaged,
    lost: world.record === undefined && memory.engaged ? memory.written : undefined,
    targets: { blue: targets('blue'), green: targets('green') },
    own: undefined,
    desired: { ...world.desired },
    candidateHealth: memory.candidateHealth,
    scaling: { ...world.scaling },
    tagged: world.tagged,
    samples: memory.samples,
    deployed: memory.deployed,
    sources: memory.sources,
    checked: memory.checked,
    served: 'no-source',
    hooked: [],
    gate: gateOf(memory, scenario, world.now),
    request: memory.request,
    oldColor: 'unknown',
    renewal: 'possible',
    unscaled: undefined,
    trouble: undefined,
  };
}

interface Act {
  readonly world: World;
  readonly memory: Memory;
  readonly scenario: Scenario;
  readonly goal: Goal;
}

function make(move: Move, { world, memory, scenario, goal }: Act): void {
  switch (move.kind) {
    case 'record':
      memory.engaged = true;
      world.record = memory.written = move.record;
      break;
    case 'weigh':
    case 'restore':
      world.live = move.kind === 'weigh' ? move.split : splitGiving(move.color, 100);
      world.seated = 'both';
      if (shareOf(world) > 0) world.trafficAt ??= world.now;
      break;
    case 'deploy':
      memory.deployed = scenario.deployed ?? { kind: 'good' };
      world.desired[move.color] = world.desired[otherColor(move.color)];
      if (memory.deployed.kind === 'good') world.healthy[move.color] = world.desired[move.color];
      world.now = after(world.now, seconds(60));
      break;
    case 'check':
      memory.checked = { ...memory.checked, [move.moment]: scenario.checks?.[move.moment] ?? { kind: 'good' } };
      break;
    case 'ask-requests':
      throw new TypeError('no source tells the requests here');
    case 'ask-sources':
      memory.sources = scenario.sources ?? { kind: 'good' };
      break;
    case 'hook':
      if (world.record !== undefined)
        world.record = { ...world.record, hooks: { ended: move.index + 1, next: 'waiting' } };
      break;
    case 'ask':
      memory.asking = { before: move.gate.before, since: world.now };
      break;
    case 'withdraw':
      memory.request = 'withdrawn';
      break;
    case 'measure':
      memory.samples.push(...samplesAt(move.at, { world, scenario, goal }));
      break;
    case 'autoscale':
      world.scaling[move.color] = move.suspended;
      break;
    case 'scale':
      world.desired[move.color] = move.desired;
      world.healthy[move.color] =
        scenario.starting === 'slowly' ? Math.min(world.healthy[move.color], move.desired) : move.desired;
      break;
  }
}

function samplesAt(at: Instant, { world, scenario, goal }: Omit<Act, 'memory'>): readonly Sample[] {
  const percent = shareOf(world);
  const elapsed = between(world.trafficAt ?? at, at) / 1_000;
  return allSeries(goal.policy).flatMap(({ key, arm, metric, window }): readonly Sample[] => {
    if (arm === 'stable') return [{ series: key, at, window, reading: { kind: 'no-data' } }];
    const samples = Math.round((scenario.rps * percent * Math.min(window / 1_000, elapsed)) / 100);
    const reading = scenario.metric(metric, {
      percent,
      seconds: elapsed,
      samples: metric === 'p95' ? samples * 8 : samples,
    });
    return [{ series: key, at, window, reading }];
  });
}
