import { unreachable } from '../../../../src/domain/unreachable.ts';
import type { Plan } from '../decide.ts';

/*
 * Several services are released as one. Safe state, process dead: each service is in one of the safe states of a single one
 * (decide.ts), and its tags say `deploying` until the whole group is judged: `post` takes all of it back, or the next run
 * follows what is in flight, keeps what serves and goes on with the rest. Runner dead: the same, without `post`.
 */

/** A service and those of the group that have to serve before it is touched. */
export interface Node {
  readonly name: string;
  readonly dependsOn: readonly string[];
}

/** What is true of one service in this release. */
export type MemberState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'deploying' }
  /** On its way back, begun by itself, by ECS or by the group: it is awaited. */
  | { readonly kind: 'going-back' }
  /** This run lets its deployment go, to take it back next. */
  | { readonly kind: 'stopping' }
  /** Serves what it should. `undo: 'none'`: it did before this release, so there is nothing to take back. */
  | { readonly kind: 'good'; readonly undo: 'possible' | 'none' }
  /** This run could not follow it to its end; its deployment may be there. */
  | { readonly kind: 'lost'; readonly because: string }
  /** At its end, and not as it should be; no more can be done here. */
  | { readonly kind: 'bad'; readonly because: string }
  /** Serves what it served before the release. */
  | { readonly kind: 'back' };

/** Of tasks after the deployment, checks and rules, which judge the group as a whole. */
export type Judgement = 'none-asked' | 'not-made' | 'under-way' | 'good' | { readonly because: string };

export type GroupMove =
  | { readonly kind: 'start'; readonly name: string }
  /** In flight: let go and taken back by ROLLBACK. */
  | { readonly kind: 'stop'; readonly name: string; readonly because: string }
  | { readonly kind: 'go-back'; readonly name: string; readonly because: string }
  | { readonly kind: 'judge' };

export type GroupDecision =
  | { readonly kind: 'moves'; readonly moves: readonly GroupMove[] }
  | { readonly kind: 'wait' }
  | { readonly kind: 'done'; readonly end: 'good' | 'bad' };

export interface GroupView {
  readonly nodes: readonly Node[];
  readonly states: ReadonlyMap<string, MemberState>;
  readonly judgement: Judgement;
  readonly onFailure: 'rollback' | 'leave';
}

/** PURE. What is to be begun now, given what is under way: independent services move at once, dependent ones in order. */
export function decideGroup(view: GroupView): GroupDecision {
  const because = failureOf(view);
  if (because === undefined) return forward(view);
  return view.onFailure === 'leave' ? letEnd(view) : backward(view, because);
}

/** Why the group as a whole is to be taken back; undefined: nothing speaks against it so far. */
function failureOf({ nodes, states, judgement }: GroupView): string | undefined {
  if (typeof judgement === 'object') return judgement.because;
  for (const { name } of nodes) {
    const state = stateOf(states, name);
    if (state.kind === 'bad' || state.kind === 'lost') return `${name} failed: ${state.because}`;
  }
  const back = nodes.find(({ name }) => ['going-back', 'stopping', 'back'].includes(stateOf(states, name).kind));
  return back === undefined ? undefined : `${back.name}, which is of the same release, was not good`;
}

const stateOf = (states: ReadonlyMap<string, MemberState>, name: string): MemberState =>
  states.get(name) ?? { kind: 'waiting' };

function forward({ nodes, states, judgement }: GroupView): GroupDecision {
  const serves = (name: string): boolean => stateOf(states, name).kind === 'good';
  const moves = nodes
    .filter(({ name, dependsOn }) => stateOf(states, name).kind === 'waiting' && dependsOn.every(serves))
    .map(({ name }) => ({ kind: 'start', name }) as const);
  if (moves.length > 0) return { kind: 'moves', moves };
  if (!nodes.every(({ name }) => serves(name))) return { kind: 'wait' };
  if (judgement === 'not-made') return { kind: 'moves', moves: [{ kind: 'judge' }] };
  return judgement === 'under-way' ? { kind: 'wait' } : { kind: 'done', end: 'good' };
}

/** Nothing new is begun, and what is under way comes to its own end. */
function letEnd({ nodes, states }: GroupView): GroupDecision {
  return nodes.some(({ name }) => isMoving(stateOf(states, name))) ? { kind: 'wait' } : { kind: 'done', end: 'bad' };
}

function backward({ nodes, states }: GroupView, because: string): GroupDecision {
  const moves = nodes.flatMap(({ name }): readonly GroupMove[] => {
    const state = stateOf(states, name);
    if (state.kind === 'deploying') return [{ kind: 'stop', name, because }];
    const undone = (state.kind === 'good' && state.undo === 'possible') || state.kind === 'lost';
    const free = nodes
      .filter(({ dependsOn }) => dependsOn.includes(name))
      .every((dependent) => isSettled(stateOf(states, dependent.name)));
    return undone && free ? [{ kind: 'go-back', name, because }] : [];
  });
  if (moves.length > 0) return { kind: 'moves', moves };
  return nodes.some(({ name }) => !isSettled(stateOf(states, name))) ? { kind: 'wait' } : { kind: 'done', end: 'bad' };
}

function isMoving({ kind }: MemberState): boolean {
  return kind === 'deploying' || kind === 'going-back' || kind === 'stopping';
}

/** Nothing will be done to it any more once the group goes back. */
function isSettled(state: MemberState): boolean {
  switch (state.kind) {
    case 'waiting':
    case 'bad':
    case 'back':
      return true;
    case 'good':
      return state.undo === 'none';
    case 'deploying':
    case 'going-back':
    case 'stopping':
    case 'lost':
      return false;
    default:
      return unreachable(state);
  }
}

/** Levels of the dependency graph, each in the order that was written: what stands in one level is released at once. */
export function levelsOf(nodes: readonly Node[]): readonly (readonly Node[])[] {
  const levels: (readonly Node[])[] = [];
  const placed = new Set<string>();
  while (placed.size < nodes.length) {
    const level = nodes.filter(
      ({ name, dependsOn }) => !placed.has(name) && dependsOn.every((other) => placed.has(other)),
    );
    // A ring is refused with the inputs; here it must not spin.
    if (level.length === 0) return levels;
    levels.push(level);
    for (const { name } of level) placed.add(name);
  }
  return levels;
}

/** The first ring of the graph, as `a -> b -> a`; undefined: there is none. */
export function ringOf(nodes: readonly Node[]): string | undefined {
  const placed = new Set(levelsOf(nodes).flatMap((level) => level.map(({ name }) => name)));
  const left = nodes.filter(({ name }) => !placed.has(name));
  const path: string[] = [];
  for (let at = left[0]; at !== undefined;) {
    const { name, dependsOn } = at;
    const again = path.indexOf(name);
    if (again >= 0) return [...path.slice(again), name].join(' -> ');
    path.push(name);
    at = left.find((node) => dependsOn.includes(node.name));
  }
  return undefined;
}

/** How one service of a group ended. */
export type MemberOutcome =
  'succeeded' | 'unchanged' | 'rolled-back' | 'rollback-failed' | 'failed' | 'superseded' | 'timed-out' | 'not-started';

/** One word for all of them. The worst thing that is true is said. */
export function outcomeOf(
  outcomes: readonly MemberOutcome[],
  judgement: Judgement,
): 'succeeded' | 'unchanged' | 'rolled-back' | 'failed' | 'superseded' | 'timed-out' {
  const has = (one: MemberOutcome): boolean => outcomes.includes(one);
  if (has('rollback-failed')) return 'failed';
  if (has('superseded')) return 'superseded';
  if (has('timed-out')) return 'timed-out';
  if (has('rolled-back')) return 'rolled-back';
  if (has('failed') || has('not-started') || typeof judgement === 'object') return 'failed';
  return has('succeeded') ? 'succeeded' : 'unchanged';
}

/** One service of the group at the end of it. */
export interface MemberResult {
  readonly name: string;
  readonly outcome: MemberOutcome;
  /** Absent: nothing was registered for it. */
  readonly taskDefinition?: string;
  readonly previousTaskDefinition?: string;
  readonly serviceDeploymentArn?: string;
  /** A clause; empty: there is nothing to say. */
  readonly reason: string;
  readonly diagnosis: readonly string[];
}

export interface GroupResult {
  readonly outcome: ReturnType<typeof outcomeOf>;
  /** Why the group was not left as it was asked for; absent: it was. */
  readonly because?: string;
  readonly changed: boolean;
  /** In the order that was written. */
  readonly members: readonly MemberResult[];
  /** Of the judgement of the group. */
  readonly diagnosis: readonly string[];
}

/** PURE. What a run would do with each of them, in order. */
export function planOfGroup(nodes: readonly Node[], plans: ReadonlyMap<string, Plan>): Plan {
  const lines = levelsOf(nodes).flatMap((level, index) =>
    level.flatMap(({ name, dependsOn }) => {
      const after =
        dependsOn.length === 0 ? '' : `, once ${dependsOn.join(', ')} serve${dependsOn.length === 1 ? 's' : ''}`;
      return [`${index + 1}. ${name}${after}:`, ...(plans.get(name)?.lines ?? []).map((line) => `   ${line}`)];
    }),
  );
  const all = [...plans.values()];
  const refused = all.some(({ verdict }) => verdict === 'would-be-refused');
  return {
    start: all.every(({ start }) => start === 'unchanged') ? 'unchanged' : 'deploy',
    verdict: refused ? 'would-be-refused' : 'would-go',
    lines,
  };
}
