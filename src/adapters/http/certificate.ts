import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { instant } from '../../domain/duration.ts';
import type { Certificate } from '../../ports/prober.ts';

/** The peer's certificate of a secured connection; undefined for a plain one. */
export function certificateOf(socket: Socket): Certificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const until = Date.parse(socket.getPeerCertificate().valid_to);
  return Number.isNaN(until) ? undefined : { validUntil: instant(until) };
}
