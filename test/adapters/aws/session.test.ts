import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type AwsSession, awsSession, type SessionRequest } from '../../../src/adapters/aws/session.ts';
import { type Instant, instant, minutes } from '../../../src/domain/duration.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { recordingLog } from '../../fakes/log.ts';
import { type Wire, type WireAnswer, type WireCall, startWire } from './wire.ts';

const ROLE = 'arn:aws:iam::111122223333:role/deploy';
const NOW = Date.UTC(2026, 10, 20, 12);
const identity = (account = '111122223333'): WireAnswer => ({
  body: `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::${account}:assumed-role/deploy/s</Arn><Account>${account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
});
const assumed = (ordinal: number): WireAnswer => ({
  body: `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AKIA${ordinal}</AccessKeyId><SecretAccessKey>secret-${ordinal}</SecretAccessKey><SessionToken>session-${ordinal}</SessionToken><Expiration>${new Date(NOW + ordinal * 3_600_000).toISOString()}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
});
/** GitHub's token service and STS behind one address. */
const cloud = (call: WireCall, ordinal: number): WireAnswer => {
  const answers: Record<string, WireAnswer> = {
    GetCallerIdentity: identity(),
    AssumeRoleWithWebIdentity: assumed(ordinal),
  };
  return answers[call.operation] ?? { body: { value: `jwt-${ordinal}` } };
};

let wire: Wire | undefined;
const before = { ...process.env };
beforeEach(() => {
  process.env = {
    ...before,
    AWS_ACCESS_KEY_ID: 'AKIAENV',
    AWS_SECRET_ACCESS_KEY: 'env-secret',
    AWS_SESSION_TOKEN: 'env-session',
  };
});
afterEach(async () => {
  await wire?.close();
  wire = undefined;
  process.env = before;
});

interface Scene {
  readonly session: Promise<AwsSession>;
  readonly wire: Wire;
  readonly masked: readonly string[];
  readonly warnings: () => readonly string[];
  readonly sleeps: readonly number[];
  setNow(moment: Instant): void;
}

async function open(
  request: SessionRequest,
  answer: (call: WireCall, ordinal: number) => WireAnswer | 'reset' = cloud,
  environment: Record<string, string> = {},
): Promise<Scene> {
  wire = await startWire(answer);
  process.env['AWS_ENDPOINT_URL'] = wire.url;
  const masked: string[] = [];
  const sleeps: number[] = [];
  const log = recordingLog();
  let now = instant(NOW);
  const clock: Clock = { now: () => now, sleep: (length) => Promise.resolve(void sleeps.push(length)) };
  const known: Record<string, string> = {
    ACTIONS_ID_TOKEN_REQUEST_URL: `${wire.url}/token?api-version=2`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token',
    ...environment,
  };
  const tools = {
    clock,
    log,
    run: { runId: '100', attempt: 2 },
    mask: (value: string) => void masked.push(value),
    environment: (name: string) => known[name] || undefined,
  };
  const session = awsSession(request, tools, new AbortController().signal);
  session.catch(() => undefined);
  return { session, wire, masked, sleeps, warnings: () => log.warnings, setNow: (moment) => (now = moment) };
}

describe('a session', () => {
  test('takes the credentials of the environment when no role is given, and masks them', async () => {
    const { session, masked, wire: asked } = await open({ region: 'us-west-2' });
    expect(await session).toMatchObject({
      region: 'us-west-2',
      accountId: '111122223333',
      principal: 'arn:aws:sts::111122223333:assumed-role/deploy/s',
    });
    expect(masked).toEqual(['env-secret', 'env-session']);
    expect(asked.calls.map(({ operation }) => operation)).toEqual(['GetCallerIdentity']);
  });

  const regions = [
    {
      name: 'the input',
      request: { region: 'eu-west-1' },
      environment: { AWS_REGION: 'us-east-1' },
      region: 'eu-west-1',
    },
    {
      name: 'AWS_REGION',
      request: {},
      environment: { AWS_REGION: 'us-east-1', AWS_DEFAULT_REGION: 'us-east-2' },
      region: 'us-east-1',
    },
    { name: 'AWS_DEFAULT_REGION', request: {}, environment: { AWS_DEFAULT_REGION: 'us-east-2' }, region: 'us-east-2' },
  ];
  test.each(regions)('takes its region from $name', async ({ request, environment, region }) => {
    expect((await (await open(request, cloud, environment)).session).region).toBe(region);
  });

  test('without a region says where to set one', async () => {
    await expect((await open({})).session).rejects.toThrow(
      'No AWS region is set. Set the input region, or AWS_REGION in the environment.',
    );
  });

  test('in a foreign account is refused before anything else, with the account and the allowed ones', async () => {
    const { session, wire: asked } = await open({
      region: 'us-west-2',
      allowedAccountIds: ['444455556666', '777788889999'],
    });
    await expect(session).rejects.toThrow(
      'AWS account 111122223333 is not allowed: the credentials belong to arn:aws:sts::111122223333:assumed-role/deploy/s, and allowed-account-ids has 444455556666, 777788889999. Nothing was read or changed there.',
    );
    expect(asked.calls).toHaveLength(1);
  });

  test('in an allowed account opens', async () => {
    expect((await (await open({ region: 'us-west-2', allowedAccountIds: ['111122223333'] })).session).accountId).toBe(
      '111122223333',
    );
  });
});

describe('a role that is assumed', () => {
  test("gets the runner's token for STS, a session that names the run, and masks all of it", async () => {
    const { session, masked, wire: asked } = await open({ region: 'us-west-2', roleToAssume: ROLE });
    await session;
    const [token, assume, who] = asked.calls;
    expect(token?.url).toBe('/token?api-version=2&audience=sts.amazonaws.com');
    expect(token?.headers['authorization']).toBe('Bearer request-token');
    expect(Object.fromEntries(new URLSearchParams(assume?.body))).toMatchObject({
      RoleArn: ROLE,
      RoleSessionName: 'sluice-100-2',
      WebIdentityToken: 'jwt-1',
    });
    expect(assume?.headers['authorization']).toBeUndefined();
    expect(who?.headers['authorization']).toContain('Credential=AKIA1/');
    expect(masked).toEqual(['jwt-1', 'AKIA1', 'secret-1', 'session-1']);
  });

  test('is renewed before its end, with a fresh token, and only then', async () => {
    const { session, setNow, wire: asked } = await open({ region: 'us-west-2', roleToAssume: ROLE });
    const { credentials } = await session;
    const assumptions = () => asked.calls.filter(({ operation }) => operation === 'AssumeRoleWithWebIdentity');
    setNow(instant(NOW + minutes(53)));
    await credentials();
    expect(assumptions()).toHaveLength(1);
    setNow(instant(NOW + minutes(55)));
    const [one, other] = await Promise.all([credentials(), credentials()]);
    expect([one.accessKeyId, other.accessKeyId]).toEqual(['AKIA2', 'AKIA2']);
    expect(assumptions().map(({ body }) => new URLSearchParams(body).get('WebIdentityToken'))).toEqual([
      'jwt-1',
      'jwt-2',
    ]);
  });

  test('that cannot be renewed goes on with what is still valid, and fails when it is not', async () => {
    const down = (call: WireCall, ordinal: number): WireAnswer =>
      call.operation === 'AssumeRoleWithWebIdentity' && ordinal > 1
        ? {
            status: 400,
            body: '<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>',
          }
        : cloud(call, ordinal);
    const { session, setNow, warnings } = await open({ region: 'us-west-2', roleToAssume: ROLE }, down);
    const { credentials } = await session;
    setNow(instant(NOW + minutes(55)));
    expect((await credentials()).accessKeyId).toBe('AKIA1');
    expect(warnings()[0]).toContain('The credentials could not be renewed and are still valid');
    setNow(instant(NOW + minutes(61)));
    await expect(credentials()).rejects.toMatchObject({ kind: 'access-denied' });
  });

  test('without the permission for a token says which one the job needs', async () => {
    const { session } = await open({ region: 'us-west-2', roleToAssume: ROLE }, cloud, {
      ACTIONS_ID_TOKEN_REQUEST_URL: '',
    });
    await expect(session).rejects.toThrow(
      'Could not assume role arn:aws:iam::111122223333:role/deploy: the job may not ask GitHub for an OIDC token. Give the job `permissions: id-token: write`',
    );
  });

  test('whose trust policy refuses says what to check, after one attempt', async () => {
    const refuses = (call: WireCall, ordinal: number): WireAnswer =>
      call.operation === 'AssumeRoleWithWebIdentity'
        ? {
            status: 403,
            body: '<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>',
          }
        : cloud(call, ordinal);
    const { session, wire: asked } = await open({ region: 'us-west-2', roleToAssume: ROLE }, refuses);
    await expect(session).rejects.toThrow(
      'Could not assume role arn:aws:iam::111122223333:role/deploy: access denied for sts:AssumeRoleWithWebIdentity. Check that its trust policy names this repository',
    );
    expect(asked.calls.filter(({ operation }) => operation === 'AssumeRoleWithWebIdentity')).toHaveLength(1);
  });

  test('waits for a token service that is down for a moment', async () => {
    const flaky = (call: WireCall, ordinal: number): WireAnswer =>
      call.operation.startsWith('/token') && ordinal < 3 ? { status: 503, body: 'down' } : cloud(call, ordinal);
    const { session, sleeps } = await open({ region: 'us-west-2', roleToAssume: ROLE }, flaky);
    expect((await session).accountId).toBe('111122223333');
    expect(sleeps).toEqual([1_000, 2_000]);
  });
});
