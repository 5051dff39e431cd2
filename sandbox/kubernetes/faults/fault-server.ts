import { randomBytes } from 'node:crypto';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request as send } from 'undici';
import { type CallEntry, type CallResult, callLog } from '../../control/call-log.ts';
import { type Armed, type Faults, type Kill, dropsConnection, faultBoard, strike } from '../../control/faults.ts';
import type { Cluster } from '../cluster.ts';
import { kubeconfig } from '../kubeconfig.ts';
import { linesOf } from '../lines.ts';
import { type KubeFault, statusAnswer } from './kube-fault.ts';
import { type KubeOperation, operationOf } from './operation.ts';
import { type WireCounts, cutConnection, openWire } from './wire.ts';

/** A run of the tested process: its own ordinals, faults and kills. */
export interface FaultRun {
  readonly kubeconfig: string;
  readonly token: string;
}

/** The API server of a cluster behind a server that counts, breaks and kills as it is told. */
export interface FaultServer {
  readonly url: string;
  /** PEM of the authority that signed its certificate: the cluster's own. */
  readonly authority: string;
  /** Credentials of a run that acts in the cluster with `token` (default: everything is allowed). */
  run(name: string, as?: { readonly token: string; readonly namespace?: string }): FaultRun;
  calls(): readonly CallEntry[];
  /** What the calls of an operation asked for behind the `?`, in order. */
  queries(operation: string): readonly URLSearchParams[];
  readonly faults: Faults<KubeFault>;
  killAt(kill: Kill): Armed;
  counts(): WireCounts;
  delayHandshakes(length: number): void;
  stop(): Promise<void>;
}

interface Credentials {
  readonly run: string;
  readonly upstream: string;
}

export async function startFaultServer(cluster: Cluster): Promise<FaultServer> {
  const upstream = new Agent({
    connections: 128,
    connect: { ca: cluster.authority },
    bodyTimeout: 0,
    headersTimeout: 0,
  });
  const log = callLog();
  const board = faultBoard<KubeFault>();
  const known = new Map<string, Credentials>();
  const stopping = new AbortController();
  const queries: Context['queries'] = [];
  const context: Context = { cluster, upstream, log, board, stopping: stopping.signal, count: 0, queries };
  const wire = await openWire(cluster.issue({ name: 'fault-server', hosts: ['127.0.0.1'] }), (request, response) => {
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const who = known.get(bearer) ?? { run: 'stranger', upstream: bearer };
    serve(context, { request, response, who }).catch(() => cutConnection(request));
  });
  return {
    url: wire.url,
    authority: cluster.authority,
    run(name, as = { token: cluster.adminToken }) {
      const token = `run-${randomBytes(12).toString('hex')}`;
      known.set(token, { run: name, upstream: as.token });
      const { namespace } = as;
      const user = { name, token };
      const place = namespace === undefined ? {} : { namespace };
      return { token, kubeconfig: kubeconfig({ url: wire.url, authority: cluster.authority, user, ...place }) };
    },
    calls: log.entries,
    queries: (wanted) => queries.filter(({ operation }) => `k8s:${operation}` === wanted).map(({ query }) => query),
    faults: board,
    killAt: board.kill,
    counts: wire.counts,
    delayHandshakes: wire.delayHandshakes,
    async stop() {
      stopping.abort();
      await wire.close();
      await upstream.destroy();
    },
  };
}

interface Context {
  readonly cluster: Cluster;
  readonly upstream: Agent;
  readonly log: ReturnType<typeof callLog>;
  readonly board: ReturnType<typeof faultBoard<KubeFault>>;
  readonly stopping: AbortSignal;
  count: number;
  readonly queries: { readonly operation: string; readonly query: URLSearchParams }[];
}

interface Call {
  readonly request: Http2ServerRequest;
  readonly response: Http2ServerResponse;
  readonly who: Credentials;
}

async function serve(context: Context, call: Call): Promise<void> {
  const operation = operationOf(call.request.method, call.request.url);
  const body = await wholeBody(call.request);
  context.count += 1;
  const query = new URL(call.request.url, 'https://cluster').searchParams;
  context.queries.push({ operation: operation.name, query });
  const open = context.log.open(
    {
      service: 'k8s',
      operation: operation.name,
      invocation: String(context.count),
      attempt: 1,
      mutating: operation.mutating,
    },
    { run: call.who.run, region: '', at: Date.now() },
  );
  const drop = (why: string, applied: 'applied' | 'not-applied'): void => {
    open.end({ kind: 'dropped', why, applied }, why);
    cutConnection(call.request);
  };
  const kill = context.board.killAt(open.entry);
  if (kill?.when === 'before') {
    strike(kill, open.entry);
    if (dropsConnection(kill)) return drop('kill', 'not-applied');
  }
  const fault = context.board.meet(open.entry)?.fault;
  if (kill?.when === 'after') {
    await toUpstream(context, call, body).then(discard);
    strike(kill, open.entry);
    return drop('kill', 'applied');
  }
  await meet(context, { ...call, body, operation }, { fault, drop, end: open.end });
}

interface Ways {
  readonly fault: KubeFault | undefined;
  readonly drop: (why: string, applied: 'applied' | 'not-applied') => void;
  readonly end: (result: CallResult, fault?: string) => void;
}

type Whole = Call & { readonly body: Buffer; readonly operation: KubeOperation };

async function meet(context: Context, call: Whole, { fault, drop, end }: Ways): Promise<void> {
  if (fault?.kind === 'delay') await sleep(fault.delay);
  if (fault?.kind === 'reset' || fault?.kind === 'hang') {
    const isAfter = fault.when === 'after';
    if (isAfter) await toUpstream(context, call, call.body).then(discard);
    if (fault.kind === 'reset') return drop('reset', isAfter ? 'applied' : 'not-applied');
    // The client decides when it has waited enough.
    return end({ kind: 'dropped', why: 'hang', applied: isAfter ? 'applied' : 'not-applied' }, 'hang');
  }
  if (fault !== undefined && call.operation.isWatch && isOfWatch(fault))
    return brokenWatch(context, call, { fault, end });
  const said = fault === undefined ? undefined : statusAnswer(fault);
  if (said !== undefined) {
    call.response.writeHead(said.status, { ...said.headers }).end(JSON.stringify(said.body));
    return end({ kind: 'error', code: String(said.body['reason']), status: said.status }, fault?.kind);
  }
  await passThrough(context, call, { end, met: fault?.kind });
}

type WatchFault = Extract<KubeFault, { kind: 'gone' | 'half-line' | 'watch-end' | 'bookmark' }>;

const isOfWatch = (fault: KubeFault): fault is WatchFault =>
  ['gone', 'half-line', 'watch-end', 'bookmark'].includes(fault.kind);

function onlyEvent(fault: WatchFault): object | undefined {
  if (fault.kind === 'gone') return { type: 'ERROR', object: statusAnswer(fault)?.body };
  if (fault.kind !== 'bookmark') return undefined;
  const { resourceVersion } = fault;
  return { type: 'BOOKMARK', object: { metadata: { resourceVersion } } };
}

async function brokenWatch(
  context: Context,
  call: Whole,
  { fault, end }: { readonly fault: WatchFault; readonly end: Ways['end'] },
): Promise<void> {
  const { response, request } = call;
  end({ kind: 'ok' }, fault.kind);
  const only = onlyEvent(fault);
  if (only !== undefined) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(only)}\n`);
    return;
  }
  const answer = await toUpstream(context, call, call.body);
  response.writeHead(answer.statusCode, { 'content-type': 'application/json' });
  const whole = 'afterLines' in fault ? (fault.afterLines ?? 0) : 0;
  let lines = 0;
  for await (const line of linesOf(answer.body)) {
    if (lines === whole) {
      if (fault.kind === 'half-line') response.write(line.slice(0, Math.ceil(line.length / 2)));
      break;
    }
    response.write(`${line}\n`);
    lines += 1;
  }
  if (fault.kind === 'watch-end') response.end();
  // The written half must be on its way before the connection is cut.
  else setTimeout(() => cutConnection(request), 20);
}

type Answer = Awaited<ReturnType<typeof send>>;

async function passThrough(
  context: Context,
  call: Whole,
  { end, met }: { readonly end: Ways['end']; readonly met: string | undefined },
): Promise<void> {
  const { response } = call;
  const answer = await toUpstream(context, call, call.body);
  const headers = Object.entries(answer.headers).filter(([name]) => !HOP_BY_HOP.includes(name));
  response.writeHead(answer.statusCode, Object.fromEntries(headers) as Record<string, string>);
  const ok = answer.statusCode < 400;
  end(ok ? { kind: 'ok' } : { kind: 'error', code: String(answer.statusCode), status: answer.statusCode }, met);
  response.on('close', () => answer.body.destroy());
  answer.body.on('error', () => response.stream?.close());
  // A watch says its status before its first event; HTTP/2 has sent it by now, HTTP/1.1 waits for a body unless told.
  if (call.operation.isWatch && 'flushHeaders' in response) (response as { flushHeaders(): void }).flushHeaders();
  answer.body.pipe(response as never);
}

const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'content-length'];

function toUpstream({ cluster, upstream, stopping }: Context, { request, who }: Call, body: Buffer): Promise<Answer> {
  const own = Object.entries(request.headers).filter(
    ([name]) => !name.startsWith(':') && !HOP_BY_HOP.includes(name) && name !== 'host' && name !== 'authorization',
  );
  return send(`${cluster.url}${request.url}`, {
    dispatcher: upstream,
    method: request.method as 'GET',
    headers: { ...Object.fromEntries(own), authorization: `Bearer ${who.upstream}` } as Record<string, string>,
    signal: stopping,
    ...(body.length === 0 ? {} : { body }),
  });
}

const discard = async (answer: Answer): Promise<void> => answer.body.dump();

async function wholeBody(request: Http2ServerRequest): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}
