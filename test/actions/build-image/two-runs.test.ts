import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { ProgramResult } from '../../../src/ports/programs.ts';
import { startFaultProxy } from '../../../sandbox/engine/fault-proxy.ts';
import { closedPort } from '../../adapters/http/servers.ts';
import { type Docker, play } from './played.ts';
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
    const { digest } = services.put(path, seen.identity, labels);
    if (at === 'push') push(seen.identity);
    return { code: 0, stdout: named === 'digest' ? `x: digest: ${digest} size: 1` : 'pushed', stderr: '' };
  };
  return { docker, seen };
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
  ])('an image %s that came during the build stays', async (name, source, more) => {
    const path = `two/${name.replaceAll(' ', '-')}`;
    const { docker, seen } = beside(path, { at: 'build', source });
    const { commands, failure } = await play(services, { inputs: inputs(path, more), docker });
    expect(failure).toMatch(/was not pushed: another run gave this name to another image/);
    expect(commands.map(([command]) => command)).toEqual(['build']);
    expect([seen.identity, 'tested'].map((tag) => services.tag(path, tag))).toEqual([seen.other, undefined]);
  });

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
    const { docker } = beside(path, { at: 'push', source: 'other', named });
    const { result, failure } = await play(services, { inputs: inputs(path), docker });
    expect(result).toBeUndefined();
    expect(failure).toMatch(
      named === 'digest' ? /is not the image that was pushed/ : /is not the image that was built/,
    );
    expect(services.tag(path, 'tested')).toBeUndefined();
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
      // The name is another run's by now: its image is pushed, and its digest is said.
      const { digest } = services.put(path, identity, { run: 'other' });
      return { code: 0, stdout: `${identity}: digest: ${digest} size: 1`, stderr: '' };
    };
    const { result, failure, local } = await play(services, { inputs: inputs(path), docker });
    expect(result).toBeUndefined();
    expect(failure).toMatch(/is not the image that was built.*another run gave it this name.*No other tag was set/);
    expect(services.tag(path, 'tested')).toBeUndefined();
    expect(built).not.toContain(identity);
    const id = /^sha256:[0-9a-f]{64}$/.exec(local[1]?.split(' ')[1] ?? '')?.[0];
    expect(local).toEqual([
      `image inspect --format {{.Id}} ${built}`,
      `tag ${id} ${services.host}/${path}:${identity}`,
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
  });

  test.each<[name: string, source: 'same' | 'other']>([
    ['of the same source is taken', 'same'],
    ['of another source stays', 'other'],
  ])('an image %s, and that of this builder has no name', async (name, source) => {
    const path = `two/digest-${name.replaceAll(' ', '-')}`;
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
    const { result, failure } = await play(services, { inputs: inputs(path), builder: CONTAINER, docker });
    expect(services.tag(path, seen.identity)).toBe(seen.other);
    expect(result?.kind).toBe(source === 'same' ? 'reused' : undefined);
    expect(failure).toMatch(source === 'same' ? /^$/ : /another run gave this name to another image/);
    expect(tagged(path)).toEqual(source === 'same' ? ['tested'] : []);
  });

  test('a builder that needs no engine here builds, however little room is here', async () => {
    const {
      result,
      failure,
      log: said,
    } = await play(services, {
      inputs: inputs('two/elsewhere'),
      builder: 'Name:   b\nDriver: kubernetes\n\nNodes:\nName: b0\nStatus: inactive\n',
      info: { ServerErrors: ['Cannot connect to the Docker daemon'] },
      freeBytes: 1,
    });
    expect(failure).toBe('');
    expect(result).toMatchObject({ kind: 'pushed' });
    expect(said.lines.join('\n')).toMatch(/No engine here, .*builder b \(driver kubernetes\)/);
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

  test('a name that moved after the image was read back is told, and before the tags it is an error', async () => {
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
    expect(early.failure).toMatch(/is no longer sha256:.*another run made it sha256:.*No other tag was set/s);
    expect(services.tag('two/early', 'tested')).toBeUndefined();
  });
});

describe('a registry that does not answer at the first look', () => {
  test.each<[name: string, more: Readonly<Record<string, string>>, isInput: boolean]>([
    ['is a failure, and no word against the inputs', {}, false],
    ['is one of the problems where an input is wrong as well', { sbom: 'true' }, true],
  ])('%s', async (_name, more, isInput) => {
    const repository = `127.0.0.1:${await closedPort()}/team/shop`;
    const played = await play(services, { inputs: inputs('down', { repository, ...more }) });
    expect(played.failure).toMatch(/repository: .*cannot be used: Could not look up/);
    expect(played.isInput).toBe(isInput);
    expect(played.commands).toEqual([]);
  });
});

describe('a registry that lets this job not in', () => {
  const DENIED = { status: 403, body: '{"errors":[{"code":"DENIED","message":"no"}]}' };
  test.each<[name: string, call: RegExp, what: RegExp]>([
    ['at the first look', /^(HEAD|GET) /, /Could not look up sha-/],
    ['when it is to push', /^POST .*\/blobs\/uploads\//, /Could not push to /],
  ])('%s is no word against the inputs, and is known before the build', async (_name, call, what) => {
    const proxy = await startFaultProxy(services.host);
    proxy.break({ call, kind: DENIED, times: 9 });
    const repository = `${proxy.host}/team/closed`;
    const played = await play(services, { inputs: inputs('closed', { repository }) });
    await proxy.close();
    expect(played.isInput).toBe(false);
    expect(played.failure).toMatch(/^The registry refuses this job: /);
    expect(played.failure).toMatch(what);
    expect(played.failure).toMatch(
      /refuses a visitor without a login the right to push, with status 403( \(DENIED: no\))?\. Nothing was built or changed\. Give the job the right to push/,
    );
    expect(played.commands).toEqual([]);
  });

  test('that answers what is not there as forbidden is built for, and its tags are set', async () => {
    const proxy = await startFaultProxy(services.host);
    proxy.break({ call: /^HEAD .*\/manifests\//, kind: 'missing-is-forbidden', times: 99 });
    const given = { inputs: inputs('virtual', { repository: `${proxy.host}/team/virtual` }) };
    const first = await play(services, given);
    const second = await play(services, given);
    await proxy.close();
    expect([first.failure, second.failure]).toEqual(['', '']);
    expect([first.result?.kind, second.result?.kind]).toEqual(['pushed', 'reused']);
    expect(services.tag('team/virtual', 'tested')).toMatch(/^sha256:/);
  });

  test('a repository that is not there is named with what to do, before the build', async () => {
    const proxy = await startFaultProxy(services.host);
    const unknown = { status: 404, body: '{"errors":[{"code":"NAME_UNKNOWN","message":"no such repository"}]}' };
    proxy.break({ call: /^POST .*\/blobs\/uploads\//, kind: unknown, times: 1 });
    const played = await play(services, { inputs: inputs('none', { repository: `${proxy.host}/team/none` }) });
    await proxy.close();
    expect(played.failure).toMatch(
      /repository: .*cannot be used: Could not push to .*NAME_UNKNOWN.*Create the repository/,
    );
    expect(played.isInput).toBe(true);
    expect(played.commands).toEqual([]);
  });
});

const log = (warnings: readonly string[]): string => warnings.join('\n');
