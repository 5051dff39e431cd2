/** Values by the beginning of their period, epoch milliseconds. */
export type Series = ReadonlyMap<number, number>;

export interface MathsPlace {
  /** By id. */
  readonly series: ReadonlyMap<string, Series>;
  /** The beginnings of all periods of the question. */
  readonly periods: readonly number[];
}

type Value = number | Series | readonly Series[];

export class BadExpression extends Error {}

/**
 * Metric maths as CloudWatch documents it (using-metric-math): + - * / and parentheses, comparisons, IF, FILL, ABS, and
 * SUM, AVG, MIN, MAX over METRICS() or a list. Series meet by period: where one has no value the result has none, and a
 * division by zero gives none. Throws BadExpression for what CloudWatch refuses, and for what is not modelled.
 */
export function evaluate(expression: string, place: MathsPlace): Series {
  const tokens = [...expression.matchAll(/\s*(\d+(?:\.\d+)?|[A-Za-z_]\w*|>=|<=|==|!=|[-+*/()[\],<>])/gy)].map(
    ([, token = '']) => token,
  );
  if (tokens.join('') !== expression.replaceAll(/\s/g, ''))
    throw new BadExpression(`Error in expression: ${expression}`);
  const reader: Reader = { tokens, at: 0, place };
  const value = comparison(reader);
  if (reader.at < tokens.length) throw new BadExpression(`Unexpected ${tokens[reader.at]} in expression`);
  if (typeof value === 'number') return new Map(place.periods.map((period) => [period, value]));
  if (value instanceof Map) return value as Series;
  throw new BadExpression('The expression gives several time series, one was expected');
}

interface Reader {
  readonly tokens: readonly string[];
  at: number;
  readonly place: MathsPlace;
}

const peek = (reader: Reader): string | undefined => reader.tokens[reader.at];

function take(reader: Reader, wanted?: string): string {
  const token = peek(reader);
  if (token === undefined || (wanted !== undefined && token !== wanted))
    throw new BadExpression(`Expected ${wanted ?? 'a value'}, found ${token ?? 'the end'}`);
  reader.at += 1;
  return token;
}

type Operation = (a: number, b: number) => number;

const COMPARISONS: Readonly<Record<string, Operation>> = {
  '>': (a, b) => Number(a > b),
  '<': (a, b) => Number(a < b),
  '>=': (a, b) => Number(a >= b),
  '<=': (a, b) => Number(a <= b),
  '==': (a, b) => Number(a === b),
  '!=': (a, b) => Number(a !== b),
};
const SUMS: Readonly<Record<string, Operation>> = { '+': (a, b) => a + b, '-': (a, b) => a - b };
const PRODUCTS: Readonly<Record<string, Operation>> = { '*': (a, b) => a * b, '/': (a, b) => a / b };

const chain =
  (operations: Readonly<Record<string, Operation>>, next: (reader: Reader) => Value) =>
  (reader: Reader): Value => {
    let left = next(reader);
    for (;;) {
      const operation = operations[peek(reader) ?? ''];
      if (operation === undefined) return left;
      take(reader);
      left = combine(left, next(reader), operation);
    }
  };

const product = chain(PRODUCTS, operand);
const sum = chain(SUMS, product);
const comparison = chain(COMPARISONS, sum);

function combine(left: Value, right: Value, operation: Operation): Value {
  const [a, b] = [left, right].map((value) => {
    if (Array.isArray(value)) throw new BadExpression('A list of time series cannot be an operand');
    return value as number | Series;
  });
  if (typeof a === 'number' && typeof b === 'number') return operation(a, b);
  const periods = [...(a instanceof Map ? a : (b as Series)).keys()] as readonly number[];
  const result = new Map<number, number>();
  for (const period of periods) {
    const pair = [a, b].map((value) => (typeof value === 'number' ? value : value?.get(period)));
    const [x, y] = pair;
    const value = x === undefined || y === undefined ? Number.NaN : operation(x, y);
    if (Number.isFinite(value)) result.set(period, value);
  }
  return result;
}

function operand(reader: Reader): Value {
  const token = take(reader);
  if (/^\d/.test(token)) return Number(token);
  if (token === '-') return combine(0, operand(reader), (a, b) => a - b);
  if (token === '(') {
    const inner = comparison(reader);
    take(reader, ')');
    return inner;
  }
  if (token === '[') return list(reader, ']').flatMap((value) => (value instanceof Map ? [value as Series] : []));
  if (/^[A-Z]/.test(token)) return call(token, reader);
  const series = reader.place.series.get(token);
  if (series === undefined)
    throw new BadExpression(`The expression refers to ${token}, which is no id of this request`);
  return series;
}

function list(reader: Reader, end: string): readonly Value[] {
  const values: Value[] = [];
  while (peek(reader) !== end) {
    if (values.length > 0) take(reader, ',');
    values.push(comparison(reader));
  }
  take(reader, end);
  return values;
}

function call(name: string, reader: Reader): Value {
  take(reader, '(');
  const values = list(reader, ')');
  const { place } = reader;
  const [first, second, third] = values;
  switch (name) {
    case 'METRICS':
      return [...place.series.values()];
    case 'FILL':
      if (!(first instanceof Map) || typeof second !== 'number')
        throw new BadExpression('FILL needs a time series and a number');
      return new Map(place.periods.map((period) => [period, (first as Series).get(period) ?? second]));
    case 'ABS':
      return combine(first ?? 0, 0, (a) => Math.abs(a));
    case 'IF':
      if (first === undefined || second === undefined) throw new BadExpression('IF needs a condition and a value');
      return choose(first, second, { otherwise: third, periods: place.periods });
    case 'SUM':
    case 'AVG':
    case 'MIN':
    case 'MAX':
      return over(name, Array.isArray(first) ? (first as readonly Series[]) : []);
    default:
      throw new BadExpression(`The sandbox cloud does not model the function ${name}`);
  }
}

interface Choice {
  readonly otherwise: Value | undefined;
  readonly periods: readonly number[];
}

function choose(condition: Value, then: Value, { otherwise, periods }: Choice): Series {
  const at = (value: Value | undefined, period: number): number | undefined =>
    typeof value === 'number' ? value : value instanceof Map ? (value as Series).get(period) : undefined;
  const result = new Map<number, number>();
  for (const period of periods) {
    const decided = at(condition, period);
    const value = decided === undefined ? undefined : at(decided === 0 ? otherwise : then, period);
    if (value !== undefined) result.set(period, value);
  }
  return result;
}

/** Of all series that have a value in a period. */
function over(name: 'SUM' | 'AVG' | 'MIN' | 'MAX', series: readonly Series[]): Series {
  const result = new Map<number, number>();
  for (const period of new Set(series.flatMap((each) => [...each.keys()]))) {
    const values = series.flatMap((each) => each.get(period) ?? []);
    const total = values.reduce((all, value) => all + value, 0);
    const results = { SUM: total, AVG: total / values.length, MIN: Math.min(...values), MAX: Math.max(...values) };
    result.set(period, results[name]);
  }
  return result;
}
