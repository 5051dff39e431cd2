import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { milliseconds, seconds } from '../../src/domain/duration.ts';
import type { OpenRequest, OpenSocket, ProbeRequest, ProbeResult, Prober } from '../../src/ports/prober.ts';

/** Peers that every world of the suite has; each value is a base URL. */
export interface ProberWorld {
  readonly prober: Prober;
  readonly peers: {
    /**
     * `/hello` 200 with the body `hello` and the headers `X-Thing: one` and `Set-Cookie: a=1` and `b=2`; `/echo` 200 with
     * method, headers and body as JSON; `/redirect` 302 to `/hello`; `/failing` 503 with the body `not now`; `/slow-body` begins and never ends;
     * `/huge` 100 MB of `x`; `/cut` closes in the middle of the body.
     */
    readonly web: string;
    /**
     * WebSockets: `/echo` sends back what it gets, `/hello` greets and says nothing more, `/leave` closes with 1011 and
     * `scripted` at the first message, `/long` answers with 2000 characters; the rest is 404.
     */
    readonly sockets: string;
    readonly closesAtOnce: string;
    readonly neverAnswers: string;
    /** Not even the connection comes about. */
    readonly neverConnects: string;
    readonly speaksAnotherLanguage: string;
    readonly untrustedTls: string;
    readonly closedPort: string;
    readonly unknownName: string;
    readonly metadata: string;
    readonly namedMetadata: string;
  };
  close(): Promise<void>;
}

/** What every Prober does, and what one does not is written beside it. */
export function proberContract(name: string, open: () => Promise<ProberWorld>): void {
  describe(`${name} as a Prober`, () => {
    let world: ProberWorld;
    beforeAll(async () => {
      world = await open();
    });
    afterAll(() => world.close());

    const probe = (
      url: string,
      more: Partial<ProbeRequest> = {},
      signal = new AbortController().signal,
    ): Promise<ProbeResult> =>
      world.prober.probe(
        { method: 'GET', url, headers: {}, timeout: seconds(5), bodyLimit: 1_048_576, ...more },
        signal,
      );

    test('gives status, lower-case headers, joined when repeated, and the body', async () => {
      expect(await probe(`${world.peers.web}/hello`)).toMatchObject({
        kind: 'answered',
        status: 200,
        headers: { 'x-thing': 'one', 'set-cookie': 'a=1, b=2' },
        body: 'hello',
        bodyTruncated: false,
      });
    });

    test('sends method, headers, name and body', async () => {
      const result = await probe(`${world.peers.web}/echo`, {
        method: 'POST',
        host: 'shop.example.com',
        headers: { 'x-a': 'b' },
        body: 'payload',
      });
      expect(JSON.parse(result.kind === 'answered' ? result.body : '{}')).toMatchObject({
        method: 'POST',
        headers: { host: 'shop.example.com', 'x-a': 'b' },
        body: 'payload',
      });
    });

    test.each([
      { name: 'an error status', path: '/failing', status: 503 },
      { name: 'a redirect, which is not followed', path: '/redirect', status: 302 },
    ])('answers with $name', async ({ path, status }) => {
      expect(await probe(world.peers.web + path)).toMatchObject({ kind: 'answered', status });
    });

    test('a HEAD request has no body', async () => {
      expect(await probe(`${world.peers.web}/hello`, { method: 'HEAD' })).toMatchObject({
        kind: 'answered',
        status: 200,
        body: '',
      });
    });

    test('reads no more of a body than its limit, and says so', async () => {
      const result = await probe(`${world.peers.web}/huge`, { bodyLimit: 1_000 });
      expect(result).toMatchObject({ kind: 'answered', status: 200, body: 'x'.repeat(1_000), bodyTruncated: true });
    });

    test('may leave out headers and body only where the status suffices', async () => {
      const statusSuffices = (status: number): boolean => status < 400;
      expect(await probe(`${world.peers.web}/hello`, { statusSuffices })).toMatchObject({
        kind: 'answered',
        status: 200,
      });
      const failing = await probe(`${world.peers.web}/failing`, { statusSuffices });
      expect(failing).toMatchObject({ kind: 'answered', status: 503, body: 'not now' });
    });

    test('a header that cannot be sent is a fault, not a crash', async () => {
      const result = await probe(`${world.peers.web}/hello`, { headers: { 'x-a': 'b\r\nx-evil: 1' } });
      expect(result).toMatchObject({ kind: 'failed', fault: 'other' });
    });

    test('a body of exactly the limit is whole', async () => {
      expect(await probe(`${world.peers.web}/hello`, { bodyLimit: 5 })).toMatchObject({
        body: 'hello',
        bodyTruncated: false,
      });
    });

    test.each([
      { name: 'a port where nobody listens', peer: 'closedPort', path: '/', fault: 'refused' },
      { name: 'a peer that closes at once', peer: 'closesAtOnce', path: '/', fault: 'reset' },
      { name: 'a peer that closes in the middle of the body', peer: 'web', path: '/cut', fault: 'reset' },
      { name: 'a name that nobody knows', peer: 'unknownName', path: '/', fault: 'dns' },
      { name: 'a certificate that nobody trusts', peer: 'untrustedTls', path: '/', fault: 'tls' },
      { name: 'a peer that does not speak HTTP', peer: 'speaksAnotherLanguage', path: '/', fault: 'protocol' },
      { name: 'the address of a metadata service', peer: 'metadata', path: '/latest/meta-data/', fault: 'other' },
      { name: 'a name that resolves to a metadata service', peer: 'namedMetadata', path: '/', fault: 'other' },
    ] as const)('tells $name', async ({ peer, path, fault }) => {
      const result = await probe(world.peers[peer] + path);
      expect(result).toMatchObject({ kind: 'failed', fault });
      expect(result.kind === 'failed' && result.message).toMatch(/\w/);
    });

    test.each([
      { name: 'a connection that does not come about', peer: 'neverConnects', path: '/' },
      { name: 'a connection without an answer', peer: 'neverAnswers', path: '/' },
      { name: 'a body that never ends', peer: 'web', path: '/slow-body' },
    ] as const)('the timeout covers $name', async ({ peer, path }) => {
      const result = await probe(world.peers[peer] + path, { timeout: milliseconds(150) });
      expect(result).toMatchObject({ kind: 'failed', fault: 'timeout' });
      expect(result.duration).toBeGreaterThanOrEqual(140);
      expect(result.duration).toBeLessThan(2_000);
    });

    test.each([
      { name: 'for a connection', peer: 'neverConnects' },
      { name: 'for an answer', peer: 'neverAnswers' },
    ] as const)('rejects with the reason of the signal while it waits $name', async ({ peer }) => {
      const controller = new AbortController();
      const probing = probe(`${world.peers[peer]}/`, {}, controller.signal);
      setTimeout(() => controller.abort(new Error('stop now')), 30);
      await expect(probing).rejects.toThrow('stop now');
    });

    const opening = (url: string, more: Partial<OpenRequest> = {}, signal = new AbortController().signal) =>
      world.prober.open({ url, headers: {}, timeout: seconds(5), messageLimit: 1_000, ...more }, signal);
    const socketOf = async (path: string): Promise<OpenSocket> => {
      const opened = await opening(world.peers.sockets + path);
      if (opened.kind === 'failed') throw new Error(opened.message);
      return opened.socket;
    };
    const quiet = new AbortController().signal;

    test('an open WebSocket carries messages both ways, in order', async () => {
      const socket = await socketOf('/echo');
      socket.send('one');
      socket.send('two');
      expect(await socket.receive(seconds(5), quiet)).toMatchObject({ kind: 'message', text: 'one' });
      expect(await socket.receive(seconds(5), quiet)).toMatchObject({ kind: 'message', text: 'two' });
      socket.close();
    });

    test('an open WebSocket that stays silent is told from one that is closed', async () => {
      const socket = await socketOf('/hello');
      expect(await socket.receive(seconds(5), quiet)).toMatchObject({ kind: 'message', text: 'welcome' });
      const silent = await socket.receive(milliseconds(60), quiet);
      expect(silent.kind).toBe('silent');
      expect(silent.waited).toBeGreaterThanOrEqual(50);
      socket.close();
      const leaving = await socketOf('/leave');
      leaving.send('anything');
      expect(await leaving.receive(seconds(5), quiet)).toMatchObject({
        kind: 'closed',
        code: 1011,
        reason: 'scripted',
      });
      leaving.close();
    });

    test('a ping is answered, and the messages that came meanwhile stay', async () => {
      const socket = await socketOf('/hello');
      expect(await socket.ping(seconds(5), quiet)).toMatchObject({ kind: 'pong' });
      expect(await socket.receive(seconds(5), quiet)).toMatchObject({ kind: 'message', text: 'welcome' });
      socket.close();
    });

    test('a message over the limit closes the WebSocket', async () => {
      const socket = await socketOf('/long');
      socket.send('go on');
      expect(await socket.receive(seconds(5), quiet)).toMatchObject({ kind: 'closed', code: 1006 });
      socket.close();
    });

    test('a peer that does not open a WebSocket is told with its status', async () => {
      const result = await opening(`${world.peers.sockets}/nowhere`);
      expect(result).toMatchObject({ kind: 'failed', fault: 'protocol', status: 404 });
    });

    test.each([
      { name: 'a port where nobody listens', peer: 'closedPort', fault: 'refused' },
      { name: 'a peer that closes at once', peer: 'closesAtOnce', fault: 'reset' },
      { name: 'a name that nobody knows', peer: 'unknownName', fault: 'dns' },
      { name: 'a certificate that nobody trusts', peer: 'untrustedTls', fault: 'tls' },
      { name: 'the address of a metadata service', peer: 'metadata', fault: 'other' },
    ] as const)('no WebSocket opens at $name', async ({ peer, fault }) => {
      expect(await opening(`${world.peers[peer]}/`)).toMatchObject({ kind: 'failed', fault });
    });

    test('the timeout covers a WebSocket that does not open', async () => {
      const result = await opening(`${world.peers.neverAnswers}/`, { timeout: milliseconds(150) });
      expect(result).toMatchObject({ kind: 'failed', fault: 'timeout' });
      expect(result.duration).toBeGreaterThanOrEqual(140);
    });

    test('waits for messages reject with the reason of the signal', async () => {
      const socket = await socketOf('/hello');
      await socket.receive(seconds(5), quiet);
      const controller = new AbortController();
      const waiting = socket.receive(seconds(5), controller.signal);
      setTimeout(() => controller.abort(new Error('stop now')), 30);
      await expect(waiting).rejects.toThrow('stop now');
      socket.close();
    });

    test('an address is its own only address, and an unknown name has none', async () => {
      expect(await world.prober.addresses('http://127.0.0.1:80/', quiet)).toEqual({
        kind: 'resolved',
        addresses: ['127.0.0.1'],
      });
      expect(await world.prober.addresses(world.peers.unknownName, quiet)).toMatchObject({ kind: 'failed' });
    });

    test('rejects at once when the signal is aborted already', async () => {
      await expect(probe(`${world.peers.web}/hello`, {}, AbortSignal.abort(new Error('too late')))).rejects.toThrow(
        'too late',
      );
    });
  });
}
