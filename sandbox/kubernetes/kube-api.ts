import { Agent, request as send } from 'undici';
import type { Identity } from '../tls/certificates.ts';
import { linesOf } from './lines.ts';

/** A Kubernetes object as it is on the wire. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
  };
  readonly [field: string]: unknown;
}

export interface KubeAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject;
}

/** The sandbox's own plain client: what fixtures, the fake kubelet and tests look at the cluster with. */
export interface KubeApi {
  /** Any status is an answer; only a broken connection throws. */
  request(method: string, path: string, body?: unknown, contentType?: string): Promise<KubeAnswer>;
  /** The body of a 2xx. @throws Error with the API's message for every other status. */
  get<T = KubeObject>(path: string): Promise<T>;
  create(path: string, object: unknown): Promise<KubeObject>;
  /** A merge patch (RFC 7396). */
  merge(path: string, patch: unknown): Promise<KubeObject>;
  delete(path: string): Promise<void>;
  /** Server-side apply of a whole object as the manager `fixture`. */
  apply(path: string, object: unknown): Promise<KubeObject>;
  /** The events of one watch, until the server ends it or the signal fires. */
  watch(path: string, signal: AbortSignal): AsyncIterable<WatchEvent>;
  close(): Promise<void>;
}

export interface KubeAccess {
  readonly url: string;
  readonly authority: string;
  readonly identity?: Identity;
  readonly token?: string;
}

export function kubeApi({ url, authority, identity, token }: KubeAccess): KubeApi {
  const dispatcher = new Agent({
    connections: 32,
    connect: { ca: authority, ...(identity === undefined ? {} : { cert: identity.cert, key: identity.key }) },
    bodyTimeout: 0,
  });
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };

  async function request(
    method: string,
    path: string,
    body?: unknown,
    contentType = 'application/json',
  ): Promise<KubeAnswer> {
    const answer = await send(`${url}${path}`, {
      dispatcher,
      method: method as 'GET',
      headers: {
        ...headers,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': contentType }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    const isJson = String(answer.headers['content-type']).startsWith('application/json');
    return { status: answer.statusCode, body: isJson ? (JSON.parse(text) as unknown) : text };
  }

  async function good(method: string, path: string, body?: unknown, contentType?: string): Promise<unknown> {
    const answer = await request(method, path, body, contentType);
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    const said = (answer.body as { readonly message?: string } | null)?.message ?? JSON.stringify(answer.body);
    throw new Error(`${method} ${path} was answered with ${answer.status}: ${said}`);
  }

  return {
    request,
    get: (path) => good('GET', path) as Promise<never>,
    create: (path, object) => good('POST', path, object) as Promise<KubeObject>,
    merge: (path, patch) => good('PATCH', path, patch, 'application/merge-patch+json') as Promise<KubeObject>,
    delete: async (path) => void (await good('DELETE', path)),
    apply: (path, object) =>
      good(
        'PATCH',
        `${path}?fieldManager=fixture&force=true`,
        object,
        'application/apply-patch+yaml',
      ) as Promise<KubeObject>,
    async *watch(path, signal) {
      const separator = path.includes('?') ? '&' : '?';
      const answer = await send(`${url}${path}${separator}watch=true`, { dispatcher, headers, signal });
      if (answer.statusCode !== 200)
        throw new Error(`watch ${path} was answered with ${answer.statusCode}: ${await answer.body.text()}`);
      for await (const line of linesOf(answer.body)) yield JSON.parse(line) as WatchEvent;
    },
    close: () => dispatcher.destroy(),
  };
}
