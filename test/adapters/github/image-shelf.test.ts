import { afterEach, describe, expect, test } from '@jest/globals';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { githubClient } from '../../../src/adapters/github/client.ts';
import { packageShelf } from '../../../src/adapters/github/image-shelf.ts';
import { systemClock } from '../../../src/adapters/system/clock.ts';
import type { Manifest } from '../../../src/domain/image-build/manifest.ts';
import type { ImageRegistry } from '../../../src/ports/image-registry.ts';

const { signal } = new AbortController();
const HEX = (number: number): string => `sha256:${number.toString(16).padStart(64, '0')}`;
const version = (id: number, tags: readonly string[] = []) => ({
  id,
  name: HEX(id),
  created_at: '2026-01-01T00:00:00Z',
  metadata: { container: { tags } },
});
const ORG = '/orgs/acme/packages/container/team%2Fshop/versions';
const USER = ORG.replace('/orgs/', '/users/');

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
const servers: Server[] = [];
afterEach(() =>
  servers.splice(0).forEach((server) => {
    server.closeAllConnections();
    server.close();
  }),
);

const json =
  (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
const gone: Answer = (_request, response) => response.writeHead(204).end();

/** What GitHub says, by method and path without its query; everything else is not found, as on GitHub. */
async function packageOf(
  answers: Readonly<Record<string, Answer>>,
  indexes: Readonly<Record<string, readonly string[]>> = {},
) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const asked = `${request.method} ${request.url}`;
    seen.push(asked);
    const [place = '', query] = asked.split('?');
    const page = new URLSearchParams(query).get('page') ?? '1';
    const answer = answers[page === '1' ? place : `${place} page ${page}`] ?? json({ message: 'Not Found' }, 404);
    answer(request, response);
  });
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = githubClient({
    auth: { kind: 'token', token: 'ghs_x' },
    apiUrl: url,
    repository: 'acme/shop',
    clock: systemClock(),
  });
  return { seen, url, shelf: packageShelf('acme/team/shop', { client, registry: registryOf(indexes) }) };
}

/** Reads manifests and nothing else: a digest that is not there as the registry of the adapter's own tests says it. */
const registryOf = (indexes: Readonly<Record<string, readonly string[]>>): ImageRegistry =>
  ({
    manifest(_path: string, digest: string) {
      const parts = indexes[digest]?.map((each) => ({ digest: each, size: 1, mediaType: 'm' }));
      const manifest =
        parts === undefined ? { kind: 'image', layers: [] } : { kind: 'index', entries: parts, children: [] };
      return Promise.resolve(
        digest === HEX(404) ? undefined : { digest, mediaType: 'm', manifest: manifest as unknown as Manifest },
      );
    },
  }) as unknown as ImageRegistry;
const thrownBy = async (work: Promise<unknown>): Promise<string> =>
  String(await work.catch((thrown: unknown) => thrown));

describe('the versions of a package of ghcr.io over the wire', () => {
  test('are listed over all pages, with what each index names', async () => {
    const there = await packageOf(
      {
        [`GET ${ORG} page 2`]: json([version(2)]),
        [`GET ${ORG}`]: (request, response) =>
          json([version(1, ['v1', 'latest'])], 200, {
            link: `<http://${request.headers.host}${ORG}?page=2&per_page=100>; rel="next"`,
          })(request, response),
      },
      { [HEX(1)]: [HEX(2)] },
    );
    const pushedAt = Date.UTC(2026, 0, 1);
    expect(await there.shelf.list(signal)).toEqual([
      { digest: HEX(1), tags: ['v1', 'latest'], pushedAt, parts: [HEX(2)] },
      { digest: HEX(2), tags: [], pushedAt, parts: [] },
    ]);
    expect(await there.shelf.digests(signal)).toEqual(new Set([HEX(1), HEX(2)]));
  });

  test('of a person are found where an organisation has none, and removed there by their ids', async () => {
    const there = await packageOf({ [`GET ${USER}`]: json([version(7)]), [`DELETE ${USER}/7`]: gone });
    const images = await there.shelf.list(signal);
    expect(await there.shelf.remove(images, signal)).toEqual({ removed: [HEX(7)], refused: [] });
    expect(there.seen.at(-1)).toBe(`DELETE ${USER}/7`);
  });

  test.each<[name: string, status: number, message: string]>([
    [
      'the last tagged version',
      400,
      'You cannot delete the last tagged version of a package. You must delete the package instead.',
    ],
    [
      'a public version that many have loaded',
      400,
      'Publicly visible package versions with more than 5000 downloads cannot be deleted.',
    ],
  ])('%s stays and is named; the others go, and one that was gone counts', async (_name, status, message) => {
    const there = await packageOf({
      [`GET ${ORG}`]: json([version(1), version(2), version(3)]),
      [`DELETE ${ORG}/1`]: json({ message }, status),
      [`DELETE ${ORG}/2`]: gone,
    });
    const done = await there.shelf.remove(await there.shelf.list(signal), signal);
    expect(done).toEqual({ removed: [HEX(2), HEX(3)], refused: [expect.stringContaining(`${HEX(1)}: ${message}`)] });
  });

  test('a missing right ends it, with what is gone and what to grant', async () => {
    const there = await packageOf({
      [`GET ${ORG}`]: json([version(1), version(2)]),
      [`DELETE ${ORG}/1`]: gone,
      [`DELETE ${ORG}/2`]: json({ message: 'Resource not accessible by integration' }, 403),
    });
    expect(await thrownBy(there.shelf.list(signal).then((images) => there.shelf.remove(images, signal)))).toMatch(
      /GitHub answered 403 \(Resource not accessible.*1 of 2 were removed.*`packages: write`.*Manage Actions access/,
    );
  });

  test('a package that is nowhere, or may not be seen, is said with the right that it needs', async () => {
    const there = await packageOf({});
    expect(await thrownBy(there.shelf.list(signal))).toMatch(
      /list the versions of package acme\/team\/shop: GitHub answered 404.*Nothing was removed.*packages: read/,
    );
    const denied = await packageOf({ [`GET ${ORG}`]: json({ message: 'no' }, 403) });
    expect(await thrownBy(denied.shelf.list(signal))).toMatch(/GitHub answered 403 \(no.*packages: read/);
  });

  test('a version that the registry does not have stops the list: nobody knows what it names', async () => {
    const there = await packageOf({ [`GET ${ORG}`]: json([version(404)]) });
    expect(await thrownBy(there.shelf.list(signal))).toMatch(/the package lists it and the registry does not have it/);
  });
});
