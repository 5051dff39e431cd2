import wasm from 'undici/lib/llhttp/llhttp_simd-wasm.js';

/** The parts of llhttp's WebAssembly build that are used here; pointers are numbers. */
interface Llhttp {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(size: number): number;
  llhttp_alloc(type: number): number;
  llhttp_free(parser: number): void;
  llhttp_execute(parser: number, data: number, length: number): number;
  llhttp_finish(parser: number): number;
  llhttp_get_error_reason(parser: number): number;
  llhttp_errno_name(code: number): number;
}

/** HTTP_RESPONSE, HPE_OK and HPE_INVALID_EOF_STATE of llhttp.h. */
const RESPONSE = 2;
const OK = 0;
const UNEXPECTED_END = 14;
const STOP = -1;
const NO_BODY = 1;

/** Bytes that one call may take: as many as one read of a socket gives. */
export const MOST_BYTES = 65_536;
/** Bytes of the head of one answer, those of interim answers included. */
const LONGEST_HEAD = 65_536;

export type Parsed =
  | { readonly kind: 'more' }
  /** `keep`: the connection can carry another request. */
  | { readonly kind: 'whole'; readonly keep: 'yes' | 'no' }
  /** The peer hung up before the end. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'broken'; readonly code: string; readonly why: string };

/**
 * Reads answers off one connection, one after the other. Framing is llhttp's, the parser of Node and undici: lengths,
 * chunks, interim answers and what must be refused. Everything but the status is read only when somebody asks: what is
 * kept of an answer are its bytes and where its parts begin.
 */
export interface AnswerParser {
  begin(wanted: Wanted): void;
  /** At most `MOST_BYTES`, which are copied where they are wanted. */
  take(bytes: Uint8Array): Parsed;
  /** The peer has ended. */
  end(): Parsed;
  readonly status: number;
  /** Bytes of the body so far. */
  readonly size: number;
  answer(): RawAnswer;
  close(): void;
}

export interface Wanted {
  /** `none`: the answer to a HEAD request, whatever its head says. */
  readonly body: 'expected' | 'none';
  /** Of an answer with such a status headers and body are not kept. */
  readonly statusSuffices?: ((status: number) => boolean) | undefined;
}

/** Of parts of an answer: where they begin and end in its bytes. */
type Spans = number[];

/** A class, because there is one for each connection, its fields change at every answer, and speed is what it is for. */
class Reader implements AnswerParser {
  readonly #parser = llhttp.llhttp_alloc(RESPONSE);
  status = 0;
  size = 0;
  #wanted: Wanted = { body: 'expected' };
  #keepBytes: 'yes' | 'no' = 'yes';
  #part: 'head' | 'body' = 'head';
  #over: 'no' | 'whole' = 'no';
  #keep: 'yes' | 'no' = 'no';
  #wrong = '';
  /** Bytes of this answer before those that are read now. */
  #before = 0;
  #head = 0;
  #parts = newParts();

  begin(wanted: Wanted): void {
    this.#wanted = wanted;
    this.#keepBytes = 'yes';
    this.status = 0;
    this.size = 0;
    this.#over = 'no';
    this.#wrong = '';
    this.#before = 0;
    this.#head = 0;
    if (this.#parts.chunks.length > 0) this.#parts = newParts();
  }

  take(bytes: Uint8Array): Parsed {
    input().set(bytes);
    setCurrent(this);
    const code = llhttp.llhttp_execute(this.#parser, inputAt, bytes.length);
    this.#before += bytes.length;
    // The caller's buffer is used again for the next read.
    if (this.#keepBytes === 'yes') this.#parts.chunks.push(Buffer.from(bytes));
    return this.#outcome(code);
  }

  end(): Parsed {
    setCurrent(this);
    const code = llhttp.llhttp_finish(this.#parser);
    if (this.#over === 'no' && (code === UNEXPECTED_END || code === OK)) return { kind: 'cut' };
    this.#keep = 'no';
    return this.#outcome(code);
  }

  answer(): RawAnswer {
    if (this.#keepBytes === 'no') return NOTHING;
    const parts = this.#parts;
    this.#parts = newParts();
    return new RawAnswer(parts);
  }

  close(): void {
    llhttp.llhttp_free(this.#parser);
  }

  #outcome(code: number): Parsed {
    // What comes after a whole answer spoils only the connection.
    if (this.#over === 'whole') return code === OK && this.#keep === 'yes' ? WHOLE : WHOLE_LAST;
    if (code === OK) return MORE;
    if (this.#wrong !== '') return { kind: 'broken', code: 'HPE_USER', why: this.#wrong };
    return {
      kind: 'broken',
      code: textAt(llhttp.llhttp_errno_name(code)),
      why: textAt(llhttp.llhttp_get_error_reason(this.#parser)),
    };
  }

  #stop(why: string): number {
    this.#wrong = why;
    return STOP;
  }

  onBegin(): number {
    if (this.#over === 'whole') return this.#stop('more than one answer to one request');
    // Of the answer before, or of an interim one.
    const { names, values, pieces } = this.#parts;
    if (names.length > 0) names.length = values.length = pieces.length = 0;
    this.#part = 'head';
    return OK;
  }

  onName(at: number, length: number): number {
    return this.#onHead(this.#parts.names, at, length);
  }

  onValue(at: number, length: number): number {
    return this.#onHead(this.#parts.values, at, length);
  }

  #onHead(spans: Spans, at: number, length: number): number {
    this.#head += length;
    if (this.#head > LONGEST_HEAD) return this.#stop(`a head of more than ${LONGEST_HEAD} bytes`);
    // Trailers have come after the head, and say nothing that a check looks for.
    if (this.#part === 'head') add(spans, this.#before + at - inputAt, length);
    return OK;
  }

  onHead(status: number, keep: 'yes' | 'no'): number {
    this.status = status;
    this.#keep = keep;
    this.#part = 'body';
    if (status === 101) return this.#stop('another protocol that nobody asked for');
    this.#keepBytes = this.#wanted.statusSuffices?.(status) === true ? 'no' : 'yes';
    return this.#wanted.body === 'none' || status < 200 ? NO_BODY : OK;
  }

  onBody(at: number, length: number): number {
    this.size += length;
    if (this.#keepBytes === 'yes') add(this.#parts.pieces, this.#before + at - inputAt, length);
    return OK;
  }

  onEnd(): number {
    if (this.status >= 200) this.#over = 'whole';
    return OK;
  }
}

const MORE: Parsed = { kind: 'more' };
const WHOLE: Parsed = { kind: 'whole', keep: 'yes' };
const WHOLE_LAST: Parsed = { kind: 'whole', keep: 'no' };

/** Adds a part, or the rest of the last one, which was in two reads. */
function add(spans: Spans, start: number, length: number): void {
  const last = spans.length - 1;
  if (last > 0 && spans[last] === start) spans[last] = start + length;
  else spans.push(start, start + length);
}

interface Parts {
  readonly chunks: Uint8Array[];
  readonly names: Spans;
  readonly values: Spans;
  readonly pieces: Spans;
}

const newParts = (): Parts => ({ chunks: [], names: [], values: [], pieces: [] });

/** What came, read when somebody asks for it. */
export class RawAnswer {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** As they came, in pairs of name and value. */
  headers(): readonly (readonly [string, string])[] {
    const { chunks, names, values } = this.#parts;
    const bytes = Buffer.concat(chunks);
    const text = (spans: Spans, index: number): string =>
      bytes.toString('latin1', spans[index * 2] ?? 0, spans[index * 2 + 1] ?? 0).trim();
    return Array.from({ length: names.length / 2 }, (_, index) => [text(names, index), text(values, index)]);
  }

  /** At most `limit` bytes. */
  body(limit: number): Uint8Array {
    const { chunks, pieces } = this.#parts;
    const bytes = Buffer.concat(chunks);
    const all = Array.from({ length: pieces.length / 2 }, (_, index) =>
      bytes.subarray(pieces[index * 2], pieces[index * 2 + 1]),
    );
    return Buffer.concat(all).subarray(0, limit);
  }
}

const NOTHING = new RawAnswer(newParts());

/** The one that is reading: a parser calls back only inside the call that feeds it. */
let current: Reader;
const setCurrent = (reader: Reader): void => void (current = reader);

const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), {
  env: {
    wasm_on_url: () => OK,
    wasm_on_status: () => OK,
    wasm_on_message_begin: () => current.onBegin(),
    wasm_on_header_field: (_: number, at: number, length: number) => current.onName(at, length),
    wasm_on_header_value: (_: number, at: number, length: number) => current.onValue(at, length),
    wasm_on_headers_complete: (_: number, status: number, _upgrade: number, keep: number) =>
      current.onHead(status, keep === 1 ? 'yes' : 'no'),
    wasm_on_body: (_: number, at: number, length: number) => current.onBody(at, length),
    wasm_on_message_complete: () => current.onEnd(),
  },
});
const llhttp = exports as Llhttp;

/** What is read stands here for the time of the call. */
const inputAt = llhttp.malloc(MOST_BYTES);
let view: Uint8Array | undefined;

/** The memory has another buffer whenever it has grown. */
function input(): Uint8Array {
  if (view?.buffer !== llhttp.memory.buffer) view = new Uint8Array(llhttp.memory.buffer, inputAt, MOST_BYTES);
  return view;
}

/** A text of C. */
function textAt(pointer: number): string {
  const bytes = new Uint8Array(llhttp.memory.buffer, pointer);
  return Buffer.from(bytes.subarray(0, bytes.indexOf(0))).toString('latin1');
}

export const answerParser = (): AnswerParser => new Reader();
