import { type InputProblem } from '../inputs.ts';
import { arrivalsIn } from './arrivals.ts';
import type { LoadModel, ResolvedLoad } from './load.ts';

/** What may be sent at production without `allow-production-load`: enough for a look, too little to hurt. */
export const PRODUCTION_CAP = { requests: 1_000, rate: 50, concurrency: 50 } as const;

const isProduction = (stage: string): boolean => /^prod/i.test(stage);

/** Loads that are too much for production. */
export function productionProblems(
  loads: readonly ResolvedLoad[],
  { stage, allowed }: { readonly stage: string | undefined; readonly allowed: 'yes' | 'no' },
): readonly InputProblem[] {
  if (stage === undefined || !isProduction(stage) || allowed === 'yes') return [];
  return loads.flatMap((load) => {
    const excess = excessOf(load.model, load.budget);
    if (excess === undefined) return [];
    const { requests, rate, concurrency } = PRODUCTION_CAP;
    return [
      {
        input: `load ${load.name}`,
        problem: `plans ${excess} at the stage ${stage}`,
        accepted: `up to ${requests} requests, ${rate}/s and ${concurrency} users at a time; more with allow-production-load: true`,
      },
    ];
  });
}

function excessOf(model: LoadModel, budget: number): string | undefined {
  const cap = PRODUCTION_CAP;
  if (model.kind === 'closed') {
    const count = Math.min(model.count ?? Number.POSITIVE_INFINITY, budget);
    if (count > cap.requests) return model.count === undefined ? 'as many requests as fit' : `${count} requests`;
    return model.concurrency > cap.concurrency ? `${model.concurrency} users at a time` : undefined;
  }
  const peak = Math.max(...model.phases.flatMap(({ from, to }) => [from, to]));
  if (peak > cap.rate) return `${peak} arrivals a second`;
  const arrivals = Math.min(arrivalsIn(model.phases), budget);
  return arrivals > cap.requests ? `${arrivals} arrivals` : undefined;
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
