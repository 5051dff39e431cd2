import { describe, expect, test } from '@jest/globals';
import { type AppRequest, answer } from '../../../sandbox/application/answer.ts';
import { type AppState, newState } from '../../../sandbox/application/state.ts';
import { DEMO_PASSWORD, DEMO_USER, tokenFor } from '../../../sandbox/application/tokens.ts';

const START = 1_000_000;

const stateOf = (tag: string, environment: Record<string, string> = {}): AppState =>
  newState(
    { id: 'task-1', image: `wesign/charts:${tag}`, tag, digest: 'sha256:00', environment, containerPort: 80 },
    START,
  );

const get = (path: string, headers: AppRequest['headers'] = {}): AppRequest => ({
  method: 'GET',
  path,
  headers,
  body: '',
});
const loginWith = (body: string): AppRequest => ({ method: 'POST', path: '/api/login', headers: {}, body });

/** Statuses of `count` page requests. */
const pages = (state: AppState, count: number): number[] =>
  Array.from({ length: count }, () => answer(get('/'), state, START).status);

describe('routes', () => {
  const token = tokenFor(DEMO_USER);
  test.each([
    { name: 'health', request: get('/health'), status: 200, contains: '"status":"healthy"' },
    { name: 'readiness', request: get('/ready'), status: 200, contains: 'true' },
    { name: 'version', request: get('/version'), status: 200, contains: '"version":"1.4.0"' },
    { name: 'the page', request: get('/'), status: 200, contains: 'release 1.4.0' },
    { name: 'the charts page', request: get('/analytics/realtime-charts'), status: 200, contains: 'Real-time charts' },
    { name: 'an unknown path', request: get('/nothing'), status: 404, contains: 'Not Found' },
    { name: 'a name that every object has', request: get('/__proto__'), status: 404, contains: 'Not Found' },
    { name: 'a WebSocket address without upgrade', request: get('/analyticsHub'), status: 426, contains: 'WebSocket' },
    { name: 'the wrong method', request: { ...get('/'), method: 'DELETE' }, status: 405, contains: 'Not Allowed' },
    {
      name: 'the API without a token',
      request: get('/api/analytics/charts/usage-trends'),
      status: 401,
      contains: 'token',
    },
    {
      name: 'the API with a made-up token',
      request: get('/api/analytics/charts/usage-trends', { authorization: 'Bearer ZGVtbw.x' }),
      status: 401,
      contains: 'token',
    },
    {
      name: 'the API with a token',
      request: get('/api/analytics/charts/usage-trends', { authorization: `Bearer ${token}` }),
      status: 200,
      contains: 'usage-trends',
    },
    {
      name: 'a login',
      request: loginWith(JSON.stringify({ user: DEMO_USER, password: DEMO_PASSWORD })),
      status: 200,
      contains: token,
    },
    {
      name: 'a login with a wrong password',
      request: loginWith(JSON.stringify({ user: DEMO_USER, password: 'x' })),
      status: 401,
      contains: 'wrong',
    },
    { name: 'a login that is no JSON', request: loginWith('user=demo'), status: 400, contains: 'JSON' },
  ])('answers $name with $status', ({ request, status, contains }) => {
    const given = answer(request, stateOf('1.4.0'), START);
    expect(given.status).toBe(status);
    expect(given.body).toContain(contains);
  });

  test('takes the token that the task is given', () => {
    const request = get('/api/analytics/charts/usage-trends', { authorization: 'Bearer from-the-team' });
    expect(answer(request, stateOf('1.4.0', { API_TOKEN: 'from-the-team' }), START).status).toBe(200);
    expect(answer(request, stateOf('1.4.0'), START).status).toBe(401);
  });

  test('says in every answer who answered', () => {
    const headers = answer(get('/nothing'), stateOf('1.4.0', { COLOR: 'green' }), START).headers;
    expect(headers).toMatchObject({ 'x-app-version': '1.4.0', 'x-app-color': 'green', 'x-app-task': 'task-1' });
  });

  test('has no color header without a color, and never lets one break out of its header', () => {
    expect(answer(get('/'), stateOf('1.4.0'), START).headers).not.toHaveProperty('x-app-color');
    const broken = answer(get('/'), stateOf('1.4.0', { COLOR: 'a\r\nset-cookie: b' }), START).headers['x-app-color'];
    expect(broken).toBe('a??set-cookie: b');
  });

  test('gives the health document with its components and whole seconds of life', () => {
    expect(JSON.parse(answer(get('/health'), stateOf('1.4.0'), START + 12_900).body)).toEqual({
      status: 'healthy',
      version: '1.4.0',
      uptimeSeconds: 12,
      components: { database: { status: 'healthy' }, cache: { status: 'healthy' } },
    });
  });

  test('is not ready once it was told to stop, and stays healthy', () => {
    const state = stateOf('1.4.0');
    state.stopping = true;
    expect(answer(get('/ready'), state, START).status).toBe(503);
    expect(answer(get('/health'), state, START).status).toBe(200);
  });
});

describe('behaviours', () => {
  test.each([
    { name: 'a plain version', tag: '1.4.0', kind: 'healthy' },
    { name: 'an unknown suffix', tag: '1.4.0-rc1', kind: 'healthy' },
    { name: 'a suffix inside the tag', tag: '1.4.0-slow-7', kind: 'healthy' },
    { name: 'the end of the tag', tag: '1.4.0-slow', kind: 'slow' },
    { name: 'the whole tag', tag: 'crash', kind: 'crash' },
    { name: 'the longer of two names', tag: '1.4.0-crash-at-start', kind: 'crash-at-start' },
  ])('reads $name', ({ tag, kind }) => {
    expect(stateOf(tag).behaviour.kind).toBe(kind);
  });

  test.each(['x', '', '-1', 'Infinity'])('refuses "%s" as a number of its settings', (given) => {
    expect(() => stateOf('1.4.0-slow', { BEHAVIOUR_DELAY_MS: given })).toThrow('BEHAVIOUR_DELAY_MS');
  });

  test('refuses a share above 1', () => {
    expect(() => stateOf('1.4.0-error-rate', { BEHAVIOUR_SHARE: '30' })).toThrow('not a share');
  });

  test('error-rate: good for 60 requests, then 30 % fail, the same ones for the same task', () => {
    const state = stateOf('1.4.1-error-rate');
    expect(new Set(pages(state, 60))).toEqual(new Set([200]));
    const after = pages(state, 2_000);
    const failed = after.filter((status) => status === 500).length;
    // 4 standard deviations of a share of 0.3 in 2,000 draws.
    expect(Math.abs(failed - 600)).toBeLessThan(4 * Math.sqrt(2_000 * 0.3 * 0.7));
    const again = stateOf('1.4.1-error-rate');
    pages(again, 60);
    expect(pages(again, 2_000)).toEqual(after);
  });

  test('health checks of any path push no release over its threshold', () => {
    const state = stateOf('1.4.1-error-rate', { BEHAVIOUR_AFTER_REQUESTS: '1', BEHAVIOUR_SHARE: '1' });
    const check = get('/', { 'user-agent': 'ELB-HealthChecker/2.0' });
    const checks = Array.from({ length: 50 }, () => [
      answer(check, state, START),
      answer(get('/health'), state, START),
    ]).flat();
    expect(new Set(checks.map(({ status }) => status))).toEqual(new Set([200]));
    expect(pages(state, 3)).toEqual([200, 500, 500]);
  });

  test('slow: answers late after the threshold, health checks never', () => {
    const state = stateOf('1.4.1-slow', { BEHAVIOUR_AFTER_REQUESTS: '2' });
    expect(Array.from({ length: 4 }, () => answer(get('/'), state, START).delay)).toEqual([0, 0, 2_500, 2_500]);
    expect(answer(get('/health'), state, START).delay).toBe(0);
  });

  test('crash: ends with the request that reaches the threshold, which is still answered', () => {
    const state = stateOf('1.4.1-crash');
    const ends = Array.from({ length: 120 }, () => answer(get('/'), state, START));
    expect(ends.map(({ afterwards }) => afterwards).indexOf('exit')).toBe(119);
    expect(ends[119]?.status).toBe(200);
  });

  test('unhealthy-later: health and readiness fall 12 s after the first request that is no check, pages go on', () => {
    const state = stateOf('1.4.1-unhealthy-later');
    expect(answer(get('/health'), state, START + 60_000).status).toBe(200);
    answer(get('/'), state, START + 60_000);
    expect(answer(get('/health'), state, START + 71_999).status).toBe(200);
    const later = answer(get('/health'), state, START + 72_000);
    expect(later.status).toBe(503);
    expect(JSON.parse(later.body)).toMatchObject({
      status: 'unhealthy',
      components: { database: { status: 'unhealthy' }, cache: { status: 'healthy' } },
    });
    expect(answer(get('/ready'), state, START + 72_000).status).toBe(503);
    expect(answer(get('/'), state, START + 72_000).status).toBe(200);
  });

  test('never-healthy: unhealthy from the start, pages answer', () => {
    const state = stateOf('1.4.1-never-healthy');
    expect([get('/health'), get('/ready'), get('/')].map((request) => answer(request, state, START).status)).toEqual([
      503, 503, 200,
    ]);
  });
});
