import { afterEach, describe, expect, test } from '@jest/globals';
import { instant } from '../../../src/domain/duration.ts';
import { deployRoomOf } from '../../../src/adapters/aws/deploy-room.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { type Wire, type WireAnswer, type WireCall, startWire } from './wire.ts';

const ROLE = 'arn:aws:iam::111122223333:role/service/web';
const { signal } = new AbortController();
const wires: Wire[] = [];
afterEach(async () => {
  for (const wire of wires.splice(0)) await wire.close();
});

async function roomOver(answer: (call: WireCall, ordinal: number) => WireAnswer | 'reset') {
  const opened = await startWire(answer);
  wires.push(opened);
  const sleeps: number[] = [];
  const clock: Clock = {
    now: () => instant(Date.UTC(2026, 10, 20, 12)),
    sleep: (length) => Promise.resolve(void sleeps.push(length)),
  };
  const session = {
    accountId: '111122223333',
    region: 'us-west-2',
    credentials: () => Promise.resolve({ accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'session' }),
    endpointOf: () => opened.url,
  };
  return { room: deployRoomOf(session, clock), calls: opened.calls, sleeps };
}

const xmlError = (code: string, message: string, status = 400): WireAnswer => ({
  status,
  body: `<ErrorResponse><Error><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
});
const denied = (): WireAnswer =>
  xmlError('AccessDenied', 'User: arn:aws:sts::1:assumed-role/deploy/s is not authorized to perform: iam:GetRole', 403);

describe('a role', () => {
  const found = (arn: string) => (): WireAnswer => ({
    body: `<GetRoleResponse><Role><Arn>${arn}</Arn></Role></GetRoleResponse>`,
  });

  test('is asked for by its name, at the one place where IAM answers', async () => {
    const { room, calls } = await roomOver(found(ROLE));
    expect(await room.role(ROLE, signal)).toEqual({ kind: 'there' });
    expect(Object.fromEntries(new URLSearchParams(calls[0]?.body))).toEqual({
      Action: 'GetRole',
      Version: '2010-05-08',
      RoleName: 'web',
    });
    const { authorization, 'x-amz-security-token': token } = calls[0]?.headers ?? {};
    expect(authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKID\/20261120\/us-east-1\/iam\/aws4_request, SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$/,
    );
    expect(token).toBe('session');
  });

  test('of another path is not the one that is named', async () => {
    const { room } = await roomOver(found('arn:aws:iam::111122223333:role/web'));
    expect(await room.role(ROLE, signal)).toEqual({
      kind: 'missing',
      why: 'does not exist; arn:aws:iam::111122223333:role/web does',
    });
  });

  test('that does not exist is missing', async () => {
    const { room } = await roomOver(() => xmlError('NoSuchEntity', 'The role with name web cannot be found.', 404));
    expect(await room.role(ROLE, signal)).toEqual({ kind: 'missing', why: 'does not exist' });
  });

  test('that may not be looked at is unknown, and is not asked for twice', async () => {
    const { room, calls } = await roomOver(denied);
    expect(await room.role(ROLE, signal)).toEqual({ kind: 'unknown', why: 'access denied for iam:GetRole' });
    expect(calls).toHaveLength(1);
  });

  test('of another account is not asked for', async () => {
    const { room, calls } = await roomOver(denied);
    expect(await room.role('arn:aws:iam::999988887777:role/web', signal)).toMatchObject({ kind: 'unknown' });
    expect(calls).toEqual([]);
  });

  test('is asked for again where that may help, three times in all', async () => {
    const throttled = () => xmlError('Throttling', 'Rate exceeded');
    const { room, calls, sleeps } = await roomOver((call, ordinal) => (ordinal < 3 ? throttled() : found(ROLE)()));
    expect(await room.role(ROLE, signal)).toEqual({ kind: 'there' });
    expect([calls.length, sleeps]).toEqual([3, [1_000, 2_000]]);
    const { room: never, calls: asked } = await roomOver(() => 'reset');
    expect(await never.role(ROLE, signal)).toMatchObject({ kind: 'unknown' });
    expect(asked).toHaveLength(3);
  });
});

describe('free addresses', () => {
  const counts =
    (...each: readonly number[]) =>
    (): WireAnswer => ({
      body: `<DescribeSubnetsResponse><subnetSet>${each.map((count) => `<item><availableIpAddressCount>${count}</availableIpAddressCount></item>`).join('')}</subnetSet></DescribeSubnetsResponse>`,
    });

  test('are those of all subnets together', async () => {
    const { room, calls } = await roomOver(counts(3, 0));
    expect(await room.freeAddresses(['subnet-1', 'subnet-2'], signal)).toEqual({ kind: 'known', free: 3 });
    expect(calls[0]?.body).toContain('SubnetId.1=subnet-1&SubnetId.2=subnet-2');
  });

  test('are no question in a subnet without IPv4, of which the count speaks', async () => {
    const subnet = (count: number, native: boolean): string =>
      `<item><availableIpAddressCount>${count}</availableIpAddressCount><ipv6Native>${native}</ipv6Native></item>`;
    const answer = (...items: readonly string[]) => ({ body: `<subnetSet>${items.join('')}</subnetSet>` });
    const { room } = await roomOver((_, ordinal) =>
      ordinal === 1 ? answer(subnet(0, true)) : answer(subnet(0, false), subnet(2, false)),
    );
    expect(await room.freeAddresses(['subnet-6'], signal)).toEqual({ kind: 'known', free: Infinity });
    expect(await room.freeAddresses(['subnet-1', 'subnet-2'], signal)).toEqual({ kind: 'known', free: 2 });
  });

  test('are unknown where an answer leaves a subnet out', async () => {
    const { room } = await roomOver(counts(3));
    expect(await room.freeAddresses(['subnet-1', 'subnet-2'], signal)).toMatchObject({ kind: 'unknown' });
  });

  test('of a subnet that does not exist are missing', async () => {
    const { room } = await roomOver(() =>
      xmlError('InvalidSubnetID.NotFound', "The subnet ID 'subnet-1' does not exist"),
    );
    expect(await room.freeAddresses(['subnet-1'], signal)).toEqual({ kind: 'missing', why: 'does not exist' });
  });

  test('that may not be read are unknown', async () => {
    const { room } = await roomOver(() => xmlError('UnauthorizedOperation', 'You are not authorized', 403));
    expect(await room.freeAddresses(['subnet-1'], signal)).toEqual({
      kind: 'unknown',
      why: 'access denied for ec2:DescribeSubnets',
    });
  });
});

describe('the quota of Fargate', () => {
  const answers =
    (values: readonly number[]) =>
    ({ operation }: WireCall): WireAnswer =>
      operation === 'GetServiceQuota'
        ? { body: { Quota: { QuotaCode: 'L-3032A538', Value: 6 } } }
        : { body: { MetricDataResults: [{ Id: 'used', Values: values }] } };

  test('is told with what is in use, the newest value', async () => {
    const { room, calls } = await roomOver(answers([4.5, 2]));
    expect(await room.fargateQuota('on-demand', signal)).toEqual({
      kind: 'known',
      quota: 6,
      used: 4.5,
      code: 'L-3032A538',
    });
    const [asked] = (JSON.parse(calls[1]?.body ?? '{}') as { MetricDataQueries: { MetricStat: { Metric: unknown } }[] })
      .MetricDataQueries;
    expect(asked?.MetricStat.Metric).toEqual({
      Namespace: 'AWS/Usage',
      MetricName: 'ResourceCount',
      Dimensions: [
        { Name: 'Service', Value: 'Fargate' },
        { Name: 'Type', Value: 'Resource' },
        { Name: 'Resource', Value: 'vCPU' },
        { Name: 'Class', Value: 'Standard/OnDemand' },
      ],
    });
  });

  test('without a measurement has no use, which is not zero', async () => {
    const { room } = await roomOver(answers([]));
    expect(await room.fargateQuota('spot', signal)).toEqual({ kind: 'known', quota: 6, code: 'L-36FBB829' });
  });

  test('that may not be read is unknown', async () => {
    const body = {
      __type: 'AccessDeniedException',
      message: 'not authorized to perform: servicequotas:GetServiceQuota',
    };
    const { room } = await roomOver(() => ({ status: 400, body }));
    expect(await room.fargateQuota('on-demand', signal)).toEqual({
      kind: 'unknown',
      why: 'access denied for servicequotas:GetServiceQuota',
    });
  });
});
