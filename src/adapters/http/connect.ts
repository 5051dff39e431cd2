import { lookup as systemLookup } from 'node:dns';
import { type LookupFunction, type OnReadOpts, type Socket, connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { isRefusedAddress } from './refused-addresses.ts';

export type Phase = 'connecting' | 'securing' | 'waiting' | 'reading';

export class RefusedAddress extends Error {
  override readonly name = 'RefusedAddress';
  constructor(address: string) {
    super(`address ${address} is refused: it is link-local or a metadata service`);
  }
}

export interface Endpoint {
  readonly hostname: string;
  readonly port: string;
  readonly protocol: string;
  /** For SNI and the certificate; empty for an address, which SNI does not allow. */
  readonly servername: string;
  readonly lookup: LookupFunction | undefined;
  /** In place of the events of a stream. */
  readonly read?: OnReadOpts;
}

/** Opens one connection, or none to an address that is refused; certificates are verified whatever NODE_TLS_REJECT_UNAUTHORIZED says. */
export function openSocket(
  endpoint: Endpoint,
  onPhase: (phase: Phase) => void,
  done: (error: Error | null, socket: Socket | null) => void,
): Socket | undefined {
  const { hostname, protocol, servername } = endpoint;
  const secure = protocol === 'https:';
  const host = bareHost(hostname);
  if (isRefusedAddress(host)) {
    done(new RefusedAddress(host), null);
    return undefined;
  }
  const options = {
    host,
    port: Number(endpoint.port || (secure ? 443 : 80)),
    lookup: guarded(endpoint.lookup ?? (systemLookup as LookupFunction)),
    // Node gives an address up after 250 ms and never comes back to it: too little between continents (nodejs/node#54359).
    autoSelectFamilyAttemptTimeout: 2_000,
    ...(endpoint.read === undefined ? {} : { onread: endpoint.read }),
  };
  const socket = secure
    ? connectTls({ ...options, servername, ALPNProtocols: ['http/1.1'], rejectUnauthorized: true })
    : connectTcp(options);
  let told = false;
  const tell = (error: Error | null): void => {
    if (told) return;
    told = true;
    done(error, error === null ? socket : null);
  };
  socket.setNoDelay(true);
  socket.once('connect', () => onPhase(secure ? 'securing' : 'waiting'));
  socket.once(secure ? 'secureConnect' : 'connect', () => {
    onPhase('waiting');
    tell(null);
  });
  socket.on('error', tell);
  // Destroyed before it was connected: without an answer the client would wait for its connection for ever.
  socket.once('close', () => tell(Object.assign(new Error('closed before it was connected'), { code: 'ECONNRESET' })));
  return socket;
}

/** An IPv6 address without the brackets that it has in a URL. */
export const bareHost = (hostname: string): string => hostname.replace(/^\[|\]$/g, '');

export const serverNameOf = (host: string): string => {
  const name = host.replace(/:\d+$/, '');
  return isIP(name.replace(/^\[|\]$/g, '')) === 0 ? name : '';
};

/** Judges what a name resolves to, at the moment it is used: a name that was harmless a second ago may not be now. */
const guarded =
  (lookup: LookupFunction): LookupFunction =>
  (hostname, options, callback) =>
    lookup(hostname, options, (error, address, family) => {
      const addresses = typeof address === 'string' ? [address] : (address ?? []).map((one) => one.address);
      const refused = error ? undefined : addresses.find(isRefusedAddress);
      if (refused === undefined) callback(error, address, family);
      else callback(new RefusedAddress(`${refused} (${hostname})`), address, family);
    });
