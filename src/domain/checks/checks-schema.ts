import { type JsonSchema, closed, defined, durations, oneKeyOf, oneOrList, words } from '../json-schema.ts';
import { loadSchema } from '../load/load-schema.ts';
import type { CAPTURE_KEYS } from './capture.ts';
import { type CHECK_KEYS, type DEFAULTS_KEYS, REQUEST_KEYS } from './check.ts';
import type { SIGNALR_KEYS, WEBSOCKET_KEYS } from './exchange.ts';
import type {
  BODY_TESTS,
  CERTIFICATE_KEYS,
  EXPECTATION_KEYS,
  MESSAGE_KEYS,
  RESULT_KEYS,
  VERSION_KEYS,
} from './expectation.ts';
import type { FLOW_KEYS } from './flow.ts';
import type { DOCUMENT_KEYS } from './parse.ts';
import { HEADERS_SHAPE, type RETRY_KEYS } from './request-parts.ts';
import { STATUS_SHAPE } from './status-set.ts';
import { ANYTHING, contains, headerTest, jsonPath, matches, valueTest } from './tests-schema.ts';

const NAME = '^[A-Za-z_][A-Za-z0-9_]*$';
const timeout = durations('Longest time of one request, from the name to the last byte; at most 1h.', '10s');

const headers: JsonSchema = {
  ...HEADERS_SHAPE,
  description:
    'Headers of the request. Authorization, Cookie and the like only as `${NAME}` of the environment of the step.',
};

const retry: JsonSchema = closed<(typeof RETRY_KEYS)[number]>(
  {
    count: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 1,
      description: 'Tries in all, the first one included.',
    },
    interval: durations('Time between two tries.', '5s'),
    consecutive: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 1,
      description: 'So many good answers in a row are needed.',
    },
  },
  { description: 'How often it is tried before it fails.' },
);

const followRedirects: JsonSchema = {
  anyOf: [
    { enum: ['never', 'same-host'] },
    {
      type: 'array',
      minItems: 1,
      items: {
        type: 'string',
        pattern: '^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$',
        patternErrorMessage: 'A name without scheme, port and path',
      },
    },
  ],
  description: 'Whether a redirect is followed: `never` (default), `same-host`, or a list of further hosts.',
};

const version: JsonSchema = closed<(typeof VERSION_KEYS)[number]>(
  {
    header: words('Header that says the version.', 'x-app-version'),
    json: jsonPath('RFC 9535 path of the version in the body.'),
    equals: words('Version that must answer. Default: `expect-version` of the step.'),
  },
  {
    ...oneKeyOf(['header', 'json']),
    description:
      'Where an answer says which version gave it: the release that is checked must answer, not the old one.',
  },
);

const certificate: JsonSchema = closed<(typeof CERTIFICATE_KEYS)[number]>(
  { 'days-left': { type: 'integer', minimum: 1, maximum: 3650, description: 'Days that it is valid at least.' } },
  { required: ['days-left'], description: 'Certificate of the peer.' },
);

const expectation = closed<(typeof EXPECTATION_KEYS)[number]>({
  status: {
    ...STATUS_SHAPE,
    description: '`200`, `<400`, `200..299`, `2xx`, or a list of these. Default: `<400`.',
  },
  headers: { type: 'object', additionalProperties: headerTest, description: 'By name: the value, or tests of it.' },
  json: {
    type: 'object',
    propertyNames: { pattern: String.raw`^\$` },
    additionalProperties: valueTest,
    description: 'By RFC 9535 path into the JSON body: the value, or tests of it. Example: `{ "$.status": healthy }`.',
  },
  body: closed<(typeof BODY_TESTS)[number]>(
    { contains, matches },
    { minProperties: 1, description: 'Tests of the body as text.' },
  ),
  duration: durations('Longest time from the start of the connection to the last byte; at most 1h.'),
  version,
  certificate,
});

const path: JsonSchema = {
  type: 'string',
  pattern: String.raw`^(?:\/|\$\{|\{\{)`,
  patternErrorMessage: 'A path that begins with /; the host comes from the target',
};
const paths = oneOrList(path, { description: 'Path, or list of paths, after the base URL of the target.' });

const messageTest: JsonSchema = {
  anyOf: [
    words('The whole message.'),
    closed<'equals' | 'contains' | 'matches'>(
      { equals: words('The whole message.'), contains, matches },
      { minProperties: 1 },
    ),
  ],
};

const jsonTests: JsonSchema = {
  type: 'object',
  propertyNames: { pattern: String.raw`^\$` },
  additionalProperties: valueTest,
  description: 'By RFC 9535 path: the value, or tests of it.',
};
const answerTime = durations('Longest wait for it; at most 1h.');

const capture: JsonSchema = {
  type: 'object',
  propertyNames: { pattern: NAME },
  additionalProperties: {
    anyOf: [
      jsonPath('RFC 9535 path of the value in the JSON body.'),
      closed<(typeof CAPTURE_KEYS)[number]>(
        {
          json: jsonPath('RFC 9535 path of the value in the JSON body.'),
          header: words('Header that has the value.'),
          matches: words('Regular expression (RE2 syntax); its first group is the value.'),
          secret: { type: 'boolean', default: false, description: 'Never shown.' },
        },
        oneKeyOf(['json', 'header', 'matches']),
      ),
    ],
  },
  description: 'Values by name that later steps use as `{{ name }}`. Exactly one match each, or the step fails.',
};

const only = { const: true, description: '`true`.' } as const;

const exchanges: JsonSchema = {
  type: 'array',
  minItems: 1,
  description: 'Turns on the open WebSocket, one after the other.',
  items: {
    anyOf: [
      closed<(typeof WEBSOCKET_KEYS)[number]>(
        {
          send: { ...ANYTHING, description: 'Message: text, or a value that is sent as JSON.' },
          receive: { ...only, description: 'Waits for a message.' },
          ping: { ...only, description: 'Pings, and waits for the answer.' },
          expect: closed<(typeof MESSAGE_KEYS)[number]>({
            message: messageTest,
            json: jsonTests,
            duration: answerTime,
          }),
          capture: defined('capture'),
        },
        oneKeyOf(['send', 'receive', 'ping']),
      ),
      closed<(typeof SIGNALR_KEYS)[number]>(
        {
          invoke: words('Method of the hub.', 'Ping'),
          args: { type: 'array', items: ANYTHING, description: 'Arguments of the method.' },
          ping: { ...only, description: 'Pings, and waits for the answer.' },
          expect: closed<(typeof RESULT_KEYS)[number]>({ result: valueTest, json: jsonTests, duration: answerTime }),
          capture: defined('capture'),
        },
        oneKeyOf(['invoke', 'ping']),
      ),
    ],
  },
};

const weight: JsonSchema = {
  type: 'integer',
  minimum: 1,
  maximum: 1_000_000,
  default: 1,
  description: 'Share of the arrivals of a load, among the weights of its scenarios.',
};

const checkProperties: Readonly<Record<(typeof CHECK_KEYS)[number], JsonSchema>> = {
  name: words('Name of the check in every message; its own.'),
  get: defined('paths'),
  head: defined('paths'),
  post: defined('paths'),
  put: defined('paths'),
  delete: defined('paths'),
  ws: defined('paths', 'Path of a WebSocket that must open.'),
  signalr: defined('paths', 'Path of a SignalR hub: negotiation, WebSocket, handshake.'),
  flow: defined('exchanges'),
  weight,
  addresses: {
    enum: ['any', 'every'],
    default: 'any',
    description: '`every`: each address that the name resolves to must pass.',
  },
  headers: defined('headers'),
  auth: closed(
    {
      bearer: {
        type: 'string',
        pattern: String.raw`\$\{|\{\{`,
        patternErrorMessage: 'A secret is not written into the file: ${NAME} of an environment variable',
        description: 'Token, as `${NAME}` of the environment of the step.',
      },
    },
    { required: ['bearer'], description: 'How the request proves who it is.' },
  ),
  json: { ...ANYTHING, description: 'Body as JSON; with post, put and delete.' },
  body: words('Body as text; with post, put and delete. Excludes `json`.'),
  timeout,
  retry: defined('retry'),
  'follow-redirects': defined('redirects'),
  expect: defined('expectation', 'What makes it pass; all of it must hold.'),
  warn: defined('expectation', 'What is only said when it does not hold.'),
};

const METHODS_WITHOUT_BODY: readonly string[] = ['get', 'head', 'ws', 'signalr'];
const SOCKETS: readonly string[] = ['ws', 'signalr'];

/** Exactly one request; a body and turns only with those that have them. */
const oneRequest: JsonSchema = {
  oneOf: REQUEST_KEYS.map((method) => ({
    required: [method],
    properties: {
      ...(METHODS_WITHOUT_BODY.includes(method) ? { json: false, body: false } : {}),
      ...(SOCKETS.includes(method) ? {} : { flow: false }),
    },
  })),
  not: { required: ['json', 'body'] },
};

const check: JsonSchema = closed<(typeof CHECK_KEYS)[number]>(checkProperties, {
  title: 'Check',
  required: ['name'],
  ...oneRequest,
});

const without = (...keys: readonly string[]): Readonly<Record<string, JsonSchema>> =>
  Object.fromEntries(Object.entries(checkProperties).filter(([key]) => !keys.includes(key)));

const step: JsonSchema = closed(
  { ...without('name', 'weight', 'warn'), capture: defined('capture') },
  { title: 'Step', ...oneRequest },
);

const think: JsonSchema = closed(
  { think: words('Time that passes, or a time between two: `1s`, `500ms..2s`; at most 10m.') },
  { required: ['think'] },
);

const flow: JsonSchema = closed<(typeof FLOW_KEYS)[number]>(
  {
    weight,
    flow: {
      type: 'array',
      minItems: 1,
      items: { anyOf: [think, defined('step')] },
      description: 'Steps, in this order.',
    },
  },
  { title: 'Flow', required: ['flow'] },
);

/** A checks document (version 1) as `parseChecks` reads it. A test holds the two together. */
export const CHECKS_SCHEMA: JsonSchema = closed<(typeof DOCUMENT_KEYS)[number]>(
  {
    version: { const: 1, description: 'Of the format of this file.' },
    target: words('Base URL, when the step gives none. `${NAME}` comes from the environment of the step.'),
    variables: {
      type: 'object',
      propertyNames: { pattern: NAME },
      additionalProperties: { type: ['string', 'number', 'boolean'], pattern: String.raw`\S` },
      description: 'Texts that `{{ name }}` stands for, everywhere in the checks.',
    },
    secrets: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', pattern: NAME, patternErrorMessage: 'The name of an environment variable: API_TOKEN' },
      description: 'Names of environment variables whose values are never shown.',
    },
    defaults: closed<(typeof DEFAULTS_KEYS)[number]>(
      {
        timeout,
        headers: defined('headers'),
        retry: defined('retry'),
        'follow-redirects': defined('redirects'),
        expect: defined('expectation', 'What every answer must be.'),
      },
      { description: 'What holds for every check that does not say it itself.' },
    ),
    checks: { type: 'array', minItems: 1, items: defined('check'), description: 'Run in this order.' },
    flows: {
      type: 'object',
      additionalProperties: flow,
      description: 'By name: steps that share what they capture. Each is run once, after the checks.',
    },
    load: {
      type: 'array',
      minItems: 1,
      items: loadSchema(checkProperties),
      description: 'Run after checks and flows, when none failed.',
    },
  },
  {
    title: 'Checks of Sluice',
    description: 'What must work after a deployment: requests, and what their answers must be.',
    required: ['version'],
    anyOf: [{ required: ['checks'] }, { required: ['flows'] }, { required: ['load'] }],
    $defs: { paths, headers, retry, redirects: followRedirects, expectation, exchanges, capture, check, step },
  },
);
