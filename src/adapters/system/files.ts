import { mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';

/** Nobody writes a policy or a template of this size; a log or an image named by mistake must not fill the memory. */
export const LARGEST_FILE = 10 * 1024 * 1024;

export type FileText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly why: string; readonly cause?: unknown };

/** Reads UTF-8 text (a byte order mark is dropped). Relative paths start at `folder`. */
export async function readText(folder: string, path: string): Promise<FileText> {
  const whole = resolve(folder, path);
  try {
    const facts = await stat(whole);
    if (!facts.isFile()) return { kind: 'unreadable', why: 'it is not a regular file' };
    if (facts.size > LARGEST_FILE)
      return { kind: 'unreadable', why: `it has ${facts.size} bytes, more than ${LARGEST_FILE}` };
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(await readFile(whole)) };
  } catch (cause) {
    const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : 'unknown error';
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
    return {
      kind: 'unreadable',
      why: code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'it is not UTF-8 text' : code,
      cause,
    };
  }
}

export type Place = 'file' | 'folder' | 'missing';

/** What is at a path, links followed. What may not be looked at is there for whoever may. */
export async function whatIs(folder: string, path: string): Promise<Place> {
  try {
    return (await stat(resolve(folder, path))).isDirectory() ? 'folder' : 'file';
  } catch (cause) {
    const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'file';
  }
}

/** Writes UTF-8 text and makes the folders that are missing. */
export async function writeText(folder: string, path: string, content: string): Promise<void> {
  const whole = resolve(folder, path);
  await mkdir(dirname(whole), { recursive: true });
  await writeFile(whole, content);
}

/**
 * Where a path below `folder` really ends when a link on its way leads out of it; undefined: it stays inside, is not there,
 * or was written as a path elsewhere. Whoever writes the commit writes its links, and not what stands beside the checkout.
 */
export async function leadsOut(folder: string, path: string): Promise<string | undefined> {
  const isInside = (root: string, place: string): boolean => {
    const way = relative(root, place);
    return way !== '..' && !way.startsWith('../') && !isAbsolute(way);
  };
  const whole = resolve(folder, path);
  if (!isInside(resolve(folder), whole)) return undefined;
  try {
    const real = await realpath(whole);
    return isInside(await realpath(folder), real) ? undefined : real;
  } catch {
    return undefined;
  }
}
