/** One value for each series of an instant query, or the raw samples of a range. */
export type PrometheusData =
  | { readonly kind: 'values'; readonly values: readonly number[] }
  | { readonly kind: 'matrix'; readonly series: readonly RawSeries[] };

export interface RawSeries {
  readonly labels: Readonly<Record<string, string>>;
  /** Epoch milliseconds and value, in the order of time. */
  readonly samples: readonly (readonly [at: number, value: number])[];
}

export type PrometheusAnswer =
  { readonly kind: 'data'; readonly data: PrometheusData } | { readonly kind: 'failed'; readonly why: string };

/** Reads an answer of `/api/v1/query`. Whatever is not a whole answer is a failure with Prometheus' own words. */
export function readPrometheusAnswer(status: number, body: string): PrometheusAnswer {
  const answer = parsed(body);
  if (!isObject(answer) || answer['status'] === undefined)
    return failed(status === 200 ? 'the answer is not of Prometheus' : `status ${status}`);
  if (answer['status'] !== 'success') return failed(`${words(answer['errorType'])}: ${words(answer['error'])}`);
  if (status !== 200) return failed(`status ${status}`);
  const warnings = answer['warnings'];
  // Thanos and federation answer with a part of the series and a warning: half of the errors is not the truth.
  if (Array.isArray(warnings) && warnings.length > 0) return failed(`the answer is partial: ${words(warnings[0])}`);
  return dataOf(answer['data']);
}

function dataOf(data: unknown): PrometheusAnswer {
  const { resultType, result } = isObject(data) ? data : {};
  if (resultType === 'scalar') return good({ kind: 'values', values: [numberOf(result)] });
  if (!Array.isArray(result)) return failed('the answer has no result');
  if (resultType === 'vector') {
    if (result.some((each) => isObject(each) && each['value'] === undefined))
      return failed('the query gives native histograms, not numbers');
    return good({ kind: 'values', values: result.map((each) => numberOf(isObject(each) ? each['value'] : undefined)) });
  }
  if (resultType !== 'matrix') return failed(`the query gives a ${words(resultType)}`);
  return good({ kind: 'matrix', series: result.flatMap((each) => seriesOf(each)) });
}

function seriesOf(each: unknown): readonly RawSeries[] {
  if (!isObject(each) || !Array.isArray(each['values']) || !isObject(each['metric'])) return [];
  const samples = (each['values'] as readonly unknown[]).flatMap((pair): (readonly [number, number])[] =>
    Array.isArray(pair) ? [[Number(pair[0]) * 1_000, Number(pair[1])]] : [],
  );
  const labels = Object.entries(each['metric']).map(([name, value]) => [name, String(value)] as const);
  return [{ labels: Object.fromEntries(labels), samples }];
}

/** `[time, "value"]`; a value may be the text NaN, +Inf or -Inf. */
const numberOf = (pair: unknown): number => (Array.isArray(pair) ? Number(pair[1]) : Number.NaN);

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const good = (data: PrometheusData): PrometheusAnswer => ({ kind: 'data', data });
const failed = (why: string): PrometheusAnswer => ({ kind: 'failed', why });
const words = (value: unknown): string => (typeof value === 'string' ? value : 'unknown');
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
