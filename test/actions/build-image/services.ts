import { createHash } from 'node:crypto';
import { type IncomingMessage, type RequestListener, type ServerResponse, createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, type Server, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authority } from '../../../sandbox/tls/certificates.ts';

export const ECR_HOST = '123456789012.dkr.ecr.us-west-2.amazonaws.com';
const IMAGE = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const IDENTITY = `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:assumed-role/build/s</Arn><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`;
const TOKEN = Buffer.from('AWS:ecr-password').toString('base64');

/** The actor of the harness, with the token that the tests give. */
const GHCR_LOGIN = Buffer.from('alice:ghs_test').toString('base64');

export interface AwsAnswer {
  readonly status?: number;
  readonly body: object;
}
export type Aws = (operation: string, body: Record<string, unknown>) => AwsAnswer;
/** By method and path without its query. */
export type GitHub = Readonly<Record<string, { readonly status: number; readonly body?: object }>>;

/**
 * The registry, the control plane of AWS, GitHub's API and a server of releases, as far as the scan gate and the clean-up
 * reach them: all on loopback. ECR's host is reached by the proxy variables of a runner, over TLS and with a login.
 */
export interface Services {
  /** Of the registry without a login. */
  readonly host: string;
  readonly url: string;
  /** What the action is started with. */
  readonly env: Readonly<Record<string, string>>;
  /** `METHOD path` of the registry, the operation of AWS, or `METHOD path` of GitHub. */
  readonly calls: string[];
  aws: Aws;
  github: GitHub;
  /** After each manifest that somebody puts: what another writer does at this moment. */
  onPut: (path: string, reference: string) => void;
  readonly files: Map<string, Buffer>;
  /** An image under its tag for each platform, with these labels; several make an index. Gives its digest and its parts'. */
  put(path: string, tag: string, labels: Readonly<Record<string, string>>, more?: More): Put;
  /** Something without a tag whose subject is this digest, such as an attestation. Gives its digest. */
  hangOn(path: string, subject: string): string;
  tag(path: string, tag: string): string | undefined;
  /** A manifest is gone, as after a clean-up of what has no tag. */
  lose(digest: string): void;
  /** By which an engine knows the image of one platform that `put` would put: the digest of its configuration. */
  imageId(path: string, labels: Readonly<Record<string, string>>): string;
  close(): Promise<void>;
}
export interface More {
  /** One by default. */
  readonly platforms?: readonly string[];
  /** Of the manifest of each platform. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Kinds of the statements that hang beside each platform, as BuildKit writes them. */
  readonly attested?: readonly string[];
}
export interface Put {
  readonly digest: string;
  readonly parts: readonly string[];
}

interface Stored {
  readonly bytes: Buffer;
  readonly type: string;
}

export async function startServices(): Promise<Services> {
  const stored = new Map<string, Stored>();
  const tags = new Map<string, string>();
  const keep = (value: unknown, type: string): string => {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = digestOf(bytes);
    stored.set(digest, { bytes, type });
    return digest;
  };
  const state: Pick<Services, 'aws' | 'github' | 'onPut'> & { calls: string[]; files: Map<string, Buffer> } = {
    aws: (operation) => ({ status: 400, body: { __type: 'UnexpectedCall', message: operation } }),
    github: {},
    onPut: () => undefined,
    calls: [],
    files: new Map(),
  };
  const registry = registryOf({ stored, tags, state });
  const plain = createServer((request, response) => {
    const { url = '' } = request;
    if (url.startsWith('/v2/')) return registry(request, response);
    if (state.files.has(url)) return response.end(state.files.get(url));
    return void bodyOf(request).then((body) => control(request, response, { body, state }));
  });
  const issuer = authority('sluice tests');
  const identity = issuer.issue({ name: ECR_HOST, hosts: [ECR_HOST, 'ghcr.io'] });
  const secure = createSecureServer(identity, (request, response) => {
    const [, login] = request.headers.authorization?.split('Basic ') ?? [];
    if (login === (request.headers.host === 'ghcr.io' ? GHCR_LOGIN : TOKEN)) return registry(request, response);
    return response.writeHead(401, { 'www-authenticate': `Basic realm="${ECR_HOST}"` }).end();
  });
  const [port, securePort] = [await listen(plain), await listen(secure)];
  const proxy = createServer().on('connect', (_request: IncomingMessage, socket) => {
    const through = connect(securePort, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    socket.on('error', () => through.destroy()).pipe(through);
    through.on('error', () => socket.destroy()).pipe(socket);
  });
  const proxyPort = await listen(proxy);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-services-'));
  writeFileSync(join(folder, 'ca.pem'), issuer.cert);
  const url = `http://127.0.0.1:${port}`;
  return Object.assign(state, {
    host: `127.0.0.1:${port}`,
    url,
    env: {
      AWS_ENDPOINT_URL: url,
      AWS_REGION: 'us-west-2',
      AWS_ACCESS_KEY_ID: 'AKIA',
      AWS_SECRET_ACCESS_KEY: 'secret-of-the-test',
      GITHUB_API_URL: url,
      HTTPS_PROXY: `http://127.0.0.1:${proxyPort}`,
      NO_PROXY: '127.0.0.1',
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
    },
    put(path: string, tag: string, labels: Readonly<Record<string, string>>, more: More = {}): Put {
      const { platforms = ['linux/amd64'], annotations, attested = [] } = more;
      const parts = platforms.map((platform) => {
        const [os, architecture] = platform.split('/');
        const config = keep(configuration(path, labels, { os, architecture }), 'blob');
        const size = stored.get(config)?.bytes.length;
        const mediaType = 'application/vnd.oci.image.config.v1+json';
        const manifest = {
          schemaVersion: 2,
          mediaType: IMAGE,
          config: { digest: config, size, mediaType },
          layers: [],
          annotations,
        };
        return { digest: keep(manifest, IMAGE), size: 1, mediaType: IMAGE, platform: { os, architecture } };
      });
      const digests = parts.map(({ digest }) => digest);
      const beside = attested.length === 0 ? [] : digests.map((about) => statements(about, attested, keep));
      const manifests = [...parts, ...beside];
      const whole =
        manifests.length === 1 ? (digests[0] ?? '') : keep({ schemaVersion: 2, mediaType: INDEX, manifests }, INDEX);
      tags.set(`${path}:${tag}`, whole);
      return { digest: whole, parts: digests };
    },
    hangOn(path: string, subject: string): string {
      const empty = { mediaType: 'application/vnd.oci.empty.v1+json', digest: keep({}, 'blob'), size: 2 };
      const about = { mediaType: IMAGE, digest: subject, size: 1 };
      const annotations = { of: path };
      return keep(
        { schemaVersion: 2, mediaType: IMAGE, config: empty, layers: [], subject: about, annotations },
        IMAGE,
      );
    },
    tag: (path: string, tag: string) => tags.get(`${path}:${tag}`),
    lose: (digest: string) => void stored.delete(digest),
    imageId: (path: string, labels: Readonly<Record<string, string>>) =>
      digestOf(Buffer.from(JSON.stringify(configuration(path, labels, { os: 'linux', architecture: 'amd64' })))),
    async close() {
      rmSync(folder, { recursive: true });
      await Promise.all([plain, secure, proxy].map(stop));
    },
  });
}

/** Its path makes it another image than those of other tests. */
const configuration = (
  path: string,
  labels: object,
  platform: Readonly<Record<'os' | 'architecture', string | undefined>>,
): object => ({
  ...platform,
  author: path,
  config: { Labels: labels },
});

/** docs/attestations/attestation-storage.md of BuildKit. */
function statements(about: string, predicates: readonly string[], keep: (value: unknown, type: string) => string) {
  const layers = predicates.map((predicateType) => ({
    mediaType: 'application/vnd.in-toto+json',
    digest: keep({ _type: 'https://in-toto.io/Statement/v0.1', predicateType }, 'blob'),
    size: 1,
    annotations: { 'in-toto.io/predicate-type': predicateType },
  }));
  const config = { digest: keep({ about }, 'blob'), size: 1, mediaType: 'application/vnd.oci.image.config.v1+json' };
  return {
    digest: keep({ schemaVersion: 2, mediaType: IMAGE, config, layers }, IMAGE),
    size: 1,
    mediaType: IMAGE,
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: {
      'vnd.docker.reference.digest': about,
      'vnd.docker.reference.type': 'attestation-manifest',
    },
  };
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

interface Shelves {
  readonly stored: Map<string, Stored>;
  readonly tags: Map<string, string>;
  readonly state: Pick<Services, 'calls' | 'onPut'>;
}

/** Manifests by tag or digest, blobs by digest, and the list of tags (OCI distribution 1.1). */
function registryOf({ stored, tags, state }: Shelves): RequestListener {
  return (request, response) => {
    const { method = '', url = '' } = request;
    state.calls.push(`${method} ${url}`);
    const [, path = '', kind, reference = ''] = /^\/v2\/(.+)\/(manifests|blobs|tags)\/([^?]+)/.exec(url) ?? [];
    if (kind === 'tags') {
      const names = [...tags.keys()].flatMap((key) => (key.startsWith(`${path}:`) ? key.slice(path.length + 1) : []));
      return void response.end(JSON.stringify({ name: path, tags: names }));
    }
    if (method === 'PUT' && kind === 'manifests')
      return void bodyOf(request).then((text) => {
        const bytes = Buffer.from(text);
        const digest = digestOf(bytes);
        stored.set(digest, { bytes, type: request.headers['content-type'] ?? '' });
        tags.set(`${path}:${reference}`, digest);
        state.onPut(path, reference);
        response.writeHead(201, { 'docker-content-digest': digest }).end();
      });
    if (method === 'POST' && url.endsWith('/blobs/uploads/'))
      return void response.writeHead(202, { location: `${url}1` }).end();
    if (method === 'DELETE' && url.endsWith('/blobs/uploads/1')) return void response.writeHead(204).end();
    const digest = tags.get(`${path}:${reference}`) ?? reference;
    const found = stored.get(digest);
    if (found === undefined) return void response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
    response.writeHead(200, {
      'content-type': found.type,
      'docker-content-digest': digest,
      'content-length': found.bytes.length,
    });
    return void response.end(method === 'HEAD' ? undefined : found.bytes);
  };
}

function control(
  request: IncomingMessage,
  response: ServerResponse,
  { body, state }: { readonly body: string; readonly state: Pick<Services, 'aws' | 'github' | 'calls'> },
): void {
  // The time of who asks: the SDK takes an error of another time for its own clock's fault, and asks again.
  const asked = Number(request.headers['x-sluice-now']);
  if (asked > 0) response.setHeader('date', new Date(asked).toUTCString());
  const operation = String(request.headers['x-amz-target'] ?? '').split('.')[1];
  const place = `${request.method} ${(request.url ?? '').replace(/\?.*/, '')}`;
  state.calls.push(operation ?? place);
  if (operation === undefined && body.includes('Action=GetCallerIdentity')) {
    response.writeHead(200, { 'content-type': 'text/xml' }).end(IDENTITY);
    return;
  }
  const answer =
    operation === 'GetAuthorizationToken'
      ? { body: { authorizationData: [{ authorizationToken: TOKEN }] } }
      : operation === undefined
        ? (state.github[place] ?? { status: 404, body: { message: 'Not Found' } })
        : state.aws(operation, JSON.parse(body) as Record<string, unknown>);
  const type = operation === undefined ? 'application/json' : 'application/x-amz-json-1.1';
  response.writeHead(answer.status ?? 200, answer.body === undefined ? {} : { 'content-type': type });
  response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return (server.address() as AddressInfo).port;
}

async function stop(server: Server & { closeAllConnections?: () => void }): Promise<void> {
  server.closeAllConnections?.();
  await new Promise((closed) => server.close(closed));
}
