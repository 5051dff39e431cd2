import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { JsonSchema } from '../../src/domain/json-schema.ts';

/** As strict as Ajv can be, so that a misspelt word of a schema is found, too. */
export function validatorOf(schema: JsonSchema): ValidateFunction {
  const ajv = new Ajv2020({ allErrors: true, strict: true, strictTypes: false, strictRequired: false });
  ajv.addKeyword('patternErrorMessage');
  return ajv.compile(schema);
}

export const complaintsOf = (validate: ValidateFunction, document: unknown): readonly string[] =>
  validate(document)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);

/** What somebody might write in the place of anything else. */
export const VALUES: readonly unknown[] = [
  ...[null, true, false, 0, 1, 3, 10, 100, 200, 443, 1001, 5000, -1, 1.5, 123456789012],
  ...[
    '',
    ' ',
    'x',
    'true',
    'false',
    'none',
    'default',
    '3',
    ' 3 ',
    '007',
    '1.5',
    '10%',
    '10, 50, 100',
    '200..299',
    '2xx',
  ],
  ...['5m', '1h 30m', '5m s', ' 90s ', '30m1h', '5', '5 minutes', '0s', '99h'],
  ...['/health', '${TARGET}/x', '{{ base }}', '{stage}', 'a-{stage}', '$.a', '$', 'user:alice', 'a, b', 'a\nb'],
  ...['us-west-2', 'arn:aws:iam::123456789012:role/a/b', 'arn:aws:elb:x:listener-rule/app/y', 'shop.example.com:8443'],
  ...[
    'https://shop.example.com/',
    'https://{load-balancer}:8443/health',
    'http://{stack-output:staging-shop/LoadBalancerDNS}',
    'http:shop',
    'HTTPS://SHOP',
    'https://a:b@shop',
    'never',
    'same-host',
    'suspend',
    'rollback',
    'fail',
    'exec',
    'Deployment/web',
  ],
  ...['error-rate > 5% for 2m', 'warn: health fails 4 in a row', '- fail: p95>2s', 'error-rate > stable + 1pp'],
  ...[[], [null], [''], ['a'], [3], [true], ['123456789012', 123456789012], ['a, b'], ['10%', 100], [[10]], [{}]],
  ...[
    {},
    { a: 1 },
    { X: 'y' },
    { from: 'probe' },
    { from: 'web', url: 'https://m', value: '$' },
    { blue: 'a', green: 'b' },
  ],
];

type Path = readonly (string | number)[];

export interface Mutant {
  readonly change: string;
  readonly document: unknown;
}

/** The document with one place changed, for every place and every change: replaced, left out, renamed, added to. */
export function mutantsOf(document: unknown): readonly Mutant[] {
  return placesOf(document).flatMap((path): Mutant[] => {
    const where = `/${path.join('/')}`;
    const [last] = path.slice(-1);
    const replaced = VALUES.map((value) => ({
      change: `${where} = ${JSON.stringify(value)}`,
      document: changed(document, path, () => value),
    }));
    const value = path.reduce(inside, document);
    const added = isMapping(value)
      ? [{ change: `${where} + zzz`, document: changed(document, path, () => ({ ...value, zzz: 'a' })) }]
      : [];
    if (last === undefined) return [...replaced, ...added];
    const parent = path.slice(0, -1);
    const without =
      (name: string | undefined) =>
      (owner: unknown): unknown =>
        Array.isArray(owner)
          ? owner.filter((_, index) => index !== last)
          : Object.fromEntries(
              Object.entries(owner as object).flatMap(([key, inner]) =>
                key !== last ? [[key, inner]] : name === undefined ? [] : [[name, inner]],
              ),
            );
    return [
      ...replaced,
      ...added,
      { change: `${where} left out`, document: changed(document, parent, without(undefined)) },
      { change: `${where} misspelt`, document: changed(document, parent, without(`${last}s`)) },
    ];
  });
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const inside = (value: unknown, step: string | number): unknown => (value as Record<string | number, unknown>)[step];

function placesOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const steps = Array.isArray(value) ? value.map((_, index) => index) : Object.keys(value);
  return [path, ...steps.flatMap((step) => placesOf(inside(value, step), [...path, step]))];
}

function changed(document: unknown, path: Path, change: (value: unknown) => unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return change(document);
  const inner = changed(inside(document, step), rest, change);
  if (Array.isArray(document)) return document.map((item: unknown, index) => (index === step ? inner : item));
  return { ...(document as object), [step]: inner };
}

/** Every name of a property that a schema knows. */
export function namesIn(schema: unknown): ReadonlySet<string> {
  if (typeof schema !== 'object' || schema === null) return new Set();
  const own = isMapping(schema) && isMapping(schema['properties']) ? Object.keys(schema['properties']) : [];
  return new Set([...own, ...Object.values(schema).flatMap((inner) => [...namesIn(inner)])]);
}

/** Every name of a key in a document. */
export function keysIn(document: unknown): ReadonlySet<string> {
  if (typeof document !== 'object' || document === null) return new Set();
  const own = Array.isArray(document) ? [] : Object.keys(document);
  return new Set([...own, ...Object.values(document).flatMap((inner) => [...keysIn(inner)])]);
}
