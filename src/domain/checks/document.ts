import type { Duration } from '../duration.ts';
import type { FieldResult } from '../inputs.ts';
import type { Load, ResolvedLoad } from '../load/load.ts';

/** Where something stands in the user's file: `['checks', 2, 'expect', 'status']`. */
export type Path = readonly (string | number)[];

/** Text as the file has it: `${NAME}` and `{{ name }}` are still in it. `resolveChecks` turns it into a string. */
export type Template = string & { readonly __form: 'template' };

/** A JSON value whose texts are of type `T`. */
export type Json<T extends string = string> =
  T | number | boolean | null | readonly Json<T>[] | { readonly [key: string]: Json<T> };

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';

/** A regular expression that is safe on text of strangers: its time is linear in the text. */
export interface Pattern {
  readonly source: string;
  foundIn(text: string): boolean;
  /** The first group of every match; the whole match when the pattern has no group. */
  allIn(text: string): readonly string[];
}

/** A compiled RFC 9535 path. `select` may throw when a document is too deep for it; the message says so. */
export interface JsonQuery {
  readonly source: string;
  select(document: unknown): readonly unknown[];
}

/** What the grammar needs from libraries, given by an adapter (src/adapters/http/matchers.ts), so that this folder imports none. */
export interface Matchers {
  pattern(source: string): FieldResult<Pattern>;
  jsonQuery(source: string): FieldResult<JsonQuery>;
}

export interface StatusSet {
  /** As messages print it: `200`, `200 or 204`, `<400`. */
  readonly text: string;
  readonly ranges: readonly { readonly from: number; readonly to: number }[];
}

export type TextTest<T extends string = string> =
  | { readonly kind: 'equals' | 'contains'; readonly value: T }
  | { readonly kind: 'matches'; readonly pattern: Pattern }
  | { readonly kind: 'present' | 'absent' };

export type JsonTest<T extends string = string> =
  | { readonly kind: 'equals' | 'contains'; readonly value: Json<T> }
  | { readonly kind: 'matches'; readonly pattern: Pattern }
  | { readonly kind: 'at-least' | 'at-most'; readonly value: number }
  | { readonly kind: 'present' | 'absent' };

/** Where an answer says which version gave it, and which one is wanted. Without `equals` it is the target's `expectVersion`. */
export interface VersionExpectation<T extends string = string> {
  readonly from:
    { readonly kind: 'header'; readonly name: string } | { readonly kind: 'json'; readonly query: JsonQuery };
  readonly equals?: T;
}

/** All of it must hold. An absent part expects nothing. */
export interface Expectation<T extends string = string> {
  readonly status?: StatusSet;
  readonly headers?: readonly { readonly name: string; readonly tests: readonly TextTest<T>[] }[];
  readonly json?: readonly { readonly query: JsonQuery; readonly tests: readonly JsonTest<T>[] }[];
  readonly body?: readonly TextTest<T>[];
  /** Longest time from the start of the connection to the last byte. */
  readonly duration?: Duration;
  readonly version?: VersionExpectation<T>;
  /** The peer's certificate is valid for at least so many days more. */
  readonly certificate?: { readonly daysLeft: number };
}

/** One turn on an open WebSocket. `expect` is judged on the message, or on the result of an invocation. */
export type Exchange<T extends string = string> = (
  | { readonly kind: 'send'; readonly body: RequestBody<T> }
  | { readonly kind: 'receive' }
  | { readonly kind: 'invoke'; readonly method: T; readonly args: readonly Json<T>[] }
  | { readonly kind: 'ping' }
) & { readonly expect?: Expectation<T>; readonly captures: readonly Capture[]; readonly at: Path };

/** A WebSocket is opened at the path, instead of a request; `signalr` negotiates first and shakes hands. */
export interface SocketPart<T extends string = string> {
  readonly protocol: 'websocket' | 'signalr';
  readonly exchanges: readonly Exchange<T>[];
}

/** A value of an answer that later steps use. Exactly one must be found. */
export interface Capture {
  readonly name: string;
  readonly from:
    | { readonly kind: 'json'; readonly query: JsonQuery }
    | { readonly kind: 'header'; readonly header: string }
    | { readonly kind: 'matches'; readonly pattern: Pattern };
  readonly secret: 'masked' | 'shown';
}

export interface Retry {
  /** Tries in all, the first one included. */
  readonly count: number;
  readonly interval: Duration;
  /** So many good answers in a row are needed. */
  readonly consecutive: number;
}

/** `hosts` are allowed besides the target's own name. */
export type Redirects = { readonly kind: 'never' } | { readonly kind: 'follow'; readonly hosts: readonly string[] };

export type RequestBody<T extends string = string> =
  { readonly kind: 'text'; readonly text: T } | { readonly kind: 'json'; readonly value: Json<T> };

/** Everything but where it goes: shared by a check of the file and by each request that comes from it. */
interface CheckParts<T extends string> {
  readonly name: string;
  readonly method: Method;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, T>>;
  readonly timeout: Duration;
  readonly retry: Retry;
  readonly redirects: Redirects;
  /** `every`: each address that the name resolves to must pass. */
  readonly addresses: 'any' | 'every';
  readonly socket?: SocketPart<T>;
  /** Other requests take them; only in flows. */
  readonly captures: readonly Capture[];
  /** What makes it pass. */
  readonly expect: Expectation<T>;
  /** What is only said when it does not hold. */
  readonly warn?: Expectation<T>;
}

/** A check as the file has it, with the defaults filled in. */
export interface Check extends CheckParts<Template> {
  readonly at: Path;
  readonly paths: readonly { readonly text: Template; readonly at: Path }[];
  /** As a scenario of a load. */
  readonly weight: number;
  readonly bearer?: Template;
  readonly body?: RequestBody<Template>;
}

export type FlowStep =
  /** `captured`: the names that the steps before it capture. */
  | { readonly kind: 'request'; readonly check: Check; readonly captured: ReadonlySet<string> }
  /** A time between the two, by chance. */
  | { readonly kind: 'think'; readonly least: Duration; readonly most: Duration };

export interface Flow {
  readonly name: string;
  readonly at: Path;
  /** Share of the arrivals of a load, among the weights of its scenarios. */
  readonly weight: number;
  readonly steps: readonly FlowStep[];
}

export interface ChecksDocument {
  readonly target?: Template;
  readonly variables: Readonly<Record<string, Template>>;
  /** Names of environment variables whose values are masked. */
  readonly secrets: readonly string[];
  readonly checks: readonly Check[];
  readonly flows: readonly Flow[];
  readonly loads: readonly Load[];
}

/** One request to make, with nothing left open: what the engine runs. A check with several paths becomes one for each. */
export interface ResolvedCheck extends CheckParts<string> {
  /** The place of the path in the file. */
  readonly at: Path;
  /** Begins with `/`; with its query. */
  readonly path: string;
  readonly body?: string;
}

/** What a request of a flow is made of when its turn comes. */
export interface StepValues {
  readonly captured: ReadonlyMap<string, string>;
  readonly random: RandomValues;
}

export interface RandomValues {
  fraction(): number;
  token(): string;
}

export type FilledStep =
  { readonly ok: true; readonly check: ResolvedCheck } | { readonly ok: false; readonly problem: string };

export type ResolvedStep =
  | {
      readonly kind: 'request';
      /** `POST /login`, with its references as they are written. */
      readonly name: string;
      readonly at: Path;
      /** What is measured when it goes well: an answer; an open WebSocket and each turn on it. Infinity: nobody knows before. */
      readonly answers: number;
      readonly fill: (values: StepValues) => FilledStep;
    }
  | Extract<FlowStep, { kind: 'think' }>;

export interface ResolvedFlow {
  readonly name: string;
  readonly at: Path;
  readonly weight: number;
  readonly steps: readonly ResolvedStep[];
}

export interface ResolvedChecks {
  readonly target?: string;
  readonly checks: readonly ResolvedCheck[];
  readonly flows?: readonly ResolvedFlow[];
  readonly loads?: readonly ResolvedLoad[];
  /** Values to mask before anything else is done with them. */
  readonly secrets: readonly string[];
}
