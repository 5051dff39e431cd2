import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Chance, seededChance } from './chance.ts';
import { forwardRequest } from './forward-request.ts';
import { forwardUpgrade } from './forward-upgrade.ts';
import { type Via, forwardedHeaders } from './headers.ts';
import { type OwnAnswer, errorPage, rawOwn, sendOwn } from './own-answers.ts';
import type { Ending } from './recorder.ts';
import { drawTargetGroup, inOrder, ruleFor } from './rules.ts';
import { type Chosen, type TargetGroups, targetGroups } from './target-groups.ts';
import type { Listener, MeasuredLoadBalancers, Rule } from './types.ts';

export interface LoadBalancerOptions {
  /** Decides the weighted draws. */
  readonly seed?: string;
  /** Milliseconds without a byte, as the attribute idle_timeout.timeout_seconds; 60 s unless told. */
  readonly idleTimeout?: number;
  /** Epoch milliseconds for the counts; a lock-step test gives the sandbox's own time. */
  readonly now?: () => number;
}

/** One listener: a socket that stays the same while its rules change. */
interface Open {
  readonly loadBalancerArn: string;
  readonly server: Server;
  readonly url: string;
  /** Client connections that became WebSockets; the HTTP server no longer knows them. */
  readonly upgraded: Set<Duplex>;
  rules: readonly Rule[];
  via: Via;
  closing: boolean;
}

interface World {
  readonly groups: TargetGroups;
  readonly chance: Chance;
  readonly idleTimeout: number;
}

/** What becomes of one request. */
type Route =
  | { readonly kind: 'target'; readonly path: string; readonly to: Chosen; readonly record: (ending: Ending) => void }
  | { readonly kind: 'own'; readonly answer: OwnAnswer };

export function loadBalancers(options: LoadBalancerOptions = {}): MeasuredLoadBalancers {
  const now = options.now ?? Date.now;
  const idleTimeout = options.idleTimeout ?? 60_000;
  const groups = targetGroups({ now, idleTimeout });
  const world: World = { groups, chance: seededChance(options.seed ?? 'sandbox'), idleTimeout };
  const opened = new Map<string, Open>();
  let last: Promise<unknown> = Promise.resolve();

  async function apply(
    loadBalancerArn: string,
    listeners: readonly Listener[],
  ): Promise<Readonly<Record<string, string>>> {
    for (const [arn, open] of opened) {
      if (open.loadBalancerArn !== loadBalancerArn || listeners.some((listener) => listener.arn === arn)) continue;
      opened.delete(arn);
      stopListening(open);
    }
    const urls: Record<string, string> = {};
    for (const listener of listeners) {
      const open = opened.get(listener.arn) ?? (await openListener(loadBalancerArn, world));
      open.rules = inOrder(listener.rules);
      open.via = { protocol: listener.protocol ?? 'http', port: listener.port };
      opened.set(listener.arn, open);
      urls[listener.arn] = open.url;
    }
    return urls;
  }

  return {
    configure(loadBalancerArn, listeners) {
      // One after the other: two at once would open two sockets for the same new listener.
      const result = last.then(() => apply(loadBalancerArn, listeners));
      last = result.catch(() => undefined);
      return result;
    },
    setTargets: (targetGroupArn, targets) => groups.set(targetGroupArn, targets),
    counts: (targetGroupArn) => groups.counts(targetGroupArn).total(),
    window(targetGroupArn, length) {
      const to = now();
      // An ending of this very millisecond is part of the last milliseconds.
      return groups.counts(targetGroupArn).range({ from: to - length, to: to + 1 });
    },
    range: (targetGroupArn, span) => groups.counts(targetGroupArn).range(span),
    played: (targetGroupArn, ending) => groups.counts(targetGroupArn).record(ending),
    async close() {
      await last;
      for (const open of opened.values()) cut(open);
      opened.clear();
      await groups.close();
    },
  };
}

async function openListener(loadBalancerArn: string, world: World): Promise<Open> {
  const server = createServer({
    keepAliveTimeout: world.idleTimeout,
    // Other upgrades (h2c) are ignored, as an ALB does, and the request is answered as it is.
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const open: Open = {
    loadBalancerArn,
    server,
    url: `http://127.0.0.1:${port}`,
    upgraded: new Set(),
    rules: [],
    via: { protocol: 'http', port },
    closing: false,
  };
  server.on('request', (request, response) => serve(request, response, { open, world }));
  server.on('upgrade', (request, socket, head) => upgrade({ request, socket, head }, { open, world }));
  return open;
}

/** No new connections; open requests go on. */
function stopListening(open: Open): void {
  open.closing = true;
  open.server.close();
}

function cut(open: Open): void {
  stopListening(open);
  open.server.closeAllConnections();
  for (const socket of open.upgraded) socket.destroy();
}

interface At {
  readonly open: Open;
  readonly world: World;
}

function serve(request: IncomingMessage, response: ServerResponse, at: At): void {
  const route = routeFor(request, at);
  if (route.kind === 'own') {
    if (at.open.closing) response.setHeader('connection', 'close');
    sendOwn(response, route.answer);
    return;
  }
  const headers = forwardedHeaders(request, at.open.via);
  const { path: target, to, record } = route;
  forwardRequest({ request, response, target, headers, to, record, last: () => at.open.closing });
}

interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

function upgrade({ request, socket, head }: UpgradeRequest, at: At): void {
  socket.on('error', () => socket.destroy());
  at.open.upgraded.add(socket);
  socket.once('close', () => at.open.upgraded.delete(socket));
  const route = routeFor(request, at);
  if (route.kind === 'own') {
    socket.end(rawOwn(route.answer));
    return;
  }
  const headers = forwardedHeaders(request, at.open.via);
  const { idleTimeout } = at.world;
  forwardUpgrade({
    request,
    socket,
    head,
    target: route.path,
    headers,
    to: route.to.address,
    idleTimeout,
    record: route.record,
  });
}

function routeFor(request: IncomingMessage, { open, world }: At): Route {
  const path = originForm(request.url ?? '');
  if (path === undefined) return { kind: 'own', answer: errorPage(400) };
  const header = (name: string): readonly string[] => request.headersDistinct[name] ?? [];
  const rule = ruleFor(open.rules, { target: path, host: request.headers.host ?? '', header });
  if (rule === undefined) return { kind: 'own', answer: errorPage(503) };
  if (rule.action.kind === 'fixed-response') {
    const { status, body, contentType = 'text/plain' } = rule.action;
    return { kind: 'own', answer: { status, body, contentType } };
  }
  const arn = drawTargetGroup(rule.action, world.chance);
  if (arn === undefined) return { kind: 'own', answer: errorPage(503) };
  const counts = world.groups.counts(arn);
  const to = world.groups.next(arn);
  if (to !== undefined) return { kind: 'target', path, to, record: counts.record };
  counts.record({ kind: 'connection-error' });
  return { kind: 'own', answer: errorPage(503) };
}

/** Path and query of a request target, also of `GET http://host/path`; undefined for `*` and what else names no path. */
function originForm(target: string): string | undefined {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '');
  if (path.startsWith('/')) return path;
  return path === '' || path.startsWith('?') ? `/${path}` : undefined;
}
