const FACTOR: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** `500m`, `2Gi`, `1e3`, 4: a quantity of Kubernetes as a number; undefined when it is none. */
export function quantity(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  const [, digits, suffix = ''] = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([a-zA-Z]{0,2})$/.exec(String(value)) ?? [];
  const factor = FACTOR[suffix];
  return digits === undefined || factor === undefined || Number.isNaN(Number(digits))
    ? undefined
    : Number(digits) * factor;
}

/** `0.5` and `500m`, `1024Mi` and `1Gi`: the server writes the same amount in its own way. */
export function sameQuantity(a: unknown, b: unknown): boolean {
  const [one, other] = [quantity(a), quantity(b)];
  return one !== undefined && other !== undefined && Math.abs(one - other) <= Math.abs(one) * 1e-12;
}
