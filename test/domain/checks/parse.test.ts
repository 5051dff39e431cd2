import { describe, expect, test } from '@jest/globals';
import { parse as parseYaml } from 'yaml';
import { matchers } from '../../../src/adapters/http/matchers.ts';
import { parseChecks } from '../../../src/domain/checks/parse.ts';
import { formatPath } from '../../../src/domain/checks/place.ts';
import { seconds } from '../../../src/domain/duration.ts';

const documentOf = (yaml: string) => {
  const parsed = parseChecks(parseYaml(yaml), matchers);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems, null, 2));
  return parsed.value;
};

const problemsOf = (yaml: string): readonly string[] => {
  const parsed = parseChecks(parseYaml(yaml), matchers);
  return parsed.ok ? [] : parsed.problems.map(({ input, problem }) => `${input} ${problem}`);
};

const oneCheck = (rest: string): string => `
version: 1
checks:
  - name: health
    get: /health
    ${rest}
`;

describe('a checks document', () => {
  test('gives every check its defaults, and what it says itself wins', () => {
    const { checks } = documentOf(`
version: 1
defaults:
  timeout: 3s
  headers: { User-Agent: ours, X-Team: a }
  retry: { count: 5, interval: 2s }
  expect: { status: 200, duration: 1s }
checks:
  - { name: plain, get: / }
  - name: own
    post: /login
    json: { user: smoke }
    timeout: 20s
    headers: { x-team: b }
    retry: { count: 9 }
    expect: { status: [200, 204] }
`);
    expect(checks).toMatchObject([
      {
        name: 'plain',
        method: 'GET',
        paths: [{ text: '/', at: ['checks', 0, 'get'] }],
        timeout: seconds(3),
        headers: { 'user-agent': 'ours', 'x-team': 'a' },
        retry: { count: 5, interval: seconds(2), consecutive: 1 },
        redirects: { kind: 'never' },
        expect: { status: { text: '200' }, duration: seconds(1) },
      },
      {
        name: 'own',
        method: 'POST',
        timeout: seconds(20),
        headers: { 'user-agent': 'ours', 'x-team': 'b' },
        retry: { count: 9, interval: seconds(2), consecutive: 1 },
        expect: { status: { text: '200 or 204' }, duration: seconds(1) },
      },
    ]);
  });

  test('expects a status below 400 where nothing is said', () => {
    expect(documentOf('{ version: 1, checks: [{ name: a, get: / }] }').checks[0]?.expect).toEqual({
      status: { text: '<400', ranges: [{ from: 100, to: 399 }] },
    });
  });

  test('takes several paths in one check, each with its place', () => {
    const { checks } = documentOf('{ version: 1, checks: [{ name: endpoints, get: [/api/items, /docs] }] }');
    expect(checks[0]?.paths).toEqual([
      { text: '/api/items', at: ['checks', 0, 'get', 0] },
      { text: '/docs', at: ['checks', 0, 'get', 1] },
    ]);
  });

  test.each([
    { name: 'same-host', redirects: 'same-host', read: { kind: 'follow', hosts: [] } },
    {
      name: 'a list of hosts',
      redirects: '[Login.example.com]',
      read: { kind: 'follow', hosts: ['login.example.com'] },
    },
    { name: 'never', redirects: 'never', read: { kind: 'never' } },
  ])('reads follow-redirects: $name', ({ redirects, read }) => {
    expect(documentOf(oneCheck(`follow-redirects: ${redirects}`)).checks[0]?.redirects).toEqual(read);
  });

  test('names every problem at once, each with its place', () => {
    const yaml = `
version: 2
targte: https://example.com
variables: { 1st: a }
checks:
  - name: health
    get: health
    timeout: 10
    expect: { status: 700, json: { status: healthy, "$.a": {} }, body: { matches: "(?=a)" } }
  - get: /
    retries: 3
`;
    expect(problemsOf(yaml)).toEqual([
      'targte is not a key of this place',
      'version is not a version that can be read',
      'variables.1st is not a name',
      'checks[0].get is not a path',
      'checks[0].timeout is not a duration',
      'checks[0].expect.status is not a status',
      "checks[0].expect.json.status is not a JSON path: expected '$', found 's' ('status':0)",
      'checks[0].expect.json["$.a"] expects nothing',
      'checks[0].expect.body.matches is not a regular expression: error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
      'checks[1].retries is not a key of this place',
      'checks[1] has no `name`',
    ]);
  });

  test('offers the nearest key for a misspelt one', () => {
    const parsed = parseChecks(parseYaml(oneCheck('expcet: { status: 200 }')), matchers);
    expect(parsed).toMatchObject({ ok: false, problems: [{ input: 'checks[0].expcet', nearest: 'expect' }] });
  });

  test.each([
    { name: 'Socket.IO', yaml: '{ version: 1, checks: [{ name: a, socketio: /s }] }', at: 'checks[0].socketio' },
  ])('refuses what comes later, by its place: $name', ({ yaml, at }) => {
    const problems = problemsOf(yaml);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(at);
    expect(problems[0]).toContain('is not supported by this version');
  });

  test.each([
    { name: 'a document that is a list', yaml: '[]', problem: 'the document is not a mapping' },
    { name: 'an empty document', yaml: '', problem: 'the document is empty' },
    { name: 'no version', yaml: 'checks: [{ name: a, get: / }]', problem: 'the document does not say its `version`' },
    {
      name: 'the version as text',
      yaml: '{ version: "1", checks: [{ name: a, get: / }] }',
      problem: 'version is not a version',
    },
    { name: 'no checks', yaml: 'version: 1', problem: 'the document has no `checks`' },
    { name: 'an empty list of checks', yaml: '{ version: 1, checks: [] }', problem: 'checks is an empty list' },
    { name: 'a check that is text', yaml: '{ version: 1, checks: [/health] }', problem: 'checks[0] is not a check' },
    {
      name: 'a check without a request',
      yaml: '{ version: 1, checks: [{ name: a }] }',
      problem: 'checks[0] makes no request',
    },
    {
      name: 'two requests in one check',
      yaml: '{ version: 1, checks: [{ name: a, get: /, post: / }] }',
      problem: 'checks[0] has several requests (get, post)',
    },
    {
      name: 'one name for two checks',
      yaml: '{ version: 1, checks: [{ name: a, get: / }, { name: a, get: /b }] }',
      problem: 'checks[1] is the name of an earlier check too',
    },
    {
      name: 'a whole URL in place of a path',
      yaml: '{ version: 1, checks: [{ name: a, get: "https://x/" }] }',
      problem: 'checks[0].get is not a path',
    },
    { name: 'a body on a GET', yaml: oneCheck('body: x'), problem: 'checks[0].body does not go with get' },
    {
      name: 'both bodies',
      yaml: '{ version: 1, checks: [{ name: a, post: /, body: x, json: {} }] }',
      problem: 'checks[0].body excludes `json`',
    },
    {
      name: 'a token in the file',
      yaml: oneCheck('auth: { bearer: abc }'),
      problem: 'checks[0].auth.bearer is a secret written into the file',
    },
    {
      name: 'a token in a variable of the file',
      yaml: '{ version: 1, variables: { t: abc }, checks: [{ name: a, get: /, auth: { bearer: "{{ t }}" } }] }',
      problem: 'checks[0].auth.bearer is a secret written into the file',
    },
    {
      name: 'credentials in a header',
      yaml: oneCheck('headers: { Authorization: Basic abc }'),
      problem: 'checks[0].headers.Authorization is a secret',
    },
    {
      name: 'bearer and the header',
      yaml: '{ version: 1, checks: [{ name: a, get: /, auth: { bearer: "${T}" }, headers: { Authorization: "${T}" } }] }',
      problem: 'checks[0].auth excludes the header Authorization',
    },
    {
      name: 'the Host header',
      yaml: oneCheck('headers: { Host: a }'),
      problem: 'checks[0].headers.Host is not set here',
    },
    {
      name: 'a header of the connection',
      yaml: oneCheck('headers: { Content-Length: 1 }'),
      problem: 'is set by the connection itself',
    },
    {
      name: 'a header twice',
      yaml: oneCheck('headers: { X-A: b, x-a: c }'),
      problem: 'checks[0].headers.x-a is given twice',
    },
    {
      name: 'a header with a blank in its name',
      yaml: oneCheck('headers: { "a b": c }'),
      problem: 'is not the name of a header',
    },
    {
      name: 'more good answers than tries',
      yaml: oneCheck('retry: { count: 2, consecutive: 3 }'),
      problem: 'checks[0].retry can never give 3 good answers',
    },
    { name: 'no tries', yaml: oneCheck('retry: { count: 0 }'), problem: 'checks[0].retry.count is not a whole number' },
    {
      name: 'a version without a place',
      yaml: oneCheck('expect: { version: { equals: a } }'),
      problem: 'does not say where the version stands',
    },
    {
      name: 'a version in two places',
      yaml: oneCheck('expect: { version: { header: a, json: $.v } }'),
      problem: 'does not say where the version stands',
    },
    {
      name: 'an object without a test',
      yaml: oneCheck('expect: { json: { "$.a": { b: 1 } } }'),
      problem: 'checks[0].expect.json["$.a"].b is not a key',
    },
    {
      name: 'a pattern with a reference',
      yaml: oneCheck('expect: { body: { matches: "${A}" } }'),
      problem: 'holds a reference',
    },
    {
      name: 'a pattern that multiplies',
      yaml: oneCheck('expect: { body: { matches: "((a|b){1,90}c){1,9}" } }'),
      problem: 'is too large',
    },
    {
      name: 'an unknown variable',
      yaml: oneCheck('headers: { x: "{{ usr }}" }'),
      problem: 'uses the variable usr, which is not defined',
    },
    {
      name: 'a workflow expression',
      yaml: oneCheck('headers: { x: "${{ github.sha }}" }'),
      problem: 'holds a workflow expression',
    },
    {
      name: 'a broken reference',
      yaml: oneCheck('headers: { x: "${A-B}" }'),
      problem: 'checks[0].headers.x holds a broken reference',
    },
    {
      name: 'a redirect host with a scheme',
      yaml: oneCheck('follow-redirects: ["https://a"]'),
      problem: 'is not a host name',
    },
  ])('refuses $name', ({ yaml, problem }) => {
    expect(problemsOf(yaml)).toEqual([expect.stringContaining(problem)]);
  });

  test('never shows a value that may be a secret', () => {
    const parsed = parseChecks(parseYaml(oneCheck('auth: { bearer: hunter2 }')), matchers);
    expect(JSON.stringify(parsed)).not.toContain('hunter2');
  });
});

test.each([
  { name: 'keys and positions', path: ['checks', 2, 'expect', 'status'], text: 'checks[2].expect.status' },
  { name: 'keys that are no words', path: ['json', '$.a b'], text: 'json["$.a b"]' },
  { name: 'the whole document', path: [], text: '' },
])('a path is written by $name', ({ path, text }) => {
  expect(formatPath(path)).toBe(text);
});
