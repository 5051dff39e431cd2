import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { startFaultProxy } from '../../../sandbox/engine/fault-proxy.ts';
import { closedPort } from '../../adapters/http/servers.ts';
import { play } from './played.ts';
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

test('a builder that needs no engine here builds, however little room is here', async () => {
  const { result, failure, log } = await play(services, {
    inputs: inputs('elsewhere'),
    builder: 'Name:   b\nDriver: kubernetes\n\nNodes:\nName: b0\nStatus: inactive\n',
    info: { ServerErrors: ['Cannot connect to the Docker daemon'] },
    freeBytes: 1,
  });
  expect(failure).toBe('');
  expect(result).toMatchObject({ kind: 'pushed' });
  expect(log.lines.join('\n')).toMatch(/No engine here, .*builder b \(driver kubernetes\)/);
});
