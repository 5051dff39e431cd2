import { type Instant, between, formatDuration, instant, minutes, seconds } from '../duration.ts';
import { type KubeObject, isFields, listAt, numberAt, textAt } from './object.ts';
import {
  type Condition,
  READY,
  type Readiness,
  type Surroundings,
  bad,
  conditionOf,
  observedGenerationOf,
  said,
  waiting,
} from './readiness-state.ts';

/**
 * What a controller says in its first pass may still turn (a route before its grant, an operator before its pods), and what it
 * said before our write may stand for a moment after it: a complaint counts when it has stood for this long.
 */
const STANDS_FOR = seconds(30);

/** Counted from the later of the complaint and the write; a look that waits for nothing takes it as it is. */
function hasStood(since: string | undefined, { waitsSince, now }: Surroundings): boolean {
  if (waitsSince === undefined) return true;
  const told = Date.parse(since ?? '');
  // Of a clock that is ahead of ours, nobody knows when it was.
  const from: Instant = told > waitsSince && told <= now ? instant(told) : waitsSince;
  return between(from, now) >= STANDS_FOR;
}

const complaint = (why: string, since: string | undefined, around: Surroundings): Readiness =>
  hasStood(since, around) ? bad(why) : waiting(`it to get over "${why}"`);

/** Of the Gateway API: what each gateway that it names says of this version of it. */
export function route(object: KubeObject, _unobserved: string | undefined, around: Surroundings): Readiness {
  const parents = listAt(object, 'status', 'parents');
  const generation = object.metadata.generation ?? 0;
  if (parents.length === 0) return waiting('a gateway to take it');
  const judged = parents.map((parent) => parentReadiness(listAt(parent, 'conditions'), generation, around));
  return judged.find(({ kind }) => kind === 'bad') ?? judged.find(({ kind }) => kind === 'waiting') ?? READY;
}

function parentReadiness(conditions: readonly unknown[], generation: number, around: Surroundings): Readiness {
  const current = conditions.filter(
    (each) =>
      /^(?:Accepted|ResolvedRefs)$/.test(textAt(each, 'type') ?? '') &&
      (numberAt(each, 'observedGeneration') ?? 0) >= generation,
  );
  const wrong = current.find((each) => textAt(each, 'status') === 'False');
  if (wrong !== undefined) {
    const why = `${textAt(wrong, 'reason') ?? ''}: ${textAt(wrong, 'message') ?? ''}`;
    return complaint(why, textAt(wrong, 'lastTransitionTime'), around);
  }
  const live = ['Accepted', 'ResolvedRefs'].every((type) =>
    current.some((each) => textAt(each, 'type') === type && textAt(each, 'status') === 'True'),
  );
  return live ? READY : waiting('its gateway to take this version');
}

/** Some controllers say in each condition, and not beside them, which generation it is about. */
const isOfOlder = ({ metadata }: KubeObject, { observedGeneration }: Condition): boolean =>
  observedGeneration !== undefined && observedGeneration < (metadata.generation ?? 0);

/**
 * Conditions that resources of others have by convention, as kstatus reads them (cli-utils, pkg/kstatus/status/generic.go),
 * and where there are none the words of some. kstatus calls one without a status ready at once; a new one is given a moment.
 */
export function customReadiness(object: KubeObject, unobserved: string | undefined, around: Surroundings): Readiness {
  const status = object['status'];
  if (!isFields(status) || Object.keys(status).length === 0) return withoutStatus(object, around);
  if (observedGenerationOf(object) !== undefined && unobserved !== undefined) return waiting(unobserved);
  const current = (type: string): Condition | undefined => {
    const condition = conditionOf(object, type);
    return condition?.status === 'True' && !isOfOlder(object, condition) ? condition : undefined;
  };
  for (const type of ['Stalled', 'Degraded', 'Failed']) {
    const condition = current(type);
    if (condition !== undefined) return complaint(said(condition) || type, condition.lastTransitionTime, around);
  }
  const reconciling = current('Reconciling');
  if (reconciling !== undefined) return waiting(said(reconciling) || 'its controller to be done');
  const states = [
    conditionOf(object, 'Ready') ?? conditionOf(object, 'Available'),
    conditionOf(object, 'Synced'),
  ].filter((condition) => condition !== undefined);
  if (states.length === 0) return byWord(object, around);
  if (states.some((state) => isOfOlder(object, state))) return waiting('its controller to see the change');
  const open = states.find((state) => state.status !== 'True');
  return open === undefined ? READY : waiting(said(open) || 'it to be ready');
}

/** Made by this release or a moment before it: a controller that is there has not looked yet. */
const NEW_FOR = minutes(5);

function withoutStatus({ metadata }: KubeObject, { waitsSince, now, status }: Surroundings): Readiness {
  const made = instant(Date.parse(metadata.creationTimestamp ?? ''));
  const isNew = waitsSince !== undefined && between(made, waitsSince) < NEW_FOR;
  if (status === undefined || !isNew) return { kind: 'ready', note: 'nobody has set a status' };
  if (between(waitsSince, now) < STANDS_FOR) return waiting('its controller to set a status');
  return { kind: 'ready', note: `nobody set a status within ${formatDuration(STANDS_FOR)}`, unproven: 'yes' };
}

/** Of those that have no condition of being ready: `status.health.status` (an Application of Argo CD), `status.phase`. */
function byWord(object: KubeObject, around: Surroundings): Readiness {
  const health = textAt(object, 'status', 'health', 'status');
  if (health === 'Progressing') return waiting('it to be healthy');
  // While it syncs, what comes later is not there, and what is there may not be well yet.
  const isSyncing = textAt(object, 'status', 'operationState', 'phase') === 'Running';
  if (health === 'Missing' || (health !== undefined && isSyncing)) return waiting('it to be synced');
  const word = health ?? textAt(object, 'status', 'phase') ?? '';
  if (!/^(?:Degraded|Failed|Error)$/.test(word)) return READY;
  const message = textAt(object, 'status', 'health', 'message') ?? textAt(object, 'status', 'message');
  return complaint(message === undefined ? `it is ${word}` : `it is ${word} (${message})`, undefined, around);
}
