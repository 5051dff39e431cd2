import type { WebSocket } from 'ws';
import type { AppState } from './state.ts';
import { tokenFor, userOf } from './tokens.ts';

/** Ends every frame of SignalR's JSON protocol. */
const END = '\u001e';
const CONNECTION = 'hub-connection';

/** What POST /analyticsHub/negotiate gives. Any task takes the token, as if the load balancer kept users on their task. */
export const negotiation = (): object => ({
  negotiateVersion: 1,
  connectionId: tokenFor(CONNECTION),
  connectionToken: tokenFor(CONNECTION),
  availableTransports: [{ transport: 'WebSockets', transferFormats: ['Text', 'Binary'] }],
});

/** Whether a WebSocket belongs to the hub: it carries a token of the negotiation. Every other one is an echo. */
export const isHubConnection = (query: URLSearchParams): boolean => userOf(query.get('id') ?? '') === CONNECTION;

/** Speaks the hub protocol on an open WebSocket: handshake, Ping, Echo, Version; other methods do not exist. */
export function serveHub(socket: WebSocket, state: AppState): void {
  let greeted = false;
  socket.on('message', (data) => {
    for (const text of (data as Buffer)
      .toString()
      .split(END)
      .filter((part) => part !== '')) {
      const frame = parsed(text);
      if (!greeted) {
        greeted = frame['protocol'] === 'json';
        send(socket, greeted ? {} : { error: `The protocol '${String(frame['protocol'])}' is not supported.` });
        if (!greeted) socket.close();
      } else if (frame['type'] === 1) {
        send(socket, completion(frame, state));
      }
    }
  });
}

function completion(frame: Frame, state: AppState): object {
  const { invocationId, target } = frame;
  const args = Array.isArray(frame['arguments']) ? (frame['arguments'] as unknown[]) : [];
  const results: Readonly<Record<string, unknown>> = { Ping: 'pong', Echo: args[0] ?? null, Version: state.tag };
  const name = String(target);
  if (!Object.hasOwn(results, name)) return { type: 3, invocationId, error: `Unknown hub method '${name}'` };
  return { type: 3, invocationId, result: results[name] };
}

type Frame = Readonly<Record<string, unknown>>;

const send = (socket: WebSocket, frame: object): void => socket.send(JSON.stringify(frame) + END);

function parsed(text: string): Frame {
  try {
    const frame: unknown = JSON.parse(text);
    return typeof frame === 'object' && frame !== null ? (frame as Frame) : {};
  } catch {
    return {};
  }
}
