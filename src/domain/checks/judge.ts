import { type Duration, type Instant, between, formatDuration, formatInstant } from '../duration.ts';
import { unwellComponents } from './components.ts';
import type { Expectation, Json, JsonQuery, JsonTest, TextTest, VersionExpectation } from './document.ts';
import { oneLine, redact } from './shown-text.ts';
import { hasStatus } from './status-set.ts';
import { isMapping } from './place.ts';

/** What came back from one request; the shape of the Prober port's result. */
export type Answer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      readonly bodyTruncated: boolean;
      readonly duration: Duration;
      readonly certificate?: { readonly validUntil: Instant };
    }
  | { readonly kind: 'failed'; readonly fault: string; readonly message: string };

export interface JudgeContext {
  /** What `version` expects where it does not say `equals`. */
  readonly expectVersion?: string;
  /** Never shown in a reason. */
  readonly secrets: readonly string[];
  /** For the days that a certificate has left. */
  readonly now: Instant;
  /** What reasons call the body. */
  readonly called?: 'body' | 'message' | 'result';
}

export type Judgement =
  | { readonly kind: 'pass'; readonly version?: string }
  | { readonly kind: 'fail'; readonly reasons: readonly string[]; readonly version?: string };

/** PURE. Whether an answer is what is expected; every reason when it is not, with numbers, units and limits. */
export function judge(expect: Expectation, answer: Answer, context: JudgeContext): Judgement {
  const show = (text: string, limit?: number): string => oneLine(redact(text, context.secrets), limit);
  if (answer.kind === 'failed') return { kind: 'fail', reasons: [show(answer.message)] };
  if (expectsOnlyStatus(expect) && expect.status && hasStatus(expect.status, answer.status)) return PASS;
  const seen: Seen = {
    answer,
    json: needsJson(expect) ? jsonOf(answer) : undefined,
    show,
    called: context.called ?? 'body',
  };
  const { status, headers, body, json, duration, certificate } = expect;
  const version = expect.version && versionOf(expect.version, seen);
  const reasons = [
    ...(status && !hasStatus(status, answer.status) ? [`status ${answer.status}, expected ${status.text}`] : []),
    ...(expect.version ? judgeVersion(expect.version, version, context, show) : []),
    ...(headers ?? []).flatMap(({ name, tests }) => tests.flatMap((test) => judgeHeader(name, test, seen))),
    ...(json ? judgeJson(json, seen) : []),
    ...(body ?? []).flatMap((test) => judgeBody(test, seen)),
    ...(duration !== undefined && answer.duration > duration
      ? [`answered in ${formatDuration(answer.duration)}, limit ${formatDuration(duration)}`]
      : []),
    ...(certificate ? judgeCertificate(certificate.daysLeft, answer, context.now) : []),
  ];
  const found = version === undefined ? {} : { version: show(version, 80) };
  return reasons.length === 0
    ? { kind: 'pass', ...found }
    : { kind: 'fail', reasons: [...reasons, ...components({ ...seen, json: seen.json ?? jsonOf(answer) })], ...found };
}

const PASS: Judgement = { kind: 'pass' };

/** The statuses that pass without a look at anything else; undefined where more is expected. Most answers of a load are judged by this alone. */
export const sufficientStatus = (expect: Expectation): ((status: number) => boolean) | undefined => {
  const { status } = expect;
  return status !== undefined && expectsOnlyStatus(expect) ? (given) => hasStatus(status, given) : undefined;
};

const expectsOnlyStatus = ({ headers, json, body, duration, version, certificate }: Expectation): boolean =>
  headers === undefined &&
  json === undefined &&
  body === undefined &&
  duration === undefined &&
  version === undefined &&
  certificate === undefined;

/** A body is parsed only when somebody looks into it: under load most bodies are only counted. */
const needsJson = ({ json, version }: Expectation): boolean => json !== undefined || version?.from.kind === 'json';

const DAY = 86_400_000;

function judgeCertificate(daysLeft: number, { certificate }: Seen['answer'], now: Instant): readonly string[] {
  if (certificate === undefined) return ['the connection has no certificate: it is not secured'];
  const left = Math.floor(between(now, certificate.validUntil) / DAY);
  if (left >= daysLeft) return [];
  return [
    `the certificate is valid until ${formatInstant(certificate.validUntil)}, ${left} days, expected at least ${daysLeft} days`,
  ];
}

interface Seen {
  readonly answer: Extract<Answer, { kind: 'answered' }>;
  /** undefined: the body is not JSON. */
  readonly json: { readonly value: unknown } | undefined;
  show(text: string, limit?: number): string;
  readonly called: string;
}

function jsonOf({ body, bodyTruncated }: Seen['answer']): Seen['json'] {
  if (bodyTruncated || body === '') return undefined;
  try {
    return { value: JSON.parse(body) as unknown };
  } catch {
    return undefined;
  }
}

const components = ({ json, show }: Seen): readonly string[] =>
  unwellComponents(json?.value)
    .slice(0, 10)
    .map(({ name, state }) => `component ${show(name, 60)} is ${show(state, 40)}`);

function versionOf({ from }: VersionExpectation, { answer, json }: Seen): string | undefined {
  if (from.kind === 'header') return answer.headers[from.name];
  const selected = json === undefined ? [] : select(from.query, json.value);
  const [first, ...more] = selected instanceof Error ? [] : selected;
  return more.length === 0 && (typeof first === 'string' || typeof first === 'number') ? String(first) : undefined;
}

function judgeVersion(
  { from, equals }: VersionExpectation,
  found: string | undefined,
  { expectVersion }: JudgeContext,
  show: Seen['show'],
): readonly string[] {
  const wanted = equals ?? expectVersion;
  const where = from.kind === 'header' ? `header ${from.name}` : from.query.source;
  if (wanted === undefined) return [`no version is expected: give \`equals\` or expect-version (${where})`];
  if (found === undefined) return [`no version in ${where}, expected ${show(wanted, 80)}`];
  return found === wanted ? [] : [`version ${show(found, 80)} answers, expected ${show(wanted, 80)} (${where})`];
}

function judgeHeader(name: string, test: TextTest, { answer, show }: Seen): readonly string[] {
  const value = answer.headers[name];
  if (test.kind === 'absent') return value === undefined ? [] : [`header ${name} is there, expected none`];
  if (value === undefined) return [`header ${name} is missing`];
  return passesText(test, value) ? [] : [`header ${name} is ${quoted(value, show)}, expected ${wish(test, show)}`];
}

function judgeBody(test: TextTest, { answer, show, called }: Seen): readonly string[] {
  if (passesText(test, answer.body)) return [];
  const wanted = test.kind === 'contains' ? `contain ${quoted(test.value, show)}` : `have text ${wish(test, show)}`;
  const extent = answer.bodyTruncated
    ? `the first ${answer.body.length} characters of the ${called} do`
    : `the ${called} does`;
  if (test.kind === 'equals') return [`the ${called} is ${quoted(answer.body, show)}, expected ${wish(test, show)}`];
  return [`${extent} not ${wanted}`];
}

function passesText(test: TextTest, value: string): boolean {
  switch (test.kind) {
    case 'equals':
      return value === test.value;
    case 'contains':
      return value.includes(test.value);
    case 'matches':
      return test.pattern.foundIn(value);
    case 'present':
      return true;
    case 'absent':
      return false;
  }
}

/** `equal to "a"`, `at least 5`: completes "expected ...". */
function wish(test: TextTest | JsonTest, show: Seen['show']): string {
  switch (test.kind) {
    case 'equals':
      return quoted(test.value, show);
    case 'contains':
      return `containing ${quoted(test.value, show)}`;
    case 'matches':
      return `matching ${show(test.pattern.source, 80)}`;
    case 'at-least':
      return `at least ${test.value}`;
    case 'at-most':
      return `at most ${test.value}`;
    case 'present':
      return 'a value';
    case 'absent':
      return 'none';
  }
}

function quoted(value: unknown, show: Seen['show']): string {
  try {
    return show(JSON.stringify(value) ?? 'nothing', 80);
  } catch {
    return 'a value nested too deep to show';
  }
}

function judgeJson(tests: NonNullable<Expectation['json']>, { answer, json, show, called }: Seen): readonly string[] {
  if (json === undefined) return [whyNotJson(answer, show).replaceAll('the body', `the ${called}`)];
  return tests.flatMap(({ query, tests: each }) => {
    const nodes = select(query, json.value);
    if (nodes instanceof Error) return [`${query.source} cannot be evaluated: ${show(nodes.message)}`];
    return each.flatMap((test) => judgeNodes(test, { source: query.source, nodes, show }));
  });
}

function whyNotJson({ body, bodyTruncated, headers }: Seen['answer'], show: Seen['show']): string {
  if (bodyTruncated)
    return `the body is longer than the ${body.length} characters that are read, so its JSON is not judged`;
  if (body === '') return 'the body is empty, expected JSON';
  return `the body is not JSON (${show(headers['content-type'] ?? 'no content-type', 60)}): ${show(body, 60)}`;
}

function select(query: JsonQuery, document: unknown): readonly unknown[] | Error {
  try {
    return query.select(document);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

interface Selected {
  readonly source: string;
  readonly nodes: readonly unknown[];
  readonly show: Seen['show'];
}

/** A path may select several values: each of them must pass. */
function judgeNodes(test: JsonTest, { source, nodes, show }: Selected): readonly string[] {
  if (test.kind === 'absent')
    return nodes.length === 0 ? [] : [`${source} is ${quoted(nodes[0], show)}, expected none`];
  if (nodes.length === 0) return [`${source} selects nothing, expected ${wish(test, show)}`];
  const wrong = nodes.filter((node) => !passesValue(test, node));
  if (wrong.length === 0) return [];
  const others = wrong.length > 1 ? ` (and ${wrong.length - 1} more of ${nodes.length})` : '';
  return [`${source} is ${quoted(wrong[0], show)}${others}, expected ${wish(test, show)}`];
}

function passesValue(test: JsonTest, value: unknown): boolean {
  switch (test.kind) {
    case 'equals':
      return sameJson(value, test.value);
    case 'contains':
      if (Array.isArray(value)) return value.some((item) => sameJson(item, test.value));
      return typeof value === 'string' && typeof test.value === 'string' && value.includes(test.value);
    case 'matches':
      return typeof value === 'string' && test.pattern.foundIn(value);
    case 'at-least':
      return typeof value === 'number' && value >= test.value;
    case 'at-most':
      return typeof value === 'number' && value <= test.value;
    case 'present':
      return true;
    case 'absent':
      return false;
  }
}

/** Same type and same content; the order of keys does not count. Its depth is that of the expected value, which is small. */
function sameJson(value: unknown, wanted: Json): boolean {
  if (typeof wanted !== 'object' || wanted === null) return value === wanted;
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(value) &&
      value.length === wanted.length &&
      wanted.every((item: Json, index) => sameJson(value[index], item))
    );
  }
  if (!isMapping(value) || Object.keys(value).length !== Object.keys(wanted).length) return false;
  return Object.entries(wanted).every(([key, item]) => Object.hasOwn(value, key) && sameJson(value[key], item as Json));
}
