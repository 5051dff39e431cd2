import { type Duration, parseDuration } from '../duration.ts';
import { type Base, readCheck } from './check.ts';
import type { Flow, FlowStep } from './document.ts';
import { type Place, complain, entriesOf, fieldsOf, isMapping, itemsOf, readCount } from './place.ts';
import type { Grammar } from './template.ts';

export const FLOW_KEYS = ['weight', 'flow'] as const;

/** Flows by name: steps that share what they capture. */
export const readFlows = (place: Place, grammar: Grammar, base: Base): readonly Flow[] => {
  const entries = entriesOf(place);
  if (isMapping(place.value) && entries.length === 0) complain(place, 'has no flow');
  return entries.map(([name, item]) => {
    const { weight, flow } = fieldsOf(item, { known: FLOW_KEYS });
    if (flow === undefined && isMapping(item.value)) complain({ ...item, value: undefined }, 'has no `flow`');
    return {
      name,
      at: item.path,
      weight: (weight && readCount(weight, { min: 1, max: 1_000_000 })) ?? 1,
      steps: flow ? readSteps(flow, grammar, base) : [],
    };
  });
};

function readSteps(place: Place, grammar: Grammar, base: Base): readonly FlowStep[] {
  const captured = new Set<string>();
  return itemsOf(place).flatMap((item) => {
    if (isMapping(item.value) && 'think' in item.value) return readThink(item) ?? [];
    // A step knows what those before it captured, and nothing of its own.
    const names = { ...grammar, captured: new Set(captured) };
    const check = readCheck(item, names, base, { kind: 'step', captured });
    if (check === undefined) return [];
    if (check.paths.length > 1)
      complain({ ...item, value: undefined }, 'has several paths', { accepted: 'one path a step' });
    return [{ kind: 'request' as const, check, captured: names.captured }];
  });
}

const LONGEST = 600_000;

/** `think: 1s`, or a time between two: `think: 1s..3s`. */
function readThink(place: Place): FlowStep | undefined {
  const { think } = fieldsOf(place, { known: ['think'] });
  const accepted = 'a duration up to 10m, or two: 1s, 500ms..2s';
  const parts = typeof think?.value === 'string' ? think.value.split('..').map((part) => parseDuration(part)) : [];
  const [least, most = least] = parts;
  const fits = (length: Duration | undefined): boolean => length !== undefined && length > 0 && length <= LONGEST;
  if (parts.length > 2 || least === undefined || most === undefined || !fits(least) || !fits(most) || least > most)
    return complain(think ?? place, 'is not a time to think', { accepted });
  return { kind: 'think', least, most };
}
