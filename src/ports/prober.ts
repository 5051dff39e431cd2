import type { Duration } from '../domain/duration.ts';

export interface ProbeRequest {
  readonly method: string;
  /** Where to connect, with path and query. */
  readonly url: string;
  /** Name for TLS (SNI, certificate) and the Host header, when it is not the host of `url`. */
  readonly host?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeout: Duration;
  /** Bytes of the body that are read; the rest is dropped and said. */
  readonly bodyLimit: number;
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
    }
  | { readonly kind: 'failed'; readonly fault: ProbeFault; readonly message: string; readonly duration: Duration };

export interface Prober {
  probe(request: ProbeRequest, signal: AbortSignal): Promise<ProbeResult>;
}
