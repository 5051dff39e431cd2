import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { startFaultProxy } from '../../../sandbox/engine/fault-proxy.ts';
import type { EventName } from '../../domain/tags/events.ts';
import { type Docker, type Played, play } from './played.ts';
import { type More, type Services, startServices } from './services.ts';

/** A limit for a machine that is busy, and no measure. */
jest.setTimeout(60_000);
let services: Services;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services.close());

const BOTH = ['linux/amd64', 'linux/arm64'];
const BUILDER = 'Name:   b\nDriver: docker-container\n\nNodes:\nName: b0\n';
const SPDX = 'https://spdx.dev/Document';

/** A run that builds what it was asked for; the labels that its image has are seen. */
function runOf(path: string, made: More, more: Readonly<Record<string, string>>) {
  const seen = { labels: {} as Readonly<Record<string, string>>, builds: 0 };
  const docker = (args: readonly string[], write: (value: object) => void): ReturnType<Docker> => {
    seen.builds += 1;
    seen.labels = Object.fromEntries(
      args.flatMap((word, index) => (args[index - 1] === '--label' ? [word.split(/=(.*)/s).slice(0, 2)] : [])),
    ) as Record<string, string>;
    write({ 'containerimage.digest': services.put(path, '', seen.labels, made).digest });
    return { code: 0, stdout: '', stderr: '' };
  };
  const inputs = { repository: `${services.host}/${path}`, tags: 'type=raw,value=tested', ...more };
  return {
    seen,
    run: (event: EventName = 'main', meanwhile: () => void = () => undefined): Promise<Played> =>
      play(services, {
        event,
        inputs,
        builder: BUILDER,
        docker(args, _config, write) {
          meanwhile();
          return docker(args, write);
        },
      }),
  };
}
const identityOf = ({ result }: Played): string => (result?.kind === 'built-only' ? '' : (result?.identity ?? ''));

type Labels = Readonly<Record<string, string>>;
test.each<
  [name: string, made: More, more: Labels, spoil: (at: string, tag: string, labels: Labels) => void, why: RegExp]
>([
  [
    'that lacks a platform',
    { platforms: BOTH },
    { platforms: BOTH.join() },
    (path, tag, labels) => void services.put(path, tag, labels),
    /cannot be used \(asked for linux\/amd64, linux\/arm64, the registry has linux\/amd64\)/,
  ],
  [
    'whose index has lost the image of a platform',
    { platforms: BOTH },
    { platforms: BOTH.join() },
    (path, tag, labels) =>
      services.lose(services.put(path, tag, { ...labels, lost: 'arm64' }, { platforms: BOTH }).parts[1] ?? ''),
    /cannot be used \(its image for linux\/arm64 \(sha256:[0-9a-f]{64}\) is not in the registry\)/,
  ],
  [
    'without the SBOM that is wanted',
    { attested: [SPDX] },
    { sbom: 'true' },
    (path, tag, labels) => void services.put(path, tag, labels),
    /cannot be used \(the registry has it without an SBOM\)/,
  ],
  [
    'without an annotation that is wanted',
    { annotations: { team: 'shop' } },
    { annotations: 'team=shop' },
    (path, tag, labels) => void services.put(path, tag, labels),
    /cannot be used \(the registry has it without the annotation team\)/,
  ],
])('an image of this commit and these inputs %s is not taken', async (name, made, more, spoil, why) => {
  const path = `reuse/${name.replaceAll(' ', '-').toLowerCase()}`;
  const { seen, run } = runOf(path, made, more);
  const first = await run();
  const again = await run();
  expect([first, again].map(({ result }) => result?.kind)).toEqual(['pushed', 'reused']);
  spoil(path, identityOf(first), seen.labels);
  const spoilt = services.tag(path, identityOf(first));
  const after = await run();
  expect(after.failure).toBe('');
  expect(after.result).toMatchObject({ kind: 'pushed' });
  expect(seen.builds).toBe(2);
  expect(after.log.warnings.join()).toMatch(why);
  // The name stays what it is, and what is built has another, by which the next run finds it.
  expect(services.tag(path, identityOf(first))).toBe(spoilt);
  expect(identityOf(after)).toMatch(/^sha-[0-9a-f]{40}-[0-9a-f]{12}$/);
  const last = await run();
  expect(last.result).toMatchObject({ kind: 'reused', identity: identityOf(after) });
});

test('an image whose commit is that of a label of the user is found by it', async () => {
  const labels = 'org.opencontainers.image.revision=0123456';
  const { seen, run } = runOf('reuse/label', {}, { labels });
  const runs = [await run(), await run()];
  expect(runs.map(({ result }) => result?.kind)).toEqual(['pushed', 'reused']);
  expect(seen.builds).toBe(1);
});

test('a version that is the identity tag moves to the image that is released under it, and is never left the old one', async () => {
  const path = 'reuse/version';
  const old = services.put(path, '1.2.3', { whose: 'an earlier build' }).digest;
  const { run } = runOf(path, {}, { tags: 'type=semver,pattern={{version}}', 'identity-tag': '{{version}}' });
  const { result, log, failure } = await run('release');
  expect(failure).toBe('');
  expect(result).toMatchObject({ kind: 'pushed', identity: expect.stringMatching(/^1\.2\.3-[0-9a-f]{12}$/) });
  const digest = result?.kind === 'pushed' ? result.image.digest : '';
  expect(['1.2.3', 'latest'].map((tag) => services.tag(path, tag))).toEqual([digest, digest]);
  expect(log.warnings.join()).toMatch(`is a version that was released before: it was ${old}`);
  expect(result).toMatchObject({ evidence: { tags: ['1.2.3', 'latest'] } });
});

test('a registry that shows a name some moments after it was given is waited for', async () => {
  const proxy = await startFaultProxy(services.host);
  const { run } = runOf('reuse/late', {}, { repository: `${proxy.host}/reuse/late` });
  // The look whether the name is free, and two after it was given.
  const late = (): void => proxy.break({ call: /^HEAD .*\/manifests\/sha-/, kind: { status: 404 }, times: 3 });
  const { result, failure } = await run('main', late);
  await proxy.close();
  expect(failure).toBe('');
  expect(result).toMatchObject({ kind: 'pushed', identity: expect.stringMatching(/^sha-[0-9a-f]{40}$/) });
});
