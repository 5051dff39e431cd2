import type { Response } from 'undici';
import { Failure } from '../../domain/failure.ts';

/** What registries take of a manifest at most; larger is none. */
const LARGEST_DOCUMENT = 4 * 1024 * 1024;
/** Of a refusal, which may be a gateway's page. */
const LARGEST_REFUSAL = 64 * 1024;

/** A document, cut off as soon as it is too large: the length that a header names is only what the other side says. */
export async function documentOf(answer: Response, what: string): Promise<Uint8Array> {
  const bytes = await read(answer, LARGEST_DOCUMENT);
  if (bytes.length > LARGEST_DOCUMENT)
    throw new Failure({ what, why: `the answer has more than ${LARGEST_DOCUMENT} bytes` });
  return bytes;
}

/** JSON of it; a page of a proxy or a portal that answers in the registry's place is told as such. */
export function jsonOf(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch (cause) {
    const next = 'Look what answers at this address: a proxy may stand before the registry';
    throw new Failure({ what, why: 'the answer is no JSON', next }, { cause });
  }
}

/** As much of a refusal as a message needs. */
export const refusalText = async (answer: Response): Promise<string> =>
  new TextDecoder().decode(await read(answer, LARGEST_REFUSAL)).slice(0, LARGEST_REFUSAL);

/** Ends after the piece that passes the limit. */
async function read({ body }: Response, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of (body ?? []) as AsyncIterable<Uint8Array>) {
    parts.push(part);
    length += part.length;
    if (length > limit) break;
  }
  return Buffer.concat(parts);
}
