import { type InputProblem } from '../inputs.ts';
import { arrivalsIn } from './arrivals.ts';
import { type ResolvedLoad, longestOf } from './load.ts';

/** What may be sent at production without `allow-production-load`: enough for a look, too little to hurt. */
export const PRODUCTION_CAP = { requests: 1_000, rate: 50, concurrency: 50 } as const;

/** `production`, `prod-eu`, `eu-prod`, `prd`, `live`: a word of its own or the beginning of one. */
const isProduction = (stage: string): boolean => /(^|[^a-z])(prod|prd|live)/i.test(stage);

/** Loads that are too much for production. */
export function productionProblems(
  loads: readonly ResolvedLoad[],
  { stage, allowed }: { readonly stage: string | undefined; readonly allowed: 'yes' | 'no' },
): readonly InputProblem[] {
  if (stage === undefined || !isProduction(stage) || allowed === 'yes') return [];
  const { requests, rate, concurrency } = PRODUCTION_CAP;
  const accepted = `up to ${requests} requests, ${rate}/s and ${concurrency} users at a time; more with allow-production-load: true`;
  const single = loads.flatMap((load) => {
    const excess = excessOf(load);
    const problem = `plans ${excess} at the stage ${stage}`;
    return excess === undefined ? [] : [{ input: `load ${load.name}`, problem, accepted }];
  });
  const sum = loads.reduce((all, load) => all + requestsOf(load), 0);
  if (single.length > 0 || sum <= requests) return single;
  return [{ input: 'load', problem: `plans ${sum} requests in ${loads.length} loads at the stage ${stage}`, accepted }];
}

function excessOf(load: ResolvedLoad): string | undefined {
  const { model, budget } = load;
  const cap = PRODUCTION_CAP;
  if (model.kind === 'closed') {
    if (model.count === undefined && budget > cap.requests) return 'as many requests as fit';
    if (model.concurrency > cap.concurrency) return `${model.concurrency} users at a time`;
  } else {
    const peak = Math.max(...model.phases.flatMap(({ from, to }) => [from, to]));
    if (peak > cap.rate) return `${peak} arrivals a second`;
  }
  const requests = requestsOf(load);
  return requests > cap.requests ? `${requests} requests` : undefined;
}

/** At most: every user may walk through the longest scenario. */
function requestsOf({ model, budget, scenarios }: ResolvedLoad): number {
  const users = model.kind === 'closed' ? (model.count ?? Number.POSITIVE_INFINITY) : arrivalsIn(model.phases);
  return Math.min(users * longestOf(scenarios), budget);
}

/** Hosts that are reached but not allowed, each once. No list: those that the file and the inputs name are. */
export function hostProblems(
  hosts: readonly string[],
  allowed: readonly string[] | undefined,
): readonly InputProblem[] {
  if (allowed === undefined) return [];
  const names = new Set(allowed.map((host) => host.toLowerCase()));
  return [...new Set(hosts)]
    .filter((host) => !names.has(host))
    .map((host) => ({
      input: 'allowed-hosts',
      given: host,
      problem: 'is not among them',
      accepted: allowed.join(', '),
    }));
}

/** Only the name, without a port. */
export const hostNameOf = (url: string): string => (URL.parse(url)?.hostname ?? url).toLowerCase();
