import { userOf } from './tokens.ts';

/** What the routes below need of a request. */
interface Asked {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

interface Given {
  readonly status: number;
  readonly value: unknown;
}

const PAGES = ['portfolio', 'reports', 'market-data', 'insights'];

/**
 * What the example systems have beside the pages of WeSign Charts: features, registration, and documents that belong to a
 * user. Nothing is kept: any task knows any document. undefined: no such route.
 */
export function featureAnswer(asked: Asked): Given | undefined {
  const { method, path } = asked;
  const [, feature] = /^\/api\/features\/([a-z-]+)$/.exec(path) ?? [];
  if (method === 'GET' && feature !== undefined && PAGES.includes(feature))
    return { status: 200, value: { feature, items: [1, 2, 3] } };
  if (method === 'POST' && path === '/api/register') return register(asked.body);
  if (!/^\/api\/documents(?:\/[\w-]+)?$/.test(path)) return undefined;
  const token = /^Bearer (\S+)$/i.exec(asked.authorization ?? '')?.[1] ?? '';
  if (userOf(token) === undefined) return { status: 401, value: { error: 'a bearer token is needed' } };
  return documents(method, path);
}

function register(body: string): Given {
  const [, user] = /"user"\s*:\s*"([\w.@-]+)"/.exec(body) ?? [];
  return user === undefined
    ? { status: 400, value: { error: 'the body must be JSON with user' } }
    : { status: 201, value: { user } };
}

function documents(method: string, path: string): Given | undefined {
  const [, id] = /^\/api\/documents\/([\w-]+)$/.exec(path) ?? [];
  if (id === undefined) {
    if (method === 'POST') return { status: 201, value: { id: 'd-1', title: 'new' } };
    return method === 'GET' ? { status: 200, value: { documents: [{ id: 'd-1' }, { id: 'd-2' }] } } : undefined;
  }
  if (method === 'GET') return { status: 200, value: { id, title: 'document' } };
  return method === 'DELETE' ? { status: 200, value: { id, deleted: true } } : undefined;
}
