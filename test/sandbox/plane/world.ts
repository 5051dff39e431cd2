import { type RequestListener, type Server, createServer } from 'node:http';
import { type AddressInfo, type Socket, createServer as createSocketServer } from 'node:net';
import { WebSocketServer } from 'ws';
import { type LoadBalancerOptions, loadBalancers } from '../../../sandbox/plane/load-balancer.ts';
import type {
  Address,
  MeasuredLoadBalancers,
  Rule,
  RuleAction,
  Target,
  TargetState,
} from '../../../sandbox/plane/types.ts';

/** What one test runs: targets and load balancers on real sockets, all gone after `end`. */
export interface World {
  /** A target that answers as told. */
  target(listener: RequestListener): Promise<Address>;
  /** A target that answers with its name, and whose WebSocket says its name and then echoes. */
  named(name: string): Promise<Address>;
  /** A target below HTTP. */
  rawTarget(connected: (socket: Socket) => void): Promise<Address>;
  /** An address where nothing listens. */
  nobody(): Promise<Address>;
  balancers(options?: LoadBalancerOptions): MeasuredLoadBalancers;
  end(): Promise<void>;
}

export function newWorld(): World {
  const servers: Server[] = [];
  const closing: (() => unknown)[] = [];

  async function target(listener: RequestListener): Promise<Address> {
    const server = createServer({ keepAliveTimeout: 75_000 }, listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  }

  async function rawTarget(connected: (socket: Socket) => void): Promise<Address> {
    const sockets = new Set<Socket>();
    const server = createSocketServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      connected(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  }

  return {
    target,
    rawTarget,
    async named(name) {
      const address = await target((_request, response) => response.end(name));
      const hub = new WebSocketServer({ noServer: true });
      hub.on('connection', (socket) => {
        socket.send(name);
        socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
      });
      closing.push(() => hub.clients.forEach((socket) => socket.terminate()));
      servers
        .at(-1)
        ?.on('upgrade', (request, socket, head) =>
          hub.handleUpgrade(request, socket, head, (open) => hub.emit('connection', open)),
        );
      return address;
    },
    async nobody() {
      const server = createSocketServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      await new Promise((resolve) => server.close(resolve));
      return { host: '127.0.0.1', port };
    },
    balancers(options) {
      const made = loadBalancers(options);
      closing.push(() => made.close());
      return made;
    },
    async end() {
      for (const close of closing.splice(0).reverse()) await close();
      for (const server of servers.splice(0)) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

export const forward = (weights: Readonly<Record<string, number>>): RuleAction => ({
  kind: 'forward',
  targetGroups: Object.entries(weights).map(([arn, weight]) => ({ arn, weight })),
});

export const defaultRule = (action: RuleAction): Rule => ({
  arn: 'rule/default',
  priority: 'default',
  conditions: [],
  action,
});

export const targetAt = (address: Address, state: TargetState = 'healthy'): Target => ({
  id: `${address.host}:${address.port}`,
  state,
  address,
});

/** One listener with these rules; gives its base URL. */
export async function listen(balancers: MeasuredLoadBalancers, ...rules: readonly Rule[]): Promise<string> {
  const urls = await balancers.configure('lb', [{ arn: 'listener', port: 443, protocol: 'https', rules }]);
  return urls['listener'] ?? '';
}
