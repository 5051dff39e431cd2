import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startFaultProxy } from '../../../sandbox/engine/fault-proxy.ts';
import { clientConfig } from '../../../src/adapters/aws/client-config.ts';
import { ecrCredentials } from '../../../src/adapters/aws/ecr-login.ts';
import { ecrScanner } from '../../../src/adapters/aws/ecr-scanner.ts';
import { days, instant } from '../../../src/domain/duration.ts';
import { ignoreLine, ignoreUses } from '../../../src/domain/image-scan/ignore.ts';
import { refusal, startWire } from '../../adapters/aws/wire.ts';
import { closedPort } from '../../adapters/http/servers.ts';
import { SHA } from '../../domain/tags/events.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { type Docker, type Play, ended, hexOf, play } from './played.ts';
import { ECR_HOST, type Services, startServices } from './services.ts';

/** Some rows are a process of their own; a limit for a machine that is busy, and no measure. */
jest.setTimeout(60_000);
const README = readFileSync(join(import.meta.dirname, '../../../actions/build-image/README.md'), 'utf8');
const table = (README.split('## Troubleshooting')[1] ?? '').split('\n## ')[0] ?? '';
const rows = [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, message]) => message ?? '');

let services: Services;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services.close());

const here = (more: Readonly<Record<string, string>> = {}) => ({
  repository: `${services.host}/team/shop`,
  tags: 'type=raw,value=tested',
  ...more,
});
/** What is said of a build. */
const build = async (given: Partial<Play> = {}, host?: string): Promise<string> => {
  const inputs = { ...here(host === undefined ? {} : { repository: `${host}/team/shop` }), ...given.inputs };
  const { failure, log } = await play(services, { ...given, inputs });
  return [...log.lines, failure].join('\n');
};
/** What is said when the push ends so. */
const refused = (words: string, path: string): Promise<string> =>
  build({
    inputs: here({ repository: `${services.host}/${path}` }),
    docker: (args) => (args[0] === 'push' ? ended(1, words) : undefined),
  });
/** What the whole step says. */
const step = async (inputs: Readonly<Record<string, string>>): Promise<string> =>
  (
    await runBundle({
      action: 'build-image',
      inputs: { token: 'ghs_test', ...here(), ...inputs },
      env: services.env,
      files: { Dockerfile: 'FROM scratch\nRUN --mount=type=secret,id=pip,required=false true\n' },
    })
  ).stdout;

const NOW = instant(Date.UTC(2026, 10, 25));
const DIGEST = `sha256:${hexOf('another image')}`;
/** A push that reached the registry under another digest than the engine says. */
const liar: Docker = (args) => {
  if (args[0] !== 'push') return undefined;
  services.put('team/lied', args[1]?.split(':').at(-1) ?? '', {});
  return { code: 0, stdout: `tested: digest: ${DIGEST} size: 1`, stderr: '' };
};
/** A cache that fails once, whatever is built. */
const brokenCache = (): Docker => {
  let times = 0;
  return () => ((times += 1) > 1 ? undefined : ended(1, 'ERROR: failed to configure registry cache importer: 500'));
};

async function ecrRefuses(): Promise<string> {
  const wire = await startWire(() => refusal('AccessDeniedException', 'is not authorized'));
  const credentials = () => Promise.resolve({ accessKeyId: 'AKIA', secretAccessKey: 'secret' });
  const config = { ...clientConfig('us-west-2', '1-1', credentials), endpoint: wire.url };
  const ask = ecrCredentials(
    { account: '123456789012', region: 'us-west-2' },
    { clientConfig: config },
    () => undefined,
  );
  const said = await ask('kept', new AbortController().signal).catch((thrown: unknown) => String(thrown));
  await wire.close();
  return String(said);
}

async function ecrCannotScan(): Promise<string> {
  const wire = await startWire(() => ({ body: { imageScanStatus: { status: 'UNSUPPORTED_IMAGE' } } }));
  const credentials = () => Promise.resolve({ accessKeyId: 'AKIA', secretAccessKey: 'secret' });
  const config = { ...clientConfig('us-west-2', '1-1', credentials), endpoint: wire.url };
  const image = { host: ECR_HOST, path: 'team/shop', digest: DIGEST, platform: 'linux/amd64' };
  const state = await ecrScanner(() => Promise.resolve(config)).look(image, new AbortController().signal);
  await wire.close();
  return JSON.stringify(state);
}

/** The registry answers another digest than the one that was put. */
async function anotherSetsTheTag(): Promise<string> {
  const proxy = await startFaultProxy(services.host);
  services.put('team/raced', 'tested', { whose: 'another' });
  const kind = { status: 201 };
  proxy.break({ call: /^PUT .*\/manifests\/tested/, kind, times: 1 });
  const said = await build({ inputs: here({ repository: `${proxy.host}/team/raced` }) });
  await proxy.close();
  return said;
}

/** What ends in the message of a row, whose dots stand for what differs. */
const TROUBLES: Readonly<Record<string, () => Promise<string> | string>> = {
  'no docker is on PATH': () => build({ clients: [] }),
  'no docker engine answers': () => build({ info: { ServerErrors: ['permission denied at docker.sock'] } }),
  'there is no engine of this kind': () => build({ inputs: here({ engine: 'buildx' }) }),
  '... is not possible with the docker driver of buildx': () =>
    build({ inputs: here({ annotations: 'a=b' }), builder: 'Name:   default\nDriver: docker\n' }),
  'buildx has no builder': () => build({ builder: ended(1, 'ERROR: no builder "nope" found') }),
  '... is not possible with the BuildKit of an old client': () => build({ inputs: here({ sbom: 'true' }) }),
  'MB free where it keeps its layers': () => build({ freeBytes: 1_000_000 }),
  '... looks like a secret': () => build({ inputs: here({ 'build-args': 'NPM_TOKEN=x' }) }),
  'is set by build-image itself': () => build({ inputs: here({ 'extra-args': '--push' }) }),
  '... is not set or empty': () => step({ 'secret-envs': 'npm=NPM_TOKEN' }),
  'comes to nothing on': () => build({ inputs: here({ tags: 'type=raw,value={{tag}}' }) }),
  'repository: ... cannot be used: Could not look up': async () => build({}, `127.0.0.1:${await closedPort()}`),
  'The registry refuses this job': async () => {
    const proxy = await startFaultProxy(services.host);
    proxy.break({ call: /^POST /, kind: { status: 403 }, times: 1 });
    const told = await build({}, proxy.host);
    await proxy.close();
    return told;
  },
  'access denied for ecr:...': ecrRefuses,
  'Could not push ... A tag that must not move is never overwritten': () =>
    refused('tag invalid: the repository is immutable', 'team/immutable'),
  'Could not push ... Give the job the right to push': () => refused('denied: permission_denied: write_package', 'team/denied'),
  'Could not push ... Create the repository': () => refused('name unknown: The repository does not exist', 'team/unknown'),
  'is there from another source, and stays': async () => {
    services.put('team/taken', `sha-${SHA}`, { whose: 'another' });
    return build({ inputs: here({ repository: `${services.host}/team/taken` }) });
  },
  'is not the image that was pushed': () =>
    build({ inputs: here({ repository: `${services.host}/team/lied` }), docker: liar }),
  'was given to another image while this one was built': () =>
    build({
      inputs: here({ repository: `${services.host}/team/quicker` }),
      docker: (args) => {
        if (args[0] === 'build') services.put('team/quicker', `sha-${SHA}`, { whose: 'another' });
        return undefined;
      },
    }),
  'is not for the platforms that were asked for': () =>
    build({ inputs: here({ repository: `${services.host}/team/arm`, platforms: 'linux/arm64' }) }),
  'is not what was put there': anotherSetsTheTag,
  'The cache failed; the build is made again without it': () =>
    build({
      inputs: here({ repository: `${services.host}/team/cached`, 'cache-from': 'type=registry,ref=r/cache' }),
      docker: brokenCache(),
    }),
  '... is left where it is: ... is newer than': () => {
    services.put('team/released', '2.0.0', {});
    return build({
      event: 'release',
      inputs: here({ repository: `${services.host}/team/released`, tags: 'type=semver,pattern={{version}}' }),
    });
  },
  'ECR says UNSUPPORTED_IMAGE': ecrCannotScan,
  '... ended on ...: its finding counts again': () => {
    const entry = { id: 'CVE-1', reason: 'only the client', owner: 'alice', expires: instant(NOW - days(1)) };
    return ignoreUses([entry], [], NOW).map(ignoreLine).join('\n');
  },
  'is not what trivy-sha256 says': () => {
    services.files.set(`/t/v0.69.1/trivy_0.69.1_Linux-${process.arch === 'arm64' ? 'ARM64' : '64bit'}.tar.gz`, Buffer.from('x'));
    const trivy = { 'trivy-version': '0.69.1', 'trivy-sha256': hexOf('y'), 'trivy-url': `${services.url}/t` };
    return step({ scan: 'trivy', ...trivy });
  },
  'Could not read ... of the default branch': () =>
    step({ repository: `${ECR_HOST}/team/shop`, scan: 'ecr', 'scan-ignore': '.github/scan-ignore.yml' }),
  '... cannot be cleaned up': () => step({ mode: 'cleanup', repository: 'docker.io/acme/shop' }),
}; // prettier-ignore

test.each(Object.entries(TROUBLES))('%s', async (message, when) => {
  const said = await when();
  const pattern = message.split('...').map((part) => part.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  expect(said).toMatch(new RegExp(pattern.join('[^]*?')));
});

test('every row of the README is shown here, and nothing else', () => {
  expect(rows).toEqual(Object.keys(TROUBLES));
});
