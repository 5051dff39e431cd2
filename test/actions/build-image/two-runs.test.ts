import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { INPUTS_LABEL } from '../../../src/domain/image-build/labels.ts';
import type { ProgramResult } from '../../../src/ports/programs.ts';
import { type Docker, hexOf, play } from './played.ts';
import { type Services, startServices } from './services.ts';

/** A limit for a machine that is busy, and no measure. */
jest.setTimeout(60_000);
let services: Services;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services.close());

const inputs = (path: string, more: Readonly<Record<string, string>> = {}) => ({
  repository: `${services.host}/${path}`,
  tags: 'type=raw,value=tested',
  ...more,
});
/** Of `docker build`, which the image of the other run has as well. */
const labelsOf = (args: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    args.flatMap((word, index) => {
      const [key = '', value = ''] = word.split(/=(.*)/s);
      return args[index - 1] === '--label' ? [[key, value]] : [];
    }),
  );

/** The client of one run, beside which another run pushes its image under the same name at a given moment. */
function beside(
  path: string,
  { at, source, named = 'digest' }: { at: 'build' | 'push'; source: 'same' | 'other'; named?: 'digest' | 'nothing' },
) {
  const seen = { other: '', identity: '' };
  let labels: Readonly<Record<string, string>> = {};
  const push = (tag: string): void => {
    seen.other = services.put(path, tag, source === 'same' ? { ...labels, run: 'other' } : { run: 'other' }).digest;
  };
  const docker: Docker = (args): ProgramResult | undefined => {
    if (args[0] === 'build') {
      labels = labelsOf(args);
      seen.identity = `sha-${labels['org.opencontainers.image.revision']}`;
      if (at === 'build') push(seen.identity);
      return undefined;
    }
    const tag = args[1]?.split(':').at(-1) ?? '';
    const { digest } = services.put(path, tag, labels);
    if (at === 'push' && tag === seen.identity) push(tag);
    return { code: 0, stdout: named === 'digest' ? `x: digest: ${digest} size: 1` : 'pushed', stderr: '' };
  };
  return { docker, seen };
}

type Result = Awaited<ReturnType<typeof play>>['result'];
const identityOf = (result: Result): string => (result?.kind === 'built-only' ? '' : (result?.identity ?? ''));
const digestOf = (result: Result): string | undefined =>
  result?.kind === 'built-only' ? undefined : result?.image.digest;
/** The name of what this run has pushed, and nothing else. */
function pushedAs(result: Result): string {
  expect(result?.kind).toBe('pushed');
  return identityOf(result);
}

describe('two runs of one commit at once', () => {
  test('the one that comes second takes the image of the first, and pushes nothing', async () => {
    const { docker, seen } = beside('two/first', { at: 'build', source: 'same' });
    const { result, commands, local, log, failure } = await play(services, { inputs: inputs('two/first'), docker });
    expect(local.at(-1)).toMatch(/^image rm /);
    expect(failure).toBe('');
    expect(commands.map(([command]) => command)).toEqual(['build']);
    expect(result).toMatchObject({ kind: 'reused', image: { digest: seen.other } });
    expect([seen.identity, 'tested'].map((tag) => services.tag('two/first', tag))).toEqual([seen.other, seen.other]);
    expect(log.warnings.join()).toMatch(/was pushed by another run while this one built: that image is taken/);
  });

  test.each<[name: string, source: 'same' | 'other', more: Readonly<Record<string, string>>]>([
    ['of another source', 'other', {}],
    ['that this run may not take', 'same', { reuse: 'never' }],
  ])(
    'an image %s that came during the build stays, and this one gets a name of its own',
    async (name, source, more) => {
      const path = `two/${name.replaceAll(' ', '-')}`;
      const { docker, seen } = beside(path, { at: 'build', source });
      const { commands, result, log } = await play(services, { inputs: inputs(path, more), docker });
      const identity = pushedAs(result);
      expect(identity).toMatch(new RegExp(`^${seen.identity}-[0-9a-f]{12}$`));
      expect(commands.map(([command]) => command)).toEqual(['build', 'push']);
      expect(services.tag(path, seen.identity)).toBe(seen.other);
      expect([identity, 'tested'].map((tag) => services.tag(path, tag))).toEqual(Array(2).fill(digestOf(result)));
      expect(log.warnings.join()).toMatch(
        `was given to another image while this one was built; this image is ${identity}`,
      );
    },
  );

  test('a run that takes no image that is there has names for three builds, and says so before the fourth', async () => {
    const played = [];
    for (let build = 1; build <= 4; build += 1)
      played.push(await play(services, { inputs: inputs('two/never', { reuse: 'never' }) }));
    const names = played.flatMap(({ result }) => (result?.kind === 'pushed' ? [result.identity] : []));
    expect(
      names.map((name) => name.replace(/^sha-[0-9a-f]{40}/, '<sha>').replace(/-[0-9a-f]{12}/, '-<source>')),
    ).toEqual(['<sha>', '<sha>-<source>', '<sha>-<source>-4711-1']);
    expect(played[3]?.failure).toMatch(
      /There is no name for this image.*Nothing was built.*an identity-tag of its own/,
    );
    expect(played[3]?.commands).toEqual([]);
  });

  test('what another run pushed over the image is taken, so that both runs end with one', async () => {
    const { docker, seen } = beside('two/over', { at: 'push', source: 'same' });
    const { result, log } = await play(services, { inputs: inputs('two/over'), docker });
    expect(result).toMatchObject({ kind: 'reused', image: { digest: seen.other }, evidence: { builtBy: null } });
    expect(services.tag('two/over', 'tested')).toBe(seen.other);
    expect(log.warnings.join()).toMatch(/of another run by now, and no longer sha256:/);
  });

  test.each<[name: string, named: 'digest' | 'nothing']>([
    ['named', 'digest'],
    ['not named', 'nothing'],
  ])('an image of another source is never taken for the pushed one, its digest %s', async (_name, named) => {
    const path = `two/${named}`;
    const { docker, seen } = beside(path, { at: 'push', source: 'other', named });
    const { result, commands } = await play(services, { inputs: inputs(path), docker });
    const identity = pushedAs(result);
    expect(commands.map(([command]) => command)).toEqual(['build', 'push', 'push']);
    expect(services.tag(path, seen.identity)).toBe(seen.other);
    expect([identity, 'tested'].map((tag) => services.tag(path, tag))).toEqual(Array(2).fill(digestOf(result)));
  });

  test.each<[name: string, named: 'digest' | 'nothing', why: RegExp]>([
    ['named', 'digest', /is not the image that was pushed: the registry has sha256/],
    ['not named', 'nothing', /is not the image that was built.*another run gave it this name/],
  ])('where every name comes to another image it is red, its digest %s', async (_name, named, why) => {
    const path = `two/every-${named}`;
    const docker: Docker = (args) => {
      if (args[0] !== 'push') return undefined;
      const { digest } = services.put(path, 'mine', { tried: args[1] ?? '' });
      services.put(path, args[1]?.split(':').at(-1) ?? '', { run: 'other' });
      return { code: 0, stdout: named === 'digest' ? `x: digest: ${digest} size: 1` : 'pushed', stderr: '' };
    };
    const { result, failure } = await play(services, { inputs: inputs(path), docker });
    expect(result).toBeUndefined();
    expect(failure).toMatch(why);
    expect(failure).toMatch(/No other tag was set/);
    expect(services.tag(path, 'tested')).toBeUndefined();
  });

  test.each<[name: string, source: 'same' | 'other', kind: string]>([
    ['of the same source is taken', 'same', 'reused'],
    ['of another source stays', 'other', 'pushed'],
  ])('where tags are immutable, an image that was quicker %s', async (_name, source, kind) => {
    const path = `two/immutable-${source}`;
    const seen = { identity: '', other: '' };
    let labels: Readonly<Record<string, string>> = {};
    const docker: Docker = (args) => {
      if (args[0] === 'build') labels = labelsOf(args);
      if (args[0] !== 'push' || seen.other !== '') return undefined;
      seen.identity = args[1]?.split(':').at(-1) ?? '';
      seen.other = services.put(path, seen.identity, source === 'same' ? { ...labels, run: 'other' } : {}).digest;
      return { code: 1, stdout: '', stderr: 'tag invalid: the tag cannot be overwritten: the repository is immutable' };
    };
    const { result, failure } = await play(services, { inputs: inputs(path), docker });
    expect(failure).toBe('');
    expect(result?.kind).toBe(kind);
    expect(services.tag(path, seen.identity)).toBe(seen.other);
    expect(services.tag(path, 'tested')).toBe(digestOf(result));
    expect(digestOf(result) === seen.other).toBe(source === 'same');
  });

  test('an engine that names no digest is believed by the labels of what is there', async () => {
    const docker: Docker = (args) => {
      if (args[0] !== 'push') return undefined;
      return { code: 0, stdout: 'pushed', stderr: '' };
    };
    const first = await play(services, { inputs: inputs('two/unnamed'), docker });
    expect(first.failure).toMatch(/the registry has no such image after the push/);
    const { docker: silent, seen } = beside('two/unnamed', { at: 'push', source: 'same', named: 'nothing' });
    const second = await play(services, { inputs: inputs('two/unnamed'), docker: silent });
    // Its id says that it is that of the other run.
    expect(second.result).toMatchObject({ kind: 'reused', image: { digest: seen.other } });
  });

  test('is built under a name of its own, which is gone afterwards; what the engine pushed of another is found out', async () => {
    let [built, identity] = ['', ''];
    const path = 'two/engine';
    const docker: Docker = (args) => {
      if (args[0] === 'build') {
        built = args[args.indexOf('--tag') + 1] ?? '';
        identity = `sha-${labelsOf(args)['org.opencontainers.image.revision']}`;
        return undefined;
      }
      if (args[1]?.endsWith(`:${identity}`) !== true) return undefined;
      // The name is another run's by now: its image is pushed, and its digest is said.
      const { digest } = services.put(path, identity, { run: 'other' });
      return { code: 0, stdout: `${identity}: digest: ${digest} size: 1`, stderr: '' };
    };
    const { result, local } = await play(services, { inputs: inputs(path), docker });
    const own = pushedAs(result);
    expect(services.tag(path, 'tested')).toBe(digestOf(result));
    expect(services.tag(path, 'tested')).not.toBe(services.tag(path, identity));
    expect(built).not.toContain(identity);
    const id = /^sha256:[0-9a-f]{64}$/.exec(local[1]?.split(' ')[1] ?? '')?.[0];
    expect(local).toEqual([
      `image inspect --format {{.Id}} ${built}`,
      `tag ${id} ${services.host}/${path}:${identity}`,
      `tag ${id} ${services.host}/${path}:${own}`,
      `image rm --no-prune ${built}`,
    ]);
  });

  const CONTAINER = 'Name:   b\nDriver: docker-container\n\nNodes:\nName: b0\n';
  const tagged = (path: string): string[] =>
    services.calls
      .filter((call) => call.startsWith(`PUT /v2/${path}/manifests/`))
      .map((call) => call.split('/').at(-1) ?? '');

  test('a builder that can pushes by digest, and the name is given when it is still free', async () => {
    const { result, commands } = await play(services, { inputs: inputs('two/alone'), builder: CONTAINER });
    expect(result).toMatchObject({ kind: 'pushed' });
    const identity = result?.kind === 'pushed' ? result.identity : '';
    expect(commands.map((args) => args.slice(0, 2).join(' '))).toEqual(['buildx build']);
    expect(commands.join(' ')).not.toContain(identity);
    expect(tagged('two/alone')).toEqual([identity, 'tested']);
    // Nothing is between the look at the name and the write.
    const named = services.calls.indexOf(`PUT /v2/two/alone/manifests/${identity}`);
    expect(services.calls[named - 1]).toBe(`HEAD /v2/two/alone/manifests/${identity}`);
  });

  test.each<[name: string, source: 'same' | 'other']>([
    ['of the same source is taken, and that of this builder has no name', 'same'],
    ['of another source stays, and that of this builder gets another name', 'other'],
  ])('an image %s', async (_name, source) => {
    const path = `two/digest-${source}`;
    const seen = { other: '', identity: '' };
    const docker: Docker = (args) => {
      seen.identity = `sha-${labelsOf(args)['org.opencontainers.image.revision']}`;
      seen.other = services.put(
        path,
        seen.identity,
        source === 'same' ? { ...labelsOf(args), run: 'other' } : {},
      ).digest;
      return undefined;
    };
    const { result } = await play(services, { inputs: inputs(path), builder: CONTAINER, docker });
    expect(services.tag(path, seen.identity)).toBe(seen.other);
    expect(result?.kind).toBe(source === 'same' ? 'reused' : 'pushed');
    expect(tagged(path)).toEqual(source === 'same' ? ['tested'] : [identityOf(result), 'tested']);
    expect(services.tag(path, 'tested')).toBe(digestOf(result));
  });

  const NODES = 'Name:   b\nDriver: docker-container\n\nNodes:\nName: b0\nName: b1\n';
  test.each<[name: string, after: 'nothing' | 'other' | 'same', kind: string]>([
    ['has the name that it set', 'nothing', 'pushed'],
    ['gets another name where another source has that by then', 'other', 'pushed'],
    ['is not taken where the same source has the name by then', 'same', 'reused'],
  ])('an image of a builder of several nodes %s', async (_name, after, kind) => {
    const path = `two/nodes-${after}`;
    const seen = { other: '', identity: '' };
    const docker: Docker = (args, _config, write) => {
      const labels = labelsOf(args);
      seen.identity = args[args.indexOf('--tag') + 1]?.split(':').at(-1) ?? '';
      write({ 'containerimage.digest': services.put(path, seen.identity, labels).digest });
      if (after !== 'nothing')
        seen.other = services.put(path, seen.identity, after === 'same' ? { ...labels, run: 'other' } : {}).digest;
      return { code: 0, stdout: '', stderr: '' };
    };
    const { result, commands } = await play(services, { inputs: inputs(path), builder: NODES, docker });
    expect(commands).toHaveLength(1);
    expect(result?.kind).toBe(kind);
    expect(identityOf(result) === seen.identity).toBe(after !== 'other');
    expect(services.tag(path, 'tested')).toBe(digestOf(result));
    expect(digestOf(result) === seen.other).toBe(after === 'same');
  });

  test('what is not for the platforms that were asked for gets no name', async () => {
    const more = { platforms: 'linux/amd64,linux/arm64' };
    const { failure } = await play(services, { inputs: inputs('two/half', more), builder: CONTAINER });
    expect(failure).toMatch(/is not for the platforms that were asked for/);
    expect(tagged('two/half')).toEqual([]);
  });

  test('buildx that names no digest has pushed nothing that anybody could believe', async () => {
    const docker: Docker = () => ({ code: 0, stdout: '', stderr: '' });
    const { failure } = await play(services, { inputs: inputs('two/silent'), builder: CONTAINER, docker });
    expect(failure).toMatch(/buildx named no digest/);
    expect(tagged('two/silent')).toEqual([]);
  });

  test('a name that moved after the image was read back is told, and before the tags the image gets another', async () => {
    let moved = '';
    services.onPut = (path, reference) => {
      if (path === 'two/late' && reference === 'tested') moved = services.put(path, identity, { run: 'late' }).digest;
    };
    let identity = '';
    const docker: Docker = (args) => {
      if (args[0] === 'build') identity = `sha-${labelsOf(args)['org.opencontainers.image.revision']}`;
      return undefined;
    };
    const late = await play(services, { inputs: inputs('two/late'), docker });
    services.onPut = () => undefined;
    expect(late.result).toMatchObject({ kind: 'pushed' });
    expect(moved).not.toBe('');
    expect(log(late.log.warnings)).toContain(`is ${moved} by now, which is of another run`);

    const early = await play(services, {
      inputs: inputs('two/early'),
      docker,
      scan: () => services.put('two/early', identity, { run: 'early' }),
    });
    expect(log(early.log.warnings)).toMatch(
      /is sha256:\S+ of another run by now; this image is sha-[0-9a-f]{40}-[0-9a-f]{12}$/m,
    );
    expect(['tested', pushedAs(early.result)].map((tag) => services.tag('two/early', tag))).toEqual(
      Array(2).fill(digestOf(early.result)),
    );
    expect(services.tag('two/early', identity)).not.toBe(digestOf(early.result));
    expect(early.result).toMatchObject({ evidence: { identityTag: pushedAs(early.result) } });
  });

  test('an image whose names all are of others by then is not tagged', async () => {
    let labels: Readonly<Record<string, string>> = {};
    const docker: Docker = (args) => {
      if (args[0] === 'build') labels = labelsOf(args);
      return undefined;
    };
    const scan = (): void => {
      const { 'org.opencontainers.image.revision': commit, [INPUTS_LABEL]: source } = labels;
      const end = hexOf(`${commit} ${source}`).slice(0, 12);
      for (const name of [`sha-${commit}`, `sha-${commit}-${end}`, `sha-${commit}-${end}-4711-1`])
        services.put('two/none-left', name, { run: name });
    };
    const { failure } = await play(services, { inputs: inputs('two/none-left'), docker, scan });
    expect(failure).toMatch(/is no longer sha256:.*another run made it sha256:.*No other tag was set/s);
    expect(services.tag('two/none-left', 'tested')).toBeUndefined();
  });
});

const log = (warnings: readonly string[]): string => warnings.join('\n');
