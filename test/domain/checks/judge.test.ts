import { describe, expect, test } from '@jest/globals';
import { parse as parseYaml } from 'yaml';
import { matchers } from '../../../src/adapters/http/matchers.ts';
import { type Answer, judge } from '../../../src/domain/checks/judge.ts';
import { parseChecks } from '../../../src/domain/checks/parse.ts';
import { resolveChecks } from '../../../src/domain/checks/resolve.ts';
import { after, days, instant, milliseconds } from '../../../src/domain/duration.ts';

const NOW = instant(Date.UTC(2026, 0, 1));

/** The expectation as a user writes it. */
const expectationOf = (yaml: string) => {
  const parsed = parseChecks(
    { version: 1, checks: [{ name: 'a', get: '/', expect: parseYaml(yaml) as unknown }] },
    matchers,
  );
  const resolved = parsed.ok ? resolveChecks(parsed.value, () => undefined) : parsed;
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.problems));
  const [check] = resolved.value.checks;
  if (check === undefined) throw new Error('no check');
  return check.expect;
};

const answer = (parts: Partial<Extract<Answer, { kind: 'answered' }>> = {}): Answer => ({
  kind: 'answered',
  status: 200,
  headers: {},
  body: '',
  bodyTruncated: false,
  duration: milliseconds(120),
  ...parts,
});

const json = (value: unknown, status = 200): Answer =>
  answer({ status, body: JSON.stringify(value), headers: { 'content-type': 'application/json' } });

const reasonsOf = (yaml: string, given: Answer, context: { expectVersion?: string; secrets?: string[] } = {}) => {
  const judgement = judge(expectationOf(yaml), given, { secrets: [], now: NOW, ...context });
  return judgement.kind === 'pass' ? [] : judgement.reasons;
};

describe('passes', () => {
  test.each([
    { name: 'a status below 400', yaml: '{}', given: answer({ status: 302 }) },
    { name: 'one of several statuses', yaml: 'status: [200, 201..204]', given: answer({ status: 203 }) },
    { name: 'a class of statuses', yaml: 'status: 5xx', given: answer({ status: 503 }) },
    { name: 'a header', yaml: 'headers: { Content-Type: { contains: json } }', given: json({}) },
    { name: 'a header that is absent', yaml: 'headers: { server: { exists: false } }', given: answer() },
    { name: 'a value by path', yaml: 'json: { "$.status": healthy }', given: json({ status: 'healthy' }) },
    { name: 'every value of a path', yaml: 'json: { "$.c[*].s": up }', given: json({ c: [{ s: 'up' }, { s: 'up' }] }) },
    { name: 'a path that selects nothing', yaml: 'json: { "$.error": { exists: false } }', given: json({}) },
    { name: 'null that is there', yaml: 'json: { "$.a": { exists: true } }', given: json({ a: null }) },
    {
      name: 'an object, whatever the order of its keys',
      yaml: 'json: { "$": { equals: { a: 1, b: [2] } } }',
      given: json({ b: [2], a: 1 }),
    },
    {
      name: 'a list that holds a value',
      yaml: 'json: { "$.tags": { contains: b } }',
      given: json({ tags: ['a', 'b'] }),
    },
    { name: 'limits that are just met', yaml: 'json: { "$.n": { at-least: 3, at-most: 3 } }', given: json({ n: 3 }) },
    { name: 'a pattern', yaml: 'json: { "$.v": { matches: "^1\\\\." } }', given: json({ v: '1.2' }) },
    {
      name: 'text in the body',
      yaml: 'body: { contains: [up, well], matches: "w.ll" }',
      given: answer({ body: 'up and well' }),
    },
    {
      name: 'text in the part of the body that was read',
      yaml: 'body: { contains: up }',
      given: answer({ body: 'up', bodyTruncated: true }),
    },
    { name: 'an answer in exactly the limit', yaml: 'duration: 120ms', given: answer() },
    {
      name: 'a version in a header',
      yaml: 'version: { header: X-Git-Sha, equals: abc }',
      given: answer({ headers: { 'x-git-sha': 'abc' } }),
    },
  ])('$name', ({ yaml, given }) => {
    expect(reasonsOf(yaml, given)).toEqual([]);
  });
});

describe('fails and says why', () => {
  test.each([
    {
      name: 'a wrong status',
      yaml: 'status: 200',
      given: answer({ status: 404 }),
      reasons: ['status 404, expected 200'],
    },
    {
      name: 'a status just above',
      yaml: 'status: "<400"',
      given: answer({ status: 400 }),
      reasons: ['status 400, expected <400'],
    },
    {
      name: 'a fault',
      yaml: '{}',
      given: { kind: 'failed', fault: 'timeout', message: 'no answer within 10s' } as Answer,
      reasons: ['no answer within 10s'],
    },
    { name: 'a missing header', yaml: 'headers: { etag: a }', given: answer(), reasons: ['header etag is missing'] },
    {
      name: 'another header',
      yaml: 'headers: { etag: a }',
      given: answer({ headers: { etag: 'b' } }),
      reasons: ['header etag is "b", expected "a"'],
    },
    {
      name: 'a header too many',
      yaml: 'headers: { server: { exists: false } }',
      given: answer({ headers: { server: 'x' } }),
      reasons: ['header server is there, expected none'],
    },
    {
      name: 'another value',
      yaml: 'json: { "$.status": healthy }',
      given: json({ status: 'starting' }),
      reasons: ['$.status is "starting", expected "healthy"'],
    },
    {
      name: 'a number as text',
      yaml: 'json: { "$.n": "5" }',
      given: json({ n: 5 }),
      reasons: ['$.n is 5, expected "5"'],
    },
    {
      name: 'a path that selects nothing',
      yaml: 'json: { "$.status": healthy }',
      given: json({}),
      reasons: ['$.status selects nothing, expected "healthy"'],
    },
    {
      name: 'some of several values',
      yaml: 'json: { "$[*]": 1 }',
      given: json([1, 2, 3]),
      reasons: ['$[*] is 2 (and 1 more of 3), expected 1'],
    },
    {
      name: 'a value too small',
      yaml: 'json: { "$.n": { at-least: 3 } }',
      given: json({ n: 2 }),
      reasons: ['$.n is 2, expected at least 3'],
    },
    {
      name: 'text where a number is compared',
      yaml: 'json: { "$.n": { at-most: 3 } }',
      given: json({ n: '2' }),
      reasons: ['$.n is "2", expected at most 3'],
    },
    {
      name: 'an object with a key more',
      yaml: 'json: { "$": { equals: { a: 1 } } }',
      given: json({ a: 1, b: 2 }),
      reasons: ['$ is {"a":1,"b":2}, expected {"a":1}'],
    },
    {
      name: 'a body that is not JSON',
      yaml: 'json: { "$.a": 1 }',
      given: answer({ body: '<html>\n no', headers: { 'content-type': 'text/html' } }),
      reasons: ['the body is not JSON (text/html): <html> no'],
    },
    {
      name: 'an empty body',
      yaml: 'json: { "$.a": 1 }',
      given: answer(),
      reasons: ['the body is empty, expected JSON'],
    },
    {
      name: 'JSON that was cut',
      yaml: 'json: { "$.a": 1 }',
      given: answer({ body: '{"a":1}', bodyTruncated: true }),
      reasons: ['the body is longer than the 7 characters that are read, so its JSON is not judged'],
    },
    {
      name: 'text that is not there',
      yaml: 'body: { contains: up, matches: "x+" }',
      given: answer({ body: 'down' }),
      reasons: ['the body does not contain "up"', 'the body does not have text matching x+'],
    },
    { name: 'a slow answer', yaml: 'duration: 100ms', given: answer(), reasons: ['answered in 120ms, limit 100ms'] },
    {
      name: 'several things at once',
      yaml: '{ status: 200, duration: 100ms }',
      given: answer({ status: 500 }),
      reasons: ['status 500, expected 200', 'answered in 120ms, limit 100ms'],
    },
  ])('$name', ({ yaml, given, reasons }) => {
    expect(reasonsOf(yaml, given)).toEqual(reasons);
  });

  test('a document that is deeper than a path may follow', () => {
    const deep = `${'['.repeat(200)}1${']'.repeat(200)}`;
    expect(reasonsOf('json: { "$..x": 1 }', answer({ body: deep }))).toEqual([
      expect.stringContaining('$..x cannot be evaluated'),
    ]);
  });

  test('a value that is too deep to print', () => {
    const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(reasonsOf('json: { "$.a": 1 }', answer({ body: deep }))).toEqual([
      '$.a is a value nested too deep to show, expected 1',
    ]);
  });
});

describe('the version that answers', () => {
  const yaml = 'version: { json: $.version }';

  test('is compared with the one that the target is expected to have', () => {
    expect(
      judge(expectationOf(yaml), json({ version: 'abc' }), { secrets: [], now: NOW, expectVersion: 'abc' }),
    ).toEqual({
      kind: 'pass',
      version: 'abc',
    });
    expect(reasonsOf(yaml, json({ version: 'old' }), { expectVersion: 'new' })).toEqual([
      'version old answers, expected new ($.version)',
    ]);
  });

  test.each([
    { name: 'is missing', given: json({}), reasons: ['no version in $.version, expected new'] },
    { name: 'is an object', given: json({ version: {} }), reasons: ['no version in $.version, expected new'] },
    {
      name: 'is in a body that is not JSON',
      given: answer({ body: 'x' }),
      reasons: ['no version in $.version, expected new'],
    },
  ])('fails when it $name', ({ given, reasons }) => {
    expect(reasonsOf(yaml, given, { expectVersion: 'new' })).toEqual(reasons);
  });

  test('of the file wins over the one of the target', () => {
    const own = 'version: { json: $.version, equals: own }';
    expect(reasonsOf(own, json({ version: 'new' }), { expectVersion: 'new' })).toEqual([
      'version new answers, expected own ($.version)',
    ]);
  });

  test('fails when nobody says which one is expected', () => {
    expect(reasonsOf(yaml, json({ version: 'a' }))).toEqual([
      'no version is expected: give `equals` or expect-version ($.version)',
    ]);
  });
});

describe('a health document', () => {
  test.each([
    {
      name: 'components with objects',
      body: { components: { cache: { status: 'unhealthy' }, db: { status: 'healthy' } } },
      named: ['component cache is unhealthy'],
    },
    {
      name: 'components with words',
      body: { components: { cache: 'down', db: 'up' } },
      named: ['component cache is down'],
    },
    {
      name: 'Spring Actuator',
      body: { status: 'DOWN', components: { db: { status: 'DOWN', details: {} }, ping: { status: 'UP' } } },
      named: ['component db is DOWN'],
    },
    {
      name: 'ASP.NET',
      body: { status: 'Unhealthy', entries: { redis: { status: 'Degraded' } } },
      named: ['component redis is Degraded'],
    },
    {
      name: 'health+json',
      body: { status: 'fail', checks: { 'db:time': [{ status: 'fail' }], cpu: [{ status: 'pass' }] } },
      named: ['component db:time is fail'],
    },
    {
      name: 'a list',
      body: {
        services: [
          { name: 'mail', healthy: false },
          { name: 'db', healthy: true },
        ],
      },
      named: ['component mail is false'],
    },
    { name: 'no components', body: { status: 'unhealthy' }, named: [] },
    { name: 'a list of other things', body: { results: [1, 'a', { id: 3 }] }, named: [] },
  ])('names the unhealthy components: $name', ({ body, named }) => {
    expect(reasonsOf('status: 200', json(body, 503))).toEqual(['status 503, expected 200', ...named]);
  });

  test('that passes names nothing', () => {
    expect(
      judge(expectationOf('status: 200'), json({ components: { cache: 'down' } }), { secrets: [], now: NOW }),
    ).toEqual({
      kind: 'pass',
    });
  });
});

describe('a reason', () => {
  test('is one printable line, whatever the application answers', () => {
    const [reason] = reasonsOf(
      'json: { "$.a": 1 }',
      answer({ body: 'x\r\n::set-output name=a::b\u001b[31m ##[error]y \u202e' }),
    );
    expect(reason).toBe('the body is not JSON (no content-type): x ::set-output name=a::b [31m ## [error]y');
  });

  test('has a limit', () => {
    const [reason] = reasonsOf('json: { "$.a": 1 }', json({ a: 'x'.repeat(5_000) }));
    expect(reason?.length).toBeLessThan(120);
  });

  test('hides secrets before it is cut, in every spelling', () => {
    const secret = `to"ken/${'z'.repeat(60)}`;
    const body = { a: `${'y'.repeat(40)}${secret}` };
    const shown = reasonsOf('json: { "$.a": 1 }', json(body), { secrets: [secret] }).join();
    expect(shown).toContain('***');
    expect(shown).not.toContain('ken');
  });
});

describe('a certificate', () => {
  const until = (left: number): Answer => answer({ certificate: { validUntil: after(NOW, days(left)) } });

  test('passes with the wanted days', () => {
    expect(reasonsOf('certificate: { days-left: 14 }', until(14))).toEqual([]);
  });

  test.each([
    {
      name: 'that ends too soon fails with its date',
      given: until(13.9),
      reason: 'the certificate is valid until 2026-01-14T21:36:00Z, 13 days, expected at least 14 days',
    },
    {
      name: 'that is not there fails',
      given: answer(),
      reason: 'the connection has no certificate: it is not secured',
    },
  ])('$name', ({ given, reason }) => {
    expect(reasonsOf('certificate: { days-left: 14 }', given)).toEqual([reason]);
  });
});
