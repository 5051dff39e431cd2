import { isMapping } from './place.ts';

/**
 * Words for "well" in the health documents of common frameworks: Spring Actuator (UP), ASP.NET (Healthy), the IETF draft
 * health+json (pass), Terminus and others (ok).
 */
const WELL = new Set([
  'healthy',
  'ok',
  'okay',
  'up',
  'pass',
  'passed',
  'passing',
  'green',
  'good',
  'ready',
  'alive',
  'running',
  'available',
  'connected',
  'operational',
  'true',
]);
const LISTS = ['components', 'checks', 'dependencies', 'services', 'entries', 'details', 'results', 'info'] as const;
const STATES = ['status', 'state', 'health', 'healthy'] as const;

export interface Component {
  readonly name: string;
  readonly state: string;
}

/** The components that a JSON health document calls anything but well, in its order. Not one of those documents: none. */
export function unwellComponents(document: unknown): readonly Component[] {
  if (!isMapping(document)) return [];
  return LISTS.flatMap((key) => componentsIn(document[key])).filter(({ state }) => !WELL.has(state.toLowerCase()));
}

function componentsIn(list: unknown): readonly Component[] {
  if (Array.isArray(list)) {
    return list.flatMap((item: unknown) =>
      isMapping(item) && typeof item['name'] === 'string' ? stateOf(item['name'], item) : [],
    );
  }
  return isMapping(list) ? Object.entries(list).flatMap(([name, value]) => stateOf(name, value)) : [];
}

/** health+json gives a list of measurements for each name. */
function stateOf(name: string, value: unknown): readonly Component[] {
  if (typeof value === 'string' || typeof value === 'boolean') return [{ name, state: String(value) }];
  if (Array.isArray(value))
    return value.flatMap((item: unknown) => (isMapping(item) ? stateOf(name, item) : [])).slice(0, 1);
  if (!isMapping(value)) return [];
  const said = STATES.map((key) => value[key]).find((state) => typeof state === 'string' || typeof state === 'boolean');
  return said === undefined ? [] : [{ name, state: String(said) }];
}
