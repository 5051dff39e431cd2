import type { Measurement, MetricProvider, MetricQuery, Window } from '../../src/ports/metric-provider.ts';

export interface FakeMetric extends MetricProvider {
  /** Every question, in order. */
  readonly asked: readonly { readonly query: MetricQuery; readonly window: Window }[];
}

/** Answers by a function of the question. What it throws is an outage. */
export function fakeMetric(answer: (query: MetricQuery, window: Window) => Measurement): FakeMetric {
  const asked: { query: MetricQuery; window: Window }[] = [];
  return {
    name: 'fake metric',
    memory: 'kept',
    asked,
    async measure(query, window, signal) {
      signal.throwIfAborted();
      asked.push({ query, window });
      try {
        return answer(query, window);
      } catch (cause) {
        return { kind: 'unreachable', cause };
      }
    },
  };
}
