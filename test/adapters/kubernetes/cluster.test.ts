import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { kubernetesOf } from '../../../src/adapters/kubernetes/cluster.ts';
import { kubeHttp } from '../../../src/adapters/kubernetes/http.ts';
import { SECRETS } from '../../../src/domain/kubernetes/resource.ts';
import { fakeClock } from '../../fakes/clock.ts';
import { recordingLog } from '../../fakes/log.ts';

const STATUS = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 };
let server: Server;
afterEach(() => void server.close());

/** Whatever stands before the API server answers for it: each of these is a 404. */
test.each([
  ['of the API server is absence', JSON.stringify(STATUS), 'absent'],
  ['of a proxy, a page, says nothing of the object', '<html>no such page</html>', 'transient'],
  ['of a proxy, an empty one, says nothing of the object', '', 'transient'],
  ['of a proxy that speaks JSON says nothing of the object', '{"error":"not found"}', 'transient'],
])('a 404 %s', async (_name, body, expected) => {
  server = createServer((_request, response) => response.writeHead(404).end(body));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const access = {
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    verify: 'certificate',
    authorization: () => Promise.resolve(undefined),
  } as const;
  const random = { fraction: () => 0.5, token: () => '' };
  const tools = { clock: fakeClock(), log: recordingLog(), random, onWarning: () => undefined };
  const cluster = kubernetesOf(kubeHttp(access, tools));
  const read = cluster.get(SECRETS, { namespace: 'shop', name: 'x' }, new AbortController().signal).then(
    (found) => (found === undefined ? 'absent' : 'there'),
    (thrown: { kind: string }) => thrown.kind,
  );
  expect(await read).toBe(expected);
});
