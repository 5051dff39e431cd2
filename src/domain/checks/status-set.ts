import type { FieldResult } from '../inputs.ts';
import { type JsonSchema, wholly } from '../json-schema.ts';
import type { StatusSet } from './document.ts';

const ACCEPTED = '200, <400, 200..299, 2xx, or a list of these';
const FORMS: readonly { readonly form: RegExp; range(match: RegExpExecArray): { from: number; to: number } }[] = [
  { form: /^(\d{3})$/, range: (match) => ({ from: Number(match[1]), to: Number(match[1]) }) },
  { form: /^<\s*(\d{3})$/, range: (match) => ({ from: 100, to: Number(match[1]) - 1 }) },
  { form: /^<=\s*(\d{3})$/, range: (match) => ({ from: 100, to: Number(match[1]) }) },
  { form: /^(\d{3})\s*(?:\.\.|-)\s*(\d{3})$/, range: (match) => ({ from: Number(match[1]), to: Number(match[2]) }) },
  { form: /^([1-5])xx$/i, range: (match) => ({ from: Number(match[1]) * 100, to: Number(match[1]) * 100 + 99 }) },
];

const ONE = String.raw`\s*(?:\d{3}|<=?\s*\d{3}|\d{3}\s*(?:\.\.|-)\s*\d{3}|[1-5][xX][xX])\s*`;
const statusShape = (pattern: string): JsonSchema => ({
  type: ['integer', 'string'],
  minimum: 100,
  maximum: 599,
  pattern: wholly(pattern),
  patternErrorMessage: `A status: ${ACCEPTED}`,
});

/** As `readStatusSet` reads it. */
export const STATUS_SHAPE: JsonSchema = {
  anyOf: [statusShape(`${ONE}(?:,${ONE})*`), { type: 'array', minItems: 1, items: statusShape(ONE) }],
};

/** Reads `200`, `200, 204`, `<400`, `<=399`, `200..299`, `200-299`, `2xx`, or a list of them. Every range lies in 100..599 and holds something. */
export function readStatusSet(value: unknown): FieldResult<StatusSet> {
  const parts: readonly unknown[] = Array.isArray(value)
    ? value
    : typeof value === 'string'
      ? value.split(',')
      : [value];
  const ranges: { from: number; to: number }[] = [];
  for (const part of parts) {
    const range = typeof part === 'string' || typeof part === 'number' ? rangeOf(String(part).trim()) : undefined;
    if (range === undefined) return { ok: false, problem: 'is not a status', accepted: ACCEPTED };
    ranges.push(range);
  }
  if (ranges.length === 0) return { ok: false, problem: 'is an empty list', accepted: ACCEPTED };
  return { ok: true, value: { text: parts.map((part) => String(part).trim()).join(' or '), ranges } };
}

function rangeOf(text: string): { from: number; to: number } | undefined {
  for (const { form, range } of FORMS) {
    const match = form.exec(text);
    if (!match) continue;
    const { from, to } = range(match);
    return from >= 100 && to <= 599 && from <= to ? { from, to } : undefined;
  }
  return undefined;
}

export const hasStatus = (set: StatusSet, status: number): boolean =>
  set.ranges.some(({ from, to }) => status >= from && status <= to);
