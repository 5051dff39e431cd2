import type { Duration, Instant } from '../domain/duration.ts';

export interface ProbeRequest {
  readonly method: string;
  /** Where to connect, with path and query. */
  readonly url: string;
  /** Name for TLS (SNI, certificate) and the Host header, when it is not the host of `url`. */
  readonly host?: string;
  /** Connects here instead of to what the name of `url` resolves to. */
  readonly address?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeout: Duration;
  /** Bytes of the body that are read; the rest is dropped and said. */
  readonly bodyLimit: number;
  /** Whether such a status says all that is asked: headers and body may then be left out, as most are under load. */
  readonly statusSuffices?: (status: number) => boolean;
}

export type ProbeFault = 'timeout' | 'refused' | 'reset' | 'dns' | 'tls' | 'protocol' | 'other';

/** One request, no retry, no redirect followed: who asks decides what an answer means. */
export type ProbeResult =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** Lower-case names; repeated headers are joined with `, `. */
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      readonly bodyTruncated: boolean;
      readonly duration: Duration;
      /** Of the peer, when the connection is secured. */
      readonly certificate?: Certificate;
    }
  | { readonly kind: 'failed'; readonly fault: ProbeFault; readonly message: string; readonly duration: Duration };

export interface Certificate {
  readonly validUntil: Instant;
}

export interface OpenRequest {
  /** `http:` or `https:`, with path and query. */
  readonly url: string;
  readonly host?: string;
  readonly address?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Until the WebSocket is open. */
  readonly timeout: Duration;
  /** Bytes of one message; a longer one closes the WebSocket. */
  readonly messageLimit: number;
}

export type OpenResult =
  | {
      readonly kind: 'open';
      readonly socket: OpenSocket;
      /** Of the answer 101; lower-case names. */
      readonly headers: Readonly<Record<string, string>>;
      readonly duration: Duration;
      readonly certificate?: Certificate;
    }
  /** `status`: the peer answered, but did not open a WebSocket. */
  | {
      readonly kind: 'failed';
      readonly fault: ProbeFault;
      readonly message: string;
      readonly duration: Duration;
      readonly status?: number;
    };

/** `waited`: from the call to the event; nothing for a message that was there already. */
export type Received =
  | { readonly kind: 'message'; readonly text: string; readonly waited: Duration }
  | { readonly kind: 'silent'; readonly waited: Duration }
  /** `code` as in RFC 6455 7.4; 1006 when the connection was cut. */
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string; readonly waited: Duration };

export type Pinged = Exclude<Received, { kind: 'message' }> | { readonly kind: 'pong'; readonly waited: Duration };

/** Rejects with the signal's reason only; what the peer does is a value. One wait at a time. */
export interface OpenSocket {
  send(text: string): void;
  /** The oldest message that was not taken yet. */
  receive(timeout: Duration, signal: AbortSignal): Promise<Received>;
  /** Sends a ping of the WebSocket protocol; messages that come meanwhile stay for `receive`. */
  ping(timeout: Duration, signal: AbortSignal): Promise<Pinged>;
  /** Closes and does not wait. */
  close(): void;
}

export type AddressesResult =
  | { readonly kind: 'resolved'; readonly addresses: readonly string[] }
  | { readonly kind: 'failed'; readonly message: string };

export interface Prober {
  probe(request: ProbeRequest, signal: AbortSignal): Promise<ProbeResult>;
  open(request: OpenRequest, signal: AbortSignal): Promise<OpenResult>;
  /** All that the name of `url` resolves to, each once; an address resolves to itself. */
  addresses(url: string, signal: AbortSignal): Promise<AddressesResult>;
}
