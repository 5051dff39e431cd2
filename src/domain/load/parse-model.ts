import { type Place, complain, fieldsOf, itemsOf, readCount } from '../checks/place.ts';
import { type Duration, parseDuration } from '../duration.ts';
import type { LoadModel, Phase } from './load.ts';
import { MOST_REQUESTS } from './load.ts';

export const CLOSED_KEYS = ['count', 'concurrency', 'duration'] as const;
export const PHASE_KEYS = ['duration', 'arrivals', 'ramp-to'] as const;
const MOST_CONCURRENCY = 10_000;
const USUAL_CONCURRENCY = 1_000;

type Fields = Partial<Record<string, Place>>;

/** `closed` or `phases`, exactly one of them. */
export function readModel(place: Place, { closed, phases, concurrency }: Fields): LoadModel | undefined {
  if ((closed === undefined) === (phases === undefined))
    return complain({ ...place, value: undefined }, 'does not say its model', {
      accepted: 'either `closed: { count, concurrency }` or `phases: [{ duration, arrivals }]`',
    });
  if (closed) {
    if (concurrency) complain({ ...concurrency, value: undefined }, 'stands inside `closed`');
    return readClosed(closed);
  }
  const limit = concurrency && readCount(concurrency, { min: 1, max: MOST_CONCURRENCY });
  const read = phases ? itemsOf(phases).flatMap((item) => readPhase(item) ?? []) : [];
  return { kind: 'open', phases: read, concurrency: limit ?? USUAL_CONCURRENCY };
}

function readClosed(place: Place): LoadModel | undefined {
  const { count, concurrency, duration } = fieldsOf(place, { known: CLOSED_KEYS });
  const requests = count && readCount(count, { min: 1, max: MOST_REQUESTS });
  const users = concurrency && readCount(concurrency, { min: 1, max: MOST_CONCURRENCY });
  const length = duration && readLength(duration);
  if (count === undefined && duration === undefined)
    return complain({ ...place, value: undefined }, 'has no end', { accepted: 'count, duration, or both' });
  if (concurrency === undefined)
    return complain({ ...place, value: undefined }, 'has no `concurrency`', { accepted: 'concurrency: 10' });
  if (users === undefined) return undefined;
  return {
    kind: 'closed',
    concurrency: users,
    ...(requests === undefined ? {} : { count: requests }),
    ...(length === undefined ? {} : { duration: length }),
  };
}

function readPhase(place: Place): Phase | undefined {
  const { duration, arrivals, 'ramp-to': ramp } = fieldsOf(place, { known: PHASE_KEYS });
  if (duration === undefined || arrivals === undefined)
    return complain({ ...place, value: undefined }, 'needs `duration` and `arrivals`', {
      accepted: '{ duration: 60s, arrivals: 5/s }',
    });
  const length = readLength(duration);
  const from = readRate(arrivals);
  const to = ramp ? readRate(ramp) : from;
  return length === undefined || from === undefined || to === undefined ? undefined : { duration: length, from, to };
}

const DAY = 86_400_000;

function readLength(place: Place): Duration | undefined {
  const read = typeof place.value === 'string' ? parseDuration(place.value) : undefined;
  if (read !== undefined && read > 0 && read <= DAY) return read;
  return complain(place, 'is not a length of a load', { accepted: 'a number with a unit, up to 24h: 60s, 5m' });
}

/** `5/s`; a bare number has no unit. */
function readRate(place: Place): number | undefined {
  const [, given] = /^(\d+(?:\.\d+)?) ?\/ ?s$/.exec(typeof place.value === 'string' ? place.value.trim() : '') ?? [];
  const rate = given === undefined ? Number.NaN : Number(given);
  if (rate > 0 && rate <= 100_000) return rate;
  return complain(place, 'is not a rate', { accepted: 'arrivals a second with the unit: 5/s, 0.5/s' });
}
