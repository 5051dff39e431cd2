import type { FieldResult } from '../inputs.ts';
import { parseDuration } from '../duration.ts';

/** The model of a load in the form of the checks file. */
export type ShortLoad =
  | { readonly closed: { readonly count?: number; readonly duration?: string; readonly concurrency: number } }
  | { readonly phases: readonly { readonly duration: string; readonly arrivals: string }[] };

const ACCEPTED = '100 requests at 10, 60s at 10, 60s at 20/s';

/** `100 requests at 10` (users at a time), `60s at 10`, `60s at 20/s` (arrivals a second). */
export function readShortLoad(value: unknown): FieldResult<ShortLoad> {
  const text = String(value).trim().replaceAll(/\s+/g, ' ');
  const [, amount, unit, at, rate] = /^(\d+|[\d.a-z]+)( requests?)? at (\d+(?:\.\d+)?)(\/s)?$/.exec(text) ?? [];
  const number = Number(at);
  const wrong: FieldResult<ShortLoad> = { ok: false, problem: 'is not a load', accepted: ACCEPTED };
  if (amount === undefined || at === undefined) return wrong;
  const whole = Number.isInteger(number) && number >= 1;
  if (unit !== undefined)
    return rate === undefined && whole && /^[1-9]\d{0,7}$/.test(amount)
      ? { ok: true, value: { closed: { count: Number(amount), concurrency: number } } }
      : wrong;
  if ((parseDuration(amount) ?? 0) <= 0) return wrong;
  if (rate !== undefined)
    return number > 0 ? { ok: true, value: { phases: [{ duration: amount, arrivals: `${at}/s` }] } } : wrong;
  return whole ? { ok: true, value: { closed: { duration: amount, concurrency: number } } } : wrong;
}
