import type { Capture } from './document.ts';
import { type Place, complain, entriesOf, fieldsOf, isMapping, readText, take } from './place.ts';
import type { Grammar } from './template.ts';

/** The names that a flow has captured so far; it grows from step to step. */
export type Captured = Set<string>;

export const CAPTURE_KEYS = ['json', 'header', 'matches', 'secret'] as const;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** `token: $.data.token`, or `token: { json: $.data.token, secret: true }`, `{ header: x-id }`, `{ matches: 'id=(\\d+)' }`. */
export function readCaptures(place: Place, grammar: Grammar, captured: Captured): readonly Capture[] {
  return entriesOf(place).flatMap(([name, value]) => {
    if (!NAME.test(name)) {
      complain({ ...value, value: name }, 'is not a name', { accepted: 'letters, digits and _' });
    }
    if (name in grammar.variables)
      complain({ ...value, value: name }, 'is a variable of the file too', { accepted: 'a name of its own' });
    const capture = readCapture(name, value, grammar);
    captured.add(name);
    return capture === undefined ? [] : [capture];
  });
}

function readCapture(name: string, place: Place, grammar: Grammar): Capture | undefined {
  if (!isMapping(place.value)) {
    const query = readQuery(place, grammar);
    return query === undefined ? undefined : { name, from: { kind: 'json', query }, secret: 'shown' };
  }
  const { json, header, matches, secret } = fieldsOf(place, { known: CAPTURE_KEYS });
  const given = [json, header, matches].filter((part) => part !== undefined);
  if (given.length !== 1)
    return complain({ ...place, value: undefined }, 'does not say where the value stands', {
      accepted: 'one of json, header, matches',
    });
  if (secret && typeof secret.value !== 'boolean')
    complain(secret, 'is neither true nor false', { accepted: 'true, false' });
  const from = json ? fromJson(json, grammar) : header ? fromHeader(header) : matches && fromMatches(matches, grammar);
  return from === undefined ? undefined : { name, from, secret: secret?.value === true ? 'masked' : 'shown' };
}

function readQuery(place: Place, grammar: Grammar) {
  const source = readText(place);
  return source === undefined ? undefined : take(place, grammar.matchers.jsonQuery(source));
}

function fromJson(place: Place, grammar: Grammar): Capture['from'] | undefined {
  const query = readQuery(place, grammar);
  return query === undefined ? undefined : { kind: 'json', query };
}

function fromHeader(place: Place): Capture['from'] | undefined {
  const header = readText(place)?.toLowerCase();
  return header === undefined ? undefined : { kind: 'header', header };
}

function fromMatches(place: Place, grammar: Grammar): Capture['from'] | undefined {
  const source = readText(place);
  const pattern = source === undefined ? undefined : take(place, grammar.matchers.pattern(source));
  return pattern === undefined ? undefined : { kind: 'matches', pattern };
}

interface Answered {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type CapturedValue =
  { readonly ok: true; readonly value: string } | { readonly ok: false; readonly problem: string };

/** PURE. The one value that an answer has for a capture: none and several are problems, for whichever was meant is not known. */
export function captureFrom({ name, from }: Capture, answer: Answered): CapturedValue {
  const place = {
    json: 'query' in from ? from.query.source : '',
    header: 'header' in from ? `header ${from.header}` : '',
    matches: 'pattern' in from ? from.pattern.source : '',
  }[from.kind];
  const found = valuesOf(from, answer);
  if (typeof found === 'string') return { ok: false, problem: `capture ${name}: ${found}` };
  const [first, ...more] = found;
  if (more.length > 0)
    return { ok: false, problem: `capture ${name}: ${place} has ${found.length} matches, expected one` };
  if (first === undefined) return { ok: false, problem: `capture ${name}: ${place} has no match, expected one` };
  if (typeof first === 'object' && first !== null)
    return { ok: false, problem: `capture ${name}: ${place} is not a single value` };
  return { ok: true, value: String(first) };
}

function valuesOf(from: Capture['from'], { headers, body }: Answered): readonly unknown[] | string {
  switch (from.kind) {
    case 'header':
      return headers[from.header] === undefined ? [] : [headers[from.header]];
    case 'matches':
      return from.pattern.allIn(body);
    case 'json':
      try {
        return from.query.select(JSON.parse(body) as unknown);
      } catch {
        return 'the body is not JSON';
      }
  }
}
