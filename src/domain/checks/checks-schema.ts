import { type JsonSchema, closed, defined, durations, oneKeyOf, oneOrList, words } from '../json-schema.ts';
import {
  type BODY_TESTS,
  type EXPECTATION_KEYS,
  type TEXT_TESTS,
  type VALUE_TESTS,
  type VERSION_KEYS,
} from './expectation.ts';
import { type CHECK_KEYS, type DEFAULTS_KEYS, type DOCUMENT_KEYS, METHOD_KEYS } from './parse.ts';
import { HEADERS_SHAPE, type RETRY_KEYS } from './request-parts.ts';
import { STATUS_SHAPE } from './status-set.ts';

const NAME = '^[A-Za-z_][A-Za-z0-9_]*$';
const ANYTHING: JsonSchema = {};

const jsonPath = (description: string): JsonSchema => ({
  type: 'string',
  pattern: String.raw`^\$`,
  patternErrorMessage: 'An RFC 9535 path: $.status',
  description,
});

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

const contains = oneOrList(words('Text that must be in it.'), { description: 'Text, or texts, that must be in it.' });
const matches = words('Regular expression (RE2 syntax) that must be found in it.');
const exists: JsonSchema = { type: 'boolean', description: 'Whether it must be there.' };

const headerTest: JsonSchema = {
  anyOf: [
    words('The whole value.'),
    closed<(typeof TEXT_TESTS)[number]>(
      { equals: words('The whole value.'), contains, matches, exists },
      { minProperties: 1 },
    ),
  ],
};

const valueTest: JsonSchema = {
  anyOf: [
    { type: ['string', 'number', 'boolean', 'null', 'array'], description: 'The wanted value.' },
    closed<(typeof VALUE_TESTS)[number]>(
      {
        equals: { ...ANYTHING, description: 'The wanted value; an object stands here.' },
        contains: { ...ANYTHING, description: 'Text in a text, or an item of a list.' },
        matches,
        exists,
        'at-least': { type: 'number', description: 'The least that is good.' },
        'at-most': { type: 'number', description: 'The most that is good.' },
      },
      { minProperties: 1 },
    ),
  ],
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
});

const path: JsonSchema = {
  type: 'string',
  pattern: String.raw`^(?:\/|\$\{|\{\{)`,
  patternErrorMessage: 'A path that begins with /; the host comes from the target',
};
const paths = oneOrList(path, { description: 'Path, or list of paths, after the base URL of the target.' });

const check: JsonSchema = closed<(typeof CHECK_KEYS)[number]>(
  {
    name: words('Name of the check in every message; its own.'),
    get: defined('paths'),
    head: defined('paths'),
    post: defined('paths'),
    put: defined('paths'),
    delete: defined('paths'),
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
  },
  {
    title: 'Check',
    required: ['name'],
    oneOf: METHOD_KEYS.map((method) => ({
      required: [method],
      ...(method === 'get' || method === 'head' ? { properties: { json: false, body: false } } : {}),
    })),
    not: { required: ['json', 'body'] },
  },
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
    checks: { type: 'array', minItems: 1, items: check, description: 'Run in this order.' },
  },
  {
    title: 'Checks of Sluice',
    description: 'What must work after a deployment: requests, and what their answers must be.',
    required: ['version', 'checks'],
    $defs: { paths, headers, retry, redirects: followRedirects, expectation },
  },
);
