import { createHash } from 'node:crypto';
import type { Response } from 'undici';
import { Failure } from '../../domain/failure.ts';
import { IMAGE_TYPES, INDEX_TYPES, readManifest } from '../../domain/image-build/manifest.ts';
import { RegistryRefusal } from '../../domain/image-build/registry-errors.ts';
import { CloudFailure, mayPass } from '../../domain/retry-policy.ts';
import type { ImageRegistry, StoredManifest } from '../../ports/image-registry.ts';
import { documentOf, jsonOf } from './body.ts';
import {
  type RegistryAddress,
  type RegistryCall,
  type RegistryTools,
  type Send,
  registryRequests,
} from './requests.ts';

const ACCEPT = [...INDEX_TYPES, ...IMAGE_TYPES].join(', ');

const pull = (repository: string): string => `repository:${repository}:pull`;
const push = (repository: string): string => `repository:${repository}:pull,push`;

export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** The distribution specification (registry API v2) over HTTP. */
export function imageRegistry(address: RegistryAddress, tools: RegistryTools): ImageRegistry {
  const { host } = address;
  const send = registryRequests(address, tools);
  return {
    host,
    head: (repository, reference, signal) => head(send, { host, repository, reference }, signal),
    manifest: (repository, reference, signal) => manifest(send, { host, repository, reference }, signal),
    async json(repository, digest, signal) {
      const what = `Could not read ${digest} of ${host}/${repository}`;
      const call = { method: 'GET', path: `${repository}/blobs/${digest}`, scope: pull(repository), what } as const;
      const bytes = await documentOf(await send({ ...call, expected: [200] }, signal), what);
      checkDigest(bytes, digest, what);
      return jsonOf(bytes, what);
    },
    put: (repository, reference, stored, signal) => put(send, { host, repository, reference }, stored, signal),
    async blob(repository, digest, signal) {
      const what = `Could not read ${digest} of ${host}/${repository}`;
      const call = { method: 'GET', path: `${repository}/blobs/${digest}`, scope: pull(repository), what } as const;
      const { body } = await send({ ...call, expected: [200] }, signal);
      if (body === null) throw new Failure({ what, why: 'the answer has no body' });
      return body as ReadableStream<Uint8Array>;
    },
    copyBlob: (repository, from, blob, signal) => copyAgain(send, { host, repository }, { from, blob }, signal),
    mayPush: (repository, signal) => mayPush(send, { host, repository }, signal),
    tags: (repository, signal) => tags(send, { host, repository }, signal),
  };
}

interface Place {
  readonly host: string;
  readonly repository: string;
}
interface Named extends Place {
  readonly reference: string;
}

async function head(send: Send, named: Named, signal: AbortSignal): Promise<string | undefined> {
  const { host, repository, reference } = named;
  const what = `Could not look up ${reference} of ${host}/${repository}`;
  const path = `${repository}/manifests/${reference}`;
  const call = { method: 'HEAD', path, headers: { accept: ACCEPT }, scope: push(repository), what } as const;
  let answer: Response;
  try {
    answer = await send({ ...call, expected: [200, 404] }, signal);
  } catch (thrown) {
    if (await isMissing(thrown, { send, named }, signal)) return undefined;
    throw thrown;
  }
  if (answer.status === 404) return undefined;
  const digest = answer.headers.get('docker-content-digest');
  if (digest === null) return (await manifest(send, named, signal))?.digest;
  return digest;
}

/**
 * A virtual repository of Artifactory answers 403 for a tag that is not there, where a repository behind it is closed to the
 * caller (google/go-containerregistry#1691). Who may not read has no list of the tags either: only a list without the tag
 * makes it one that is not there.
 */
async function isMissing(
  thrown: unknown,
  { send, named }: { readonly send: Send; readonly named: Named },
  signal: AbortSignal,
): Promise<boolean> {
  const { reference } = named;
  if (!(thrown instanceof RegistryRefusal) || thrown.kind !== 'access-denied' || reference.includes(':')) return false;
  try {
    return !(await tags(send, named, signal)).includes(reference);
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

async function manifest(
  send: Send,
  { host, repository, reference }: Named,
  signal: AbortSignal,
): Promise<StoredManifest | undefined> {
  const what = `Could not read ${reference} of ${host}/${repository}`;
  const answer = await send(
    {
      method: 'GET',
      path: `${repository}/manifests/${reference}`,
      headers: { accept: ACCEPT },
      scope: push(repository),
      what,
      expected: [200, 404],
    },
    signal,
  );
  const bytes = await documentOf(answer, what);
  if (answer.status === 404) return undefined;
  const digest = digestOf(bytes);
  if (reference.startsWith('sha256:')) checkDigest(bytes, reference, what);
  const mediaType = (answer.headers.get('content-type') ?? '').replace(/;.*/, '').trim();
  const read = readManifest(jsonOf(bytes, what), mediaType);
  if (read === undefined)
    throw new Failure({ what, why: `it is ${mediaType}, which is neither an image nor an index` });
  return { digest, mediaType, bytes, manifest: read };
}

async function put(
  send: Send,
  { host, repository, reference }: Named,
  { digest, mediaType, bytes }: StoredManifest,
  signal: AbortSignal,
): Promise<void> {
  const what = `Could not put ${reference} in ${host}/${repository}`;
  try {
    const answer = await send(
      {
        method: 'PUT',
        path: `${repository}/manifests/${reference}`,
        headers: { 'content-type': mediaType },
        body: () => Promise.resolve(bytes),
        scope: push(repository),
        what,
        expected: [201],
      },
      signal,
    );
    await answer.arrayBuffer();
  } catch (thrown) {
    if (!(thrown instanceof CloudFailure) || thrown.kind !== 'conflict') throw thrown;
    // Somebody was quicker with the same image, or an earlier run of ours was: that is what was wanted.
    const there = await head(send, { host, repository, reference }, signal);
    if (there === digest) return;
    const now = `${reference} is ${there ?? 'not there'}, and stays so`;
    throw new CloudFailure('conflict', { ...thrown.facts, now }, { cause: thrown });
  }
}

async function mayPush(send: Send, { host, repository }: Place, signal: AbortSignal): Promise<void> {
  const what = `Could not push to ${host}/${repository}`;
  const scope = push(repository);
  const path = `${repository}/blobs/uploads/`;
  const begun = await send({ method: 'POST', path, scope, what, expected: [202] }, signal);
  await begun.arrayBuffer();
  const location = begun.headers.get('location');
  if (location === null) return;
  try {
    // Not every registry knows how to give an upload up; all of them forget those that nobody goes on with.
    const end = { method: 'DELETE', path: new URL(location, begun.url).href, scope, what, repeat: 'once' } as const;
    await (await send({ ...end, expected: [200, 202, 204, 404, 405] }, signal)).arrayBuffer();
  } catch {
    signal.throwIfAborted();
  }
}

interface BlobCopy {
  readonly from: { readonly registry: ImageRegistry; readonly repository: string };
  readonly blob: { readonly digest: string; readonly size: number };
}

/** An upload that broke is begun anew: after a slow commit the registry has the blob, and the first look finds it. */
async function copyAgain(...[send, to, copy, signal]: Parameters<typeof copyBlob>): ReturnType<typeof copyBlob> {
  for (let round = 1; ; round += 1) {
    try {
      return await copyBlob(send, to, copy, signal);
    } catch (thrown) {
      if (!(thrown instanceof CloudFailure) || !mayPass(thrown.kind) || round >= 3) throw thrown;
    }
  }
}

async function copyBlob(
  send: Send,
  { host, repository }: Place,
  { from, blob }: BlobCopy,
  signal: AbortSignal,
): Promise<'there' | 'mounted' | 'copied'> {
  const what = `Could not copy ${blob.digest} to ${host}/${repository}`;
  const path = `${repository}/blobs/${blob.digest}`;
  const there = await send({ method: 'HEAD', path, scope: push(repository), what, expected: [200, 404] }, signal);
  if (there.status === 200) return 'there';
  const { begun, scope } = await beginUpload(send, { to: { host, repository }, from, blob, what }, signal);
  if (begun.status === 201) return 'mounted';
  const location = begun.headers.get('location');
  if (location === null) throw new Failure({ what, why: 'the registry gave no place for the upload' });
  const upload = new URL(location, begun.url);
  upload.searchParams.set('digest', blob.digest);
  const finished = await send(
    {
      method: 'PUT',
      path: upload.href,
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(blob.size) },
      body: () => from.registry.blob(from.repository, blob.digest, signal),
      scope,
      what,
      expected: [201],
      repeat: 'once',
    },
    signal,
  );
  await finished.arrayBuffer();
  return 'copied';
}

/** With a mount where it is the same registry; one that refuses it, or a token for both, may take the bytes all the same. */
async function beginUpload(
  send: Send,
  { to, from, blob, what }: BlobCopy & { readonly to: Place; readonly what: string },
  signal: AbortSignal,
): Promise<{ readonly begun: Response; readonly scope: string }> {
  const path = `${to.repository}/blobs/uploads/`;
  const begin = async (call: Pick<RegistryCall, 'path' | 'scope'>) => {
    const begun = await send({ method: 'POST', ...call, what, expected: [201, 202] }, signal);
    await begun.arrayBuffer();
    return { begun, scope: call.scope };
  };
  const scope = push(to.repository);
  if (from.registry.host !== to.host) return begin({ path, scope });
  const mount = `?mount=${blob.digest}&from=${encodeURIComponent(from.repository)}`;
  try {
    return await begin({ path: `${path}${mount}`, scope: `${scope} ${pull(from.repository)}` });
  } catch (thrown) {
    if (!(thrown instanceof RegistryRefusal)) throw thrown;
    return begin({ path, scope });
  }
}

async function tags(send: Send, { host, repository }: Place, signal: AbortSignal): Promise<readonly string[]> {
  const what = `Could not list the tags of ${host}/${repository}`;
  const found: string[] = [];
  let path: string | undefined = `${repository}/tags/list?n=1000`;
  const seen = new Set<string>();
  while (path !== undefined) {
    if (seen.has(path)) throw new Failure({ what, why: 'the list of the registry has no end: a page comes again' });
    seen.add(path);
    const answer: Response = await send(
      { method: 'GET', path, scope: push(repository), what, expected: [200, 404] },
      signal,
    );
    const bytes = await documentOf(answer, what);
    if (answer.status === 404) return found;
    found.push(...namesIn(jsonOf(bytes, what)));
    const next: string | undefined = /<([^>]+)>;\s*rel="?next"?/.exec(answer.headers.get('link') ?? '')?.[1];
    path = next === undefined ? undefined : new URL(next, answer.url).href;
  }
  return found;
}

/** `null` is how some registries say that there is none. */
function namesIn(document: unknown): readonly string[] {
  const { tags: names } = (document ?? {}) as { readonly tags?: unknown };
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
}

function checkDigest(bytes: Uint8Array, digest: string, what: string): void {
  const found = digestOf(bytes);
  if (found === digest) return;
  throw new Failure({
    what,
    why: `the registry answered with ${found}`,
    next: 'Do not use what it holds: it is not what was asked for',
  });
}
