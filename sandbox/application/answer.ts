import { featureAnswer } from './features.ts';
import { negotiation } from './hub.ts';
import { DEMO_PASSWORD, DEMO_USER, tokenFor, userOf } from './tokens.ts';
import type { AppState } from './state.ts';

export interface AppRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface AppAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Milliseconds that pass before the answer leaves. */
  readonly delay: number;
  /** `exit`: the task ends with code 1 once this answer has left. */
  readonly afterwards: 'stay' | 'exit';
}

interface Content {
  readonly status: number;
  readonly type: 'application/json' | 'text/html; charset=utf-8' | 'text/plain; charset=utf-8';
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Route {
  readonly method: 'GET' | 'POST';
  readonly give: (request: AppRequest, state: AppState, now: number) => Content;
}

export const WEBSOCKET_PATH = '/analyticsHub';

const json = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Content => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
  headers,
});

const text = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Content => ({
  status,
  type: 'text/plain; charset=utf-8',
  body,
  headers,
});

const ROUTES: Readonly<Record<string, Route>> = {
  '/health': { method: 'GET', give: (_request, state, now) => health(state, now) },
  '/health/database': { method: 'GET', give: (_request, state, now) => databaseHealth(state, now) },
  '/ready': { method: 'GET', give: (_request, state, now) => readiness(state, now) },
  '/version': {
    method: 'GET',
    give: (_request, { tag, digest, color, task }) => json(200, { version: tag, digest, color: color ?? null, task }),
  },
  '/': { method: 'GET', give: (_request, state) => page('Charts', state) },
  '/analytics/realtime-charts': { method: 'GET', give: (_request, state) => page('Real-time charts', state) },
  '/api/analytics/charts/usage-trends': { method: 'GET', give: usageTrends },
  '/api/login': { method: 'POST', give: login },
  [`${WEBSOCKET_PATH}/negotiate`]: { method: 'POST', give: () => json(200, negotiation()) },
  [WEBSOCKET_PATH]: {
    method: 'GET',
    give: () => text(426, 'This address speaks WebSocket.\n', { upgrade: 'websocket' }),
  },
};

/** What the application answers. Reads no clock and touches no socket; counts in `state` what it served. */
export function answer(request: AppRequest, state: AppState, now: number): AppAnswer {
  if (isHealthCheck(request)) return complete(route(request, state, now), state, { delay: 0, afterwards: 'stay' });
  const before = state.served;
  state.served += 1;
  state.firstRequestAt ??= now;
  const { behaviour } = state;
  switch (behaviour.kind) {
    case 'error-rate':
      if (before >= behaviour.afterRequests && state.chance() < behaviour.share) {
        return complete(text(500, 'Internal Server Error\n'), state, { delay: 0, afterwards: 'stay' });
      }
      return complete(route(request, state, now), state, { delay: 0, afterwards: 'stay' });
    case 'slow': {
      const delay = before >= behaviour.afterRequests ? behaviour.delay : 0;
      return complete(route(request, state, now), state, { delay, afterwards: 'stay' });
    }
    case 'crash': {
      const afterwards = state.served >= behaviour.afterRequests ? 'exit' : 'stay';
      return complete(route(request, state, now), state, { delay: 0, afterwards });
    }
    default:
      return complete(route(request, state, now), state, { delay: 0, afterwards: 'stay' });
  }
}

/** What every answer carries, a WebSocket's 101 included: who answered. */
export function identityHeaders(state: AppState): Readonly<Record<string, string>> {
  return {
    'x-app-version': printable(state.tag),
    'x-app-task': printable(state.task),
    ...(state.color === undefined ? {} : { 'x-app-color': printable(state.color) }),
  };
}

/** Checks of a load balancer on any path are no traffic: they must not push a release over its threshold. */
const isHealthCheck = ({ path, headers }: AppRequest): boolean =>
  path === '/health' || path === '/ready' || (headers['user-agent'] ?? '').startsWith('ELB-HealthChecker/');

function route(request: AppRequest, state: AppState, now: number): Content {
  const found = Object.hasOwn(ROUTES, request.path) ? ROUTES[request.path] : undefined;
  if (found === undefined) return feature(request);
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  if (method !== found.method) return text(405, 'Method Not Allowed\n', { allow: found.method });
  return found.give(request, state, now);
}

function feature({ method, path, headers, body }: AppRequest): Content {
  const asked = { method: method === 'HEAD' ? 'GET' : method, path, authorization: headers['authorization'], body };
  const given = featureAnswer(asked);
  return given === undefined ? text(404, 'Not Found\n') : json(given.status, given.value);
}

function complete(content: Content, state: AppState, effect: Pick<AppAnswer, 'delay' | 'afterwards'>): AppAnswer {
  return {
    status: content.status,
    headers: {
      'content-type': content.type,
      'cache-control': 'no-store',
      ...identityHeaders(state),
      ...content.headers,
    },
    body: content.body,
    ...effect,
  };
}

/** The component that is at fault now, if one is. */
function failing({ behaviour, firstRequestAt }: AppState, now: number): 'database' | undefined {
  if (behaviour.kind === 'never-healthy') return 'database';
  if (behaviour.kind !== 'unhealthy-later' || firstRequestAt === undefined) return undefined;
  return now - firstRequestAt >= behaviour.delay ? 'database' : undefined;
}

function health(state: AppState, now: number): Content {
  const broken = failing(state, now);
  const database =
    broken === 'database' ? { status: 'unhealthy', error: 'connection pool exhausted' } : { status: 'healthy' };
  return json(broken === undefined ? 200 : 503, {
    status: broken === undefined ? 'healthy' : 'unhealthy',
    version: state.tag,
    uptimeSeconds: Math.max(0, Math.floor((now - state.startedAt) / 1_000)),
    components: { database, cache: { status: 'healthy' } },
  });
}

function databaseHealth(state: AppState, now: number): Content {
  const broken = failing(state, now) === 'database';
  return json(broken ? 503 : 200, { status: broken ? 'unhealthy' : 'healthy' });
}

function readiness(state: AppState, now: number): Content {
  if (state.stopping) return json(503, { ready: false, reason: 'stopping' });
  const broken = failing(state, now);
  return broken === undefined
    ? json(200, { ready: true })
    : json(503, { ready: false, reason: `${broken} is unhealthy` });
}

function page(title: string, { tag, color }: AppState): Content {
  const shown = [title, `release ${tag}`, ...(color === undefined ? [] : [color])].map(escapeHtml);
  const body = `<!doctype html>\n<html lang="en">\n<title>${shown[0]}</title>\n<h1>${shown[0]}</h1>\n<p>${shown.slice(1).join(', ')}</p>\n</html>\n`;
  return { status: 200, type: 'text/html; charset=utf-8', body };
}

function usageTrends(request: AppRequest, state: AppState): Content {
  const token = /^Bearer (\S+)$/i.exec(request.headers['authorization'] ?? '')?.[1];
  const known = token !== undefined && (userOf(token) !== undefined || token === state.token);
  if (!known) return json(401, { error: 'a bearer token is needed' }, { 'www-authenticate': 'Bearer' });
  return json(200, { chart: 'usage-trends', points: [12, 19, 23, 31, 28, 40] });
}

function login(request: AppRequest): Content {
  const given = credentials(request.body);
  if (given === undefined) return json(400, { error: 'the body must be JSON with user and password' });
  if (given.user !== DEMO_USER || given.password !== DEMO_PASSWORD)
    return json(401, { error: 'wrong user or password' });
  return json(200, { token: tokenFor(given.user) });
}

function credentials(body: string): { readonly user: string; readonly password: string } | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== 'object' || parsed === null || !('user' in parsed) || !('password' in parsed))
      return undefined;
    const { user, password } = parsed;
    return typeof user === 'string' && typeof password === 'string' ? { user, password } : undefined;
  } catch {
    return undefined;
  }
}

const printable = (value: string): string => value.replaceAll(/[^\x20-\x7e]/g, '?');

const escapeHtml = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
