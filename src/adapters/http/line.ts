import type { LookupFunction, OnReadOpts, Socket } from 'node:net';
import type { Certificate } from '../../ports/prober.ts';
import { type Deadline, startDeadline } from '../system/timer.ts';
import {
  type AnswerParser,
  MOST_BYTES,
  type Parsed,
  type RawAnswer,
  type Wanted,
  answerParser,
} from './answer-parser.ts';
import { certificateOf } from './certificate.ts';
import { type Endpoint, type Phase, openSocket } from './connect.ts';
import { type Sender, leaveTogether } from './leave-together.ts';

/** What one line sends, and what it tells of the answer: exactly one of the three, once. */
export interface Exchange {
  /** The whole request in bytes. */
  readonly bytes: Buffer;
  readonly wanted: Wanted;
  readonly bodyLimit: number;
  /** Milliseconds from the start, a connection included. */
  readonly timeout: number;
  /** `certificate` of the peer, when the connection is secured. */
  onAnswer(status: number, size: number, raw: RawAnswer, certificate: Certificate | undefined): void;
  onTimeout(phase: Phase): void;
  onFault(error: unknown, phase: Phase): void;
}

export interface LineOptions extends Omit<Endpoint, 'lookup' | 'read'> {
  readonly lookup: LookupFunction | undefined;
}

/** What one read of a socket gives; it is read before the next one comes, whosever it is. */
const READ = Buffer.allocUnsafeSlow(MOST_BYTES);

/**
 * One connection that carries one request after the other. It connects with the first one, and is `usable` as long as
 * another one may follow. A class, because it is state: there is one for each user of a load.
 */
export class Line implements Sender {
  readonly #options: LineOptions;
  readonly #parser: AnswerParser = answerParser();
  #socket: Socket | undefined;
  #certificate: Certificate | undefined;
  #phase: Phase = 'connecting';
  #exchange: Exchange | undefined;
  #unsent: Exchange | undefined;
  #deadline: Deadline | undefined;
  #timeout = 0;
  #state: 'new' | 'open' | 'closed' = 'new';

  constructor(options: LineOptions) {
    this.#options = options;
  }

  get usable(): boolean {
    return this.#state !== 'closed' && this.#exchange === undefined;
  }

  send(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#parser.begin(exchange.wanted);
    this.#startDeadline(exchange.timeout);
    if (this.#state === 'new') return this.#connect();
    this.#phase = 'waiting';
    this.#unsent = exchange;
    leaveTogether(this);
  }

  /** Once for each exchange, unless it was given up in between. */
  write(): void {
    const unsent = this.#unsent;
    this.#unsent = undefined;
    if (unsent !== undefined && unsent === this.#exchange) this.#socket?.write(unsent.bytes);
  }

  /** Gives up what is under way and tells nobody. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#exchange = undefined;
    this.#deadline?.stop();
    this.#socket?.destroy();
    this.#parser.close();
  }

  #startDeadline(timeout: number): void {
    if (this.#deadline !== undefined && timeout === this.#timeout) return this.#deadline.restart();
    this.#deadline?.stop();
    this.#timeout = timeout;
    this.#deadline = startDeadline(timeout, () => this.#onDeadline());
  }

  /** It also rings for a line that waits for its next request. */
  #onDeadline(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const phase = this.#phase;
    this.close();
    exchange.onTimeout(phase);
  }

  #connect(): void {
    this.#state = 'open';
    const read: OnReadOpts = { buffer: READ, callback: (length, bytes) => this.#onBytes(bytes.subarray(0, length)) };
    this.#socket = openSocket(
      { ...this.#options, read },
      (phase) => (this.#phase = phase),
      (error, socket) => this.#onConnected(error, socket),
    );
  }

  #onConnected(error: Error | null, socket: Socket | null): void {
    if (socket === null) return this.#fail(error);
    if (this.#state === 'closed') return;
    this.#certificate = certificateOf(socket);
    socket.on('error', (thrown) => this.#fail(thrown));
    socket.once('end', () => this.#onEnd());
    socket.once('close', () => this.#fail(CLOSED));
    if (this.#exchange !== undefined) socket.write(this.#exchange.bytes);
  }

  #onBytes(bytes: Uint8Array): boolean {
    if (this.#state === 'closed') return false;
    // Nobody asked for this.
    if (this.#exchange === undefined) this.close();
    else this.#onParsed(this.#parser.take(bytes));
    return true;
  }

  #onEnd(): void {
    if (this.#state === 'closed') return;
    if (this.#exchange === undefined) return this.close();
    this.#onParsed(this.#parser.end());
  }

  #onParsed(parsed: Parsed): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const { status, size } = this.#parser;
    if (status >= 200) this.#phase = 'reading';
    if (parsed.kind === 'broken') return this.#fail(new NotHttp(parsed.code, parsed.why));
    if (parsed.kind === 'cut') return this.#fail(CLOSED);
    // Of a body that is too long the rest is not wanted, and the line is full of it.
    if (parsed.kind === 'more' && size <= exchange.bodyLimit) return;
    const raw = this.#parser.answer();
    this.#exchange = undefined;
    if (parsed.kind === 'more' || parsed.keep === 'no') this.close();
    exchange.onAnswer(status, size, raw, this.#certificate);
  }

  #fail(error: unknown): void {
    const exchange = this.#exchange;
    const phase = this.#phase;
    this.close();
    exchange?.onFault(error, phase);
  }
}

const CLOSED = Object.assign(new Error('closed'), { code: 'ECONNRESET' });

class NotHttp extends Error {
  override readonly name = 'NotHttp';
  readonly code: string;
  constructor(code: string, why: string) {
    super(why);
    this.code = code;
  }
}
