import { describe, expect, test } from '@jest/globals';
import { parse as parseYaml } from 'yaml';
import { matchers } from '../../../src/adapters/http/matchers.ts';
import { parseChecks } from '../../../src/domain/checks/parse.ts';
import { resolveChecks } from '../../../src/domain/checks/resolve.ts';

const resolve = (
  yaml: string,
  environment: Record<string, string> = {},
  target: 'of-document' | 'elsewhere' = 'of-document',
) => {
  const parsed = parseChecks(parseYaml(yaml), matchers);
  return parsed.ok ? resolveChecks(parsed.value, (name) => environment[name] || undefined, { target }) : parsed;
};

const problemsOf = (yaml: string, environment: Record<string, string> = {}) => {
  const resolved = resolve(yaml, environment);
  return resolved.ok ? [] : resolved.problems.map(({ input, problem }) => `${input} ${problem}`);
};

describe('references', () => {
  test('are filled in wherever a text stands', () => {
    const resolved = resolve(
      `
version: 1
target: \${BASE}
variables: { user: smoke, greeting: "hello \${WHO}" }
checks:
  - name: login
    post: "/login/{{ user }}?at=\${REGION}"
    headers: { X-Price: "$\${5}", X-Greeting: "{{ greeting }}" }
    json: { user: "{{ user }}", tags: ["\${REGION}", 1, null] }
    expect:
      json: { "$.user": "{{ user }}", "$.o": { equals: { a: "\${REGION}" } } }
      headers: { x-region: { contains: "\${REGION}" } }
      body: { contains: "{{ user }}" }
      version: { header: x-git-sha, equals: "\${SHA}" }
`,
      { BASE: 'https://a.example', WHO: 'world', REGION: 'eu', SHA: 'abc' },
    );
    expect(resolved).toMatchObject({
      ok: true,
      value: {
        target: 'https://a.example',
        checks: [
          {
            path: '/login/smoke?at=eu',
            headers: { 'x-price': '${5}', 'x-greeting': 'hello world', 'content-type': 'application/json' },
            body: '{"user":"smoke","tags":["eu",1,null]}',
            expect: {
              json: [{ tests: [{ value: 'smoke' }] }, { tests: [{ value: { a: 'eu' } }] }],
              headers: [{ tests: [{ value: 'eu' }] }],
              body: [{ value: 'smoke' }],
              version: { equals: 'abc' },
            },
          },
        ],
      },
    });
  });

  test('to a missing environment variable are problems that name the check, once for each place', () => {
    const yaml = `
version: 1
checks:
  - { name: api, get: "/\${A}/\${A}", auth: { bearer: "\${TOKEN}" } }
  - { name: page, get: /, expect: { json: { "$.v": "\${TOKEN}" } } }
`;
    expect(problemsOf(yaml, { TOKEN: '' })).toEqual([
      'checks[0].auth.bearer needs the environment variable TOKEN, which is not set (check api)',
      'checks[0].get needs the environment variable A, which is not set (check api)',
      'checks[1].expect.json["$.v"] needs the environment variable TOKEN, which is not set (check page)',
    ]);
  });

  test('of the target are not needed when the checks go elsewhere', () => {
    const yaml = '{ version: 1, target: "${BASE}", checks: [{ name: a, get: / }] }';
    expect(problemsOf(yaml)).toEqual(['target needs the environment variable BASE, which is not set']);
    expect(resolve(yaml, {}, 'elsewhere')).toMatchObject({ ok: true });
  });

  test.each([
    {
      name: 'a header with a line break',
      yaml: '{ version: 1, checks: [{ name: a, get: /, headers: { x: "${V}" } }] }',
      value: 'a\r\nb: c',
      problem: 'has a line break',
    },
    {
      name: 'a bearer with a line break',
      yaml: '{ version: 1, checks: [{ name: a, get: /, auth: { bearer: "${V}" } }] }',
      value: 'token\n',
      problem: 'has a line break',
    },
    {
      name: 'a path without its slash',
      yaml: '{ version: 1, checks: [{ name: a, get: "${V}" }] }',
      value: 'evil.example',
      problem: 'is not a path when filled in',
    },
    {
      name: 'a path with a line break',
      yaml: '{ version: 1, checks: [{ name: a, get: "/${V}" }] }',
      value: 'a\nb',
      problem: 'is not a path when filled in',
    },
  ])('cannot make $name', ({ yaml, value, problem }) => {
    expect(problemsOf(yaml, { V: value })).toEqual([expect.stringContaining(problem)]);
  });
});

describe('a check with several paths', () => {
  test('becomes one for each, named by its path as it is written', () => {
    const resolved = resolve('{ version: 1, checks: [{ name: pages, get: [/a, "/b?t=${T}"] }] }', { T: 'secret' });
    expect(resolved).toMatchObject({
      value: {
        checks: [
          { name: 'pages /a', path: '/a', at: ['checks', 0, 'get', 0] },
          { name: 'pages /b?t=${T}', path: '/b?t=secret', at: ['checks', 0, 'get', 1] },
        ],
      },
    });
  });
});

describe('secrets', () => {
  test('are the listed ones, and what stands in places that are secret by nature', () => {
    const resolved = resolve(
      `
version: 1
variables: { session: "\${SESSION}" }
secrets: [PASSWORD, UNSET]
checks:
  - { name: a, get: /, auth: { bearer: "\${TOKEN}" }, headers: { Cookie: "{{ session }}", X-Shop: "\${SHOP}", X-Auth-Token: "\${KEY}" } }
`,
      { PASSWORD: 'p', TOKEN: 't', SESSION: 's', SHOP: 'public', KEY: 'k' },
    );
    expect(resolved.ok && [...resolved.value.secrets].sort()).toEqual(['k', 'p', 's', 't']);
  });

  test('become the Authorization header', () => {
    const resolved = resolve('{ version: 1, checks: [{ name: a, get: /, auth: { bearer: "${T}" } }] }', { T: 'x' });
    expect(resolved).toMatchObject({ value: { checks: [{ headers: { authorization: 'Bearer x' } }] } });
  });
});

describe('the content type', () => {
  test.each([
    { name: 'of JSON is set', rest: 'json: {}', type: 'application/json' },
    {
      name: 'of JSON may be another',
      rest: 'json: {}, headers: { Content-Type: application/ld+json }',
      type: 'application/ld+json',
    },
    { name: 'of a text is left to the file', rest: 'body: a=b', type: undefined },
  ])('$name', ({ rest, type }) => {
    const resolved = resolve(`{ version: 1, checks: [{ name: a, post: /, ${rest} }] }`);
    expect(resolved.ok && resolved.value.checks[0]?.headers['content-type']).toBe(type);
  });
});
