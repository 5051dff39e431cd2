import { type Instant, instant } from '../duration.ts';

/** An approval that is asked for while the traffic stands still. */
export interface OpenGate {
  /** Percent of the step that waits for it. */
  readonly before: number;
  readonly until: Instant;
  /** Number of the request; undefined: it is being opened. Only what stands here is ever gone on with. */
  readonly issue: number | undefined;
  /** Logins of those who are asked. */
  readonly asked: readonly string[];
}

/** What fits beside the rest into the 256 characters of a tag. */
const LONGEST_NAMES = 180;

/** `50 2026-11-20T12:10:00.000Z 12 alice bob`; `-` in place of a number: it is being opened. */
export function formatGate(gate: OpenGate | undefined): string {
  if (gate === undefined) return '';
  const { before, until, issue, asked } = gate;
  const names: string[] = [];
  for (const login of asked) if ([...names, login].join(' ').length <= LONGEST_NAMES) names.push(login);
  return [String(before), new Date(until).toISOString(), issue ?? '-', ...names].join(' ');
}

export function parseGateTag(text: string): OpenGate | undefined {
  const [before = '', until = '', issue = '', ...asked] = text.split(' ');
  const moment = Date.parse(until);
  if (!/^([1-9]\d?|100)$/.test(before) || Number.isNaN(moment) || !/^(-|[1-9]\d*)$/.test(issue)) return undefined;
  return { before: Number(before), until: instant(moment), issue: issue === '-' ? undefined : Number(issue), asked };
}
