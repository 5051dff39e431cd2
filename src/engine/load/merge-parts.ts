import type { LoadPart } from '../../domain/load/result.ts';
import type { Histograms } from '../../ports/histogram.ts';
import { timesOf } from './recorder.ts';

/**
 * The same part of several runs of one load as if it had been one run: counters are added, histograms are added value by
 * value, and percentiles are taken from the sum. Runs side by side also add their rates.
 */
export function mergeParts(parts: readonly [LoadPart, ...LoadPart[]], histograms: Histograms): LoadPart {
  const sum = (of: (part: LoadPart) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const merged = (kind: 'response' | 'service') => {
    const all = histograms.create();
    for (const part of parts) all.add(histograms.decode(part.histograms[kind]));
    return all;
  };
  const response = merged('response');
  const service = merged('service');
  return {
    name: parts[0].name,
    requests: sum(({ requests }) => requests),
    errors: sum(({ errors }) => errors),
    rate: sum(({ rate }) => rate),
    response: timesOf(response),
    service: timesOf(service),
    histograms: { response: response.encode(), service: service.encode() },
  };
}
