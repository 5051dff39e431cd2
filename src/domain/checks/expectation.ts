import type {
  Expectation,
  Json,
  JsonQuery,
  JsonTest,
  Pattern,
  Template,
  TextTest,
  VersionExpectation,
} from './document.ts';
import {
  type Place,
  complain,
  entriesOf,
  fieldsOf,
  isMapping,
  oneOrMore,
  readCount,
  readDuration,
  readText,
  take,
} from './place.ts';
import { readStatusSet } from './status-set.ts';
import { type Grammar, readTemplate } from './template.ts';

export const EXPECTATION_KEYS = ['status', 'headers', 'json', 'body', 'duration', 'version', 'certificate'] as const;
const LATER = ['ack'] as const;

export function readExpectation(place: Place, grammar: Grammar): Expectation<Template> {
  const { status, headers, json, body, duration, version, certificate } = fieldsOf(place, {
    known: EXPECTATION_KEYS,
    later: LATER,
  });
  return withoutAbsent({
    status: status && take(status, readStatusSet(status.value)),
    headers:
      headers &&
      entriesOf(headers).map(([name, test]) => ({ name: name.toLowerCase(), tests: headerTests(test, grammar) })),
    json: json && jsonTests(json, grammar),
    body: body && bodyTests(body, grammar),
    duration: duration && readDuration(duration),
    version: version && readVersion(version, grammar),
    certificate: certificate && readCertificate(certificate),
  });
}

type MaybeAbsent<T> = { readonly [K in keyof T]-?: T[K] | undefined };

/** A key without a value is not there at all, so that it hides no default. */
const withoutAbsent = (all: MaybeAbsent<Expectation<Template>>): Expectation<Template> =>
  Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Expectation<Template>;

/** A test that can never fail is a mistake, not a wish. */
function expectsNothing(place: Place): boolean {
  const nothing = isMapping(place.value) && Object.keys(place.value).length === 0;
  if (nothing) complain(place, 'expects nothing');
  return nothing;
}

export const TEXT_TESTS = ['equals', 'contains', 'matches', 'exists'] as const;

/** A plain text means `equals`. */
function headerTests(place: Place, grammar: Grammar): readonly TextTest<Template>[] {
  if (!isMapping(place.value)) return texts([place], 'equals', grammar);
  if (expectsNothing(place)) return [];
  const { equals, contains, matches, exists } = fieldsOf(place, { known: TEXT_TESTS });
  return [
    ...(equals ? texts([equals], 'equals', grammar) : []),
    ...(contains ? texts(oneOrMore(contains), 'contains', grammar) : []),
    ...(matches ? patterns(matches, grammar) : []),
    ...(exists ? presence(exists) : []),
  ];
}

export const BODY_TESTS = ['contains', 'matches'] as const;

function bodyTests(place: Place, grammar: Grammar): readonly TextTest<Template>[] {
  if (expectsNothing(place)) return [];
  const { contains, matches } = fieldsOf(place, { known: BODY_TESTS });
  return [
    ...(contains ? texts(oneOrMore(contains), 'contains', grammar) : []),
    ...(matches ? patterns(matches, grammar) : []),
  ];
}

function jsonTests(place: Place, grammar: Grammar): NonNullable<Expectation<Template>['json']> {
  return entriesOf(place).flatMap(([source, test]) => {
    const query = take({ ...test, value: source }, grammar.matchers.jsonQuery(source));
    return query === undefined ? [] : [{ query, tests: valueTests(test, grammar) }];
  });
}

export const VALUE_TESTS = ['equals', 'contains', 'matches', 'exists', 'at-least', 'at-most'] as const;

/** A plain value or list means `equals`; a mapping is one of tests, so a wanted object stands under `equals`. */
function valueTests(place: Place, grammar: Grammar): readonly JsonTest<Template>[] {
  if (!isMapping(place.value)) return [{ kind: 'equals', value: readJson(place, grammar) }];
  if (expectsNothing(place)) return [];
  const fields = fieldsOf(place, { known: VALUE_TESTS });
  const { equals, contains, matches, exists } = fields;
  return [
    ...(equals ? [{ kind: 'equals' as const, value: readJson(equals, grammar) }] : []),
    ...(contains ? [{ kind: 'contains' as const, value: readJson(contains, grammar) }] : []),
    ...(matches ? patterns(matches, grammar) : []),
    ...(exists ? presence(exists) : []),
    ...(['at-least', 'at-most'] as const).flatMap((kind) => limit(fields[kind], kind)),
  ];
}

function limit(place: Place | undefined, kind: 'at-least' | 'at-most'): readonly JsonTest<Template>[] {
  if (place === undefined) return [];
  if (typeof place.value === 'number' && Number.isFinite(place.value)) return [{ kind, value: place.value }];
  complain(place, 'is not a number');
  return [];
}

const texts = (
  places: readonly Place[],
  kind: 'equals' | 'contains',
  grammar: Grammar,
): readonly TextTest<Template>[] =>
  places.flatMap((place) => {
    const text = readText(place);
    return text === undefined ? [] : [{ kind, value: readTemplate(place, text, grammar) }];
  });

function patterns(place: Place, grammar: Grammar): readonly { readonly kind: 'matches'; readonly pattern: Pattern }[] {
  const source = readText(place);
  if (source === undefined) return [];
  if (/\$\{|\{\{/.test(source)) {
    complain(place, 'holds a reference, which a regular expression cannot', {
      accepted: 'plain RE2 syntax, or `contains`',
    });
    return [];
  }
  const pattern = take(place, grammar.matchers.pattern(source));
  return pattern === undefined ? [] : [{ kind: 'matches', pattern }];
}

function presence(place: Place): readonly { readonly kind: 'present' | 'absent' }[] {
  if (typeof place.value === 'boolean') return [{ kind: place.value ? 'present' : 'absent' }];
  complain(place, 'is neither true nor false', { accepted: 'true, false' });
  return [];
}

export const CERTIFICATE_KEYS = ['days-left'] as const;

function readCertificate(place: Place): { readonly daysLeft: number } | undefined {
  const days = fieldsOf(place, { known: CERTIFICATE_KEYS })['days-left'];
  if (days === undefined)
    return complain({ ...place, value: undefined }, 'has no `days-left`', { accepted: 'days-left: 14' });
  const daysLeft = readCount(days, { min: 1, max: 3650 });
  return daysLeft === undefined ? undefined : { daysLeft };
}

export const MESSAGE_KEYS = ['message', 'json', 'duration'] as const;
export const RESULT_KEYS = ['result', 'json', 'duration'] as const;

/** What a message of a WebSocket must be: the grammar of a body. */
export function readMessageExpectation(place: Place, grammar: Grammar): Expectation<Template> {
  const { message, json, duration } = fieldsOf(place, { known: MESSAGE_KEYS });
  return withoutAbsent({
    ...NOTHING,
    body: message && (isMapping(message.value) ? textTests(message, grammar) : texts([message], 'equals', grammar)),
    json: json && jsonTests(json, grammar),
    duration: duration && readDuration(duration),
  });
}

/** What the result of an invocation must be: a JSON value, named `result` in messages. */
export function readResultExpectation(place: Place, grammar: Grammar): Expectation<Template> {
  const { result, json, duration } = fieldsOf(place, { known: RESULT_KEYS });
  const whole: JsonQuery = { source: 'result', select: (document) => [document] };
  const tests = [
    ...(result ? [{ query: whole, tests: valueTests(result, grammar) }] : []),
    ...(json ? jsonTests(json, grammar) : []),
  ];
  return withoutAbsent({
    ...NOTHING,
    json: tests.length === 0 ? undefined : tests,
    duration: duration && readDuration(duration),
  });
}

const NOTHING = {
  status: undefined,
  headers: undefined,
  json: undefined,
  body: undefined,
  duration: undefined,
  version: undefined,
  certificate: undefined,
} as const;

const MESSAGE_TESTS = ['equals', 'contains', 'matches'] as const;

function textTests(place: Place, grammar: Grammar): readonly TextTest<Template>[] {
  if (expectsNothing(place)) return [];
  const { equals, contains, matches } = fieldsOf(place, { known: MESSAGE_TESTS });
  return [
    ...(equals ? texts([equals], 'equals', grammar) : []),
    ...(contains ? texts(oneOrMore(contains), 'contains', grammar) : []),
    ...(matches ? patterns(matches, grammar) : []),
  ];
}

export const VERSION_KEYS = ['header', 'json', 'equals'] as const;

function readVersion(place: Place, grammar: Grammar): VersionExpectation<Template> | undefined {
  const { header, json, equals } = fieldsOf(place, { known: VERSION_KEYS });
  if ((header === undefined) === (json === undefined)) {
    return complain(place, 'does not say where the version stands', { accepted: 'either `header` or `json`' });
  }
  const from = header ? headerName(header) : json && jsonSource(json, grammar);
  const wanted = equals && readText(equals);
  if (from === undefined) return undefined;
  if (equals === undefined || wanted === undefined) return { from };
  return { from, equals: readTemplate(equals, wanted, grammar) };
}

function headerName(place: Place): VersionExpectation['from'] | undefined {
  const name = readText(place);
  return name === undefined ? undefined : { kind: 'header', name: name.toLowerCase() };
}

function jsonSource(place: Place, grammar: Grammar): VersionExpectation['from'] | undefined {
  const source = readText(place);
  const query = source === undefined ? undefined : take(place, grammar.matchers.jsonQuery(source));
  return query === undefined ? undefined : { kind: 'json', query };
}

const DEEPEST = 64;

/** Any value of the document as JSON whose texts may hold references. */
export function readJson(place: Place, grammar: Grammar): Json<Template> {
  const { value } = place;
  // YAML aliases can make a value contain itself.
  if (place.path.length > DEEPEST)
    return complain(place, `is nested deeper than ${DEEPEST} levels`, { given: 'hidden' }) ?? null;
  if (typeof value === 'string') return readTemplate(place, value, grammar);
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) =>
      readJson({ ...place, value: item, path: [...place.path, index] }, grammar),
    );
  }
  if (isMapping(value))
    return Object.fromEntries(entriesOf(place).map(([key, child]) => [key, readJson(child, grammar)]));
  complain(place, 'is not a JSON value');
  return null;
}
