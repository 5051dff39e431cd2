import { isMapping } from './place.ts';

/** Ends every message of the JSON hub protocol (dotnet/aspnetcore, docs/specs/HubProtocol.md). A forgotten one is waited for. */
const END = '\u001e';

export const HANDSHAKE = `${JSON.stringify({ protocol: 'json', version: 1 })}${END}`;
export const KEEP_ALIVE = `${JSON.stringify({ type: 6 })}${END}`;

export const invocation = (id: string, target: string, args: readonly unknown[]): string =>
  `${JSON.stringify({ type: 1, invocationId: id, target, arguments: args })}${END}`;

/** The path of the negotiation, before the query of the hub's own path. */
export function negotiatePath(path: string): string {
  const [hub = '', query] = path.split('?', 2);
  return `${hub.replace(/\/$/, '')}/negotiate?${query === undefined ? '' : `${query}&`}negotiateVersion=1`;
}

export const connectPath = (path: string, token: string): string =>
  `${path}${path.includes('?') ? '&' : '?'}id=${encodeURIComponent(token)}`;

export type Negotiated =
  { readonly ok: true; readonly token: string } | { readonly ok: false; readonly problem: string };

/** What a hub answers to the negotiation (docs/specs/TransportProtocols.md). */
export function readNegotiation(body: string): Negotiated {
  const answer = parsed(body);
  if (!isMapping(answer)) return { ok: false, problem: 'the negotiation is not answered in JSON' };
  if (typeof answer['error'] === 'string')
    return { ok: false, problem: `the hub refuses the negotiation: ${answer['error']}` };
  if (typeof answer['url'] === 'string')
    return {
      ok: false,
      problem: 'the hub sends its users to another address, which is not supported: check that address itself',
    };
  const token = answer['connectionToken'] ?? answer['connectionId'];
  if (typeof token !== 'string') return { ok: false, problem: 'the negotiation gives no connection' };
  const transports = answer['availableTransports'];
  const offered = Array.isArray(transports)
    ? transports.map((each: unknown) => (isMapping(each) ? String(each['transport']) : ''))
    : [];
  if (!offered.includes('WebSockets'))
    return { ok: false, problem: `the hub offers no WebSockets, only ${offered.join(', ') || 'nothing'}` };
  return { ok: true, token };
}

export type HubFrame =
  /** The answer to the handshake has no type. */
  | { readonly kind: 'handshake'; readonly error?: string }
  | { readonly kind: 'completion'; readonly id: string; readonly result: unknown; readonly error?: string }
  | { readonly kind: 'close'; readonly error?: string }
  /** Pings of the server, calls of the client, items of streams: nothing that anybody here waits for. */
  | { readonly kind: 'other' }
  | { readonly kind: 'unreadable'; readonly text: string };

/** The frames of one message; a WebSocket message may hold several. */
export function readFrames(message: string): readonly HubFrame[] {
  const parts = message.split(END);
  const rest = parts.pop();
  return [
    ...parts.map(readFrame),
    ...(rest === undefined || rest === '' ? [] : [{ kind: 'unreadable' as const, text: rest }]),
  ];
}

function readFrame(text: string): HubFrame {
  const frame = parsed(text);
  if (!isMapping(frame)) return { kind: 'unreadable', text };
  const error = typeof frame['error'] === 'string' ? { error: frame['error'] } : {};
  switch (frame['type']) {
    case undefined:
      return { kind: 'handshake', ...error };
    case 3:
      return { kind: 'completion', id: String(frame['invocationId']), result: frame['result'] ?? null, ...error };
    case 7:
      return { kind: 'close', ...error };
    default:
      return { kind: 'other' };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
