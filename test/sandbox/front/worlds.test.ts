import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  CreateClusterCommand,
  DescribeClustersCommand,
  DescribeServicesCommand,
  ECSClient,
  type ECSClientConfig,
} from '@aws-sdk/client-ecs';
import { DescribeLoadBalancersCommand, ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import type { World } from '../../../sandbox/cloud.ts';
import { aLoadBalancer } from '../elbv2/a-load-balancer.ts';
import { aCloud, asAction, failureOf } from './a-cloud.ts';

const cloud = aCloud('real');
let first: World;
let second: World;
beforeAll(async () => {
  first = await cloud().createWorld();
  second = await cloud().createWorld();
});

const jsonOf = async (url: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(url, { headers });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

const clusterNames = async (client: ECSClientConfig): Promise<unknown[]> => {
  const { clusters = [] } = await new ECSClient(client).send(new DescribeClustersCommand({ clusters: ['mine'] }));
  return clusters.map(({ clusterName }) => clusterName);
};

describe('two worlds', () => {
  test('are two accounts', async () => {
    const [a, b] = await Promise.all(
      [first, second].map((world) => new STSClient(asAction(world)).send(new GetCallerIdentityCommand({}))),
    );
    expect(a?.Account).toBe(first.account);
    expect(b?.Account).toBe(second.account);
    expect(a?.Account).not.toBe(b?.Account);
    expect(a?.Arn).toBe(`arn:aws:sts::${first.account}:assumed-role/sandbox/action`);
  });

  test('do not see what the other has', async () => {
    await aLoadBalancer(first, new ElasticLoadBalancingV2Client(first.client()));
    await new ECSClient(first.client()).send(new CreateClusterCommand({ clusterName: 'mine' }));
    const balancers = await new ElasticLoadBalancingV2Client(second.client()).send(
      new DescribeLoadBalancersCommand({}),
    );
    expect(balancers.LoadBalancers).toEqual([]);
    expect(await clusterNames(first.client())).toEqual(['mine']);
    expect(await clusterNames(second.client())).toEqual([]);
    expect(second.calls().some(({ operation }) => operation === 'ecs:CreateCluster')).toBe(false);
  });

  test('have regions that do not see each other either', async () => {
    expect(await clusterNames(first.client({ region: 'us-east-1' }))).toEqual([]);
  });

  test('can be at home in a region of their own', async () => {
    const abroad = await cloud().createWorld({ region: 'eu-central-1' });
    expect(abroad.env).toMatchObject({ AWS_REGION: 'eu-central-1', AWS_ACCOUNT_ID: abroad.account });
    const { reference } = await abroad.publishImage({ repository: 'a/b', tag: '1' });
    expect(reference).toBe(`${abroad.account}.dkr.ecr.eu-central-1.amazonaws.com/a/b:1`);
  });

  test('cannot have one account', async () => {
    await expect(cloud().createWorld({ account: first.account })).rejects.toThrow('a world with account');
  });

  test('in real time have a clock that nobody moves', async () => {
    await expect(first.advance(1_000)).rejects.toThrow('real time cannot be advanced');
  });

  test('end alone: a closed world refuses its keys, the others go on', async () => {
    const short = await cloud().createWorld();
    await short.close();
    expect(await failureOf(clusterNames(short.client()))).toMatchObject({ name: 'UnrecognizedClientException' });
    expect(await clusterNames(first.client())).toEqual(['mine']);
  });
});

describe('keys', () => {
  test('that nobody issued are refused in the words of each protocol', async () => {
    const stranger = { ...first.client(), credentials: { accessKeyId: 'AKIASTRANGER', secretAccessKey: 'x' } };
    const json = await failureOf(clusterNames(stranger));
    const query = await failureOf(new STSClient(stranger).send(new GetCallerIdentityCommand({})));
    expect(json).toMatchObject({ name: 'UnrecognizedClientException', attempts: 1 });
    expect(query).toMatchObject({ name: 'InvalidClientTokenId', status: 403, attempts: 1 });
  });

  test('of an assumed role work, count as the run that assumed it, and end at their time', async () => {
    const sts = new STSClient(asAction(first));
    const RoleArn = `arn:aws:iam::${first.account}:role/deploy`;
    const before = Date.now();
    const { Credentials } = await sts.send(
      new AssumeRoleCommand({ RoleArn, RoleSessionName: 'gate', DurationSeconds: 900 }),
    );
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '', Expiration } = Credentials ?? {};
    const keys = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
    const assumed = new STSClient({ ...asAction(first), credentials: keys });
    expect((await assumed.send(new GetCallerIdentityCommand({}))).Arn).toBe(
      `arn:aws:sts::${first.account}:assumed-role/deploy/gate`,
    );
    expect(first.calls().at(-1)).toMatchObject({
      run: 'action',
      operation: 'sts:GetCallerIdentity',
      result: { kind: 'ok' },
    });
    expect(((Expiration?.getTime() ?? 0) - before) / 1_000).toBeCloseTo(900, -1);
  });

  test.each<[name: string, role: () => string, seconds: number, error: string]>([
    ['a role of another account', () => `arn:aws:iam::${second.account}:role/deploy`, 900, 'AccessDenied'],
    ['a session of a minute', () => `arn:aws:iam::${first.account}:role/deploy`, 60, 'ValidationError'],
  ])('of %s are refused', async (_name, role, seconds, error) => {
    const input = { RoleArn: role(), RoleSessionName: 'gate', DurationSeconds: seconds };
    const failure = await failureOf(new STSClient(asAction(first)).send(new AssumeRoleCommand(input)));
    expect(failure.name).toBe(error);
  });
});

describe('the identity token of a run', () => {
  const url = (audience: string): string => `${first.env['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience=${audience}`;
  const bearer = (): Record<string, string> => ({
    authorization: `Bearer ${first.env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}`,
  });
  const assume = (token: string, account = first.account) =>
    new STSClient({ region: first.region, endpoint: cloud().url }).send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: `arn:aws:iam::${account}:role/deploy`,
        RoleSessionName: 'sluice',
        WebIdentityToken: token,
      }),
    );

  test('is given to its bearer, carries the audience, and buys keys without any others', async () => {
    const { status, body } = await jsonOf(url('sts.amazonaws.com'), bearer());
    const token = String(body['value']);
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
      string,
      unknown
    >;
    const { Credentials, AssumedRoleUser } = await assume(token);
    expect(status).toBe(200);
    expect(payload).toMatchObject({ aud: 'sts.amazonaws.com', iss: 'https://token.actions.githubusercontent.com' });
    expect(Credentials?.AccessKeyId).toMatch(/^ASIA/);
    expect(AssumedRoleUser?.Arn).toBe(`arn:aws:sts::${first.account}:assumed-role/deploy/sluice`);
    expect(first.calls().at(-1)).toMatchObject({ run: 'action', operation: 'sts:AssumeRoleWithWebIdentity' });
  });

  test.each([
    ['a wrong one', { authorization: 'Bearer nonsense' }],
    ['none', {}],
  ])('is refused with 401 to a caller with %s', async (_name, headers) => {
    expect((await jsonOf(url('sts.amazonaws.com'), headers as Record<string, string>)).status).toBe(401);
  });

  test('for another audience buys nothing', async () => {
    const { body } = await jsonOf(url('other'), bearer());
    expect(await failureOf(assume(String(body['value'])))).toMatchObject({
      name: expect.stringMatching(/^InvalidIdentityToken/),
      message: 'Incorrect token audience',
    });
  });

  test('that was made up buys nothing', async () => {
    expect((await failureOf(assume('a.b.c'))).name).toMatch(/^InvalidIdentityToken/);
  });

  test('buys no role of another account', async () => {
    const { body } = await jsonOf(url('sts.amazonaws.com'), bearer());
    expect((await failureOf(assume(String(body['value']), second.account))).name).toMatch(/^InvalidIdentityToken/);
  });
});

describe('what nobody models', () => {
  test.each<[name: string, request: () => { headers: Record<string, string>; body: string }, says: RegExp]>([
    [
      'a JSON call',
      () => ({
        headers: {
          'x-amz-target': 'AmazonEC2ContainerServiceV20141113.ExecuteCommand',
          authorization: scope(first, 'ecs'),
        },
        body: '{}',
      }),
      /"__type":"[A-Za-z]+".*(not model|not supported|sandbox)/i,
    ],
    [
      'a Query call',
      () => ({
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: scope(first, 'elasticloadbalancing'),
        },
        body: 'Action=CreateTrustStore&Version=2015-12-01&Name=x',
      }),
      /<Code>InvalidAction<\/Code><Message>The sandbox cloud does not model elasticloadbalancing:CreateTrustStore/,
    ],
    [
      'an action that no service has',
      () => ({
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: scope(first, 'monitoring'),
        },
        body: 'Action=NoSuchAction&Version=2010-08-01',
      }),
      /<Code>InvalidAction<\/Code>/,
    ],
    [
      'metric maths of CloudWatch',
      () => ({
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: scope(first, 'monitoring'),
        },
        body: 'Action=GetMetricData&Version=2010-08-01&MetricDataQueries.member.1.Expression=100*e/n',
      }),
      /does not model Expression in cloudwatch:GetMetricData/,
    ],
    [
      'a body that is no JSON',
      () => ({
        headers: {
          'x-amz-target': 'AmazonEC2ContainerServiceV20141113.DescribeServices',
          authorization: scope(first, 'ecs'),
        },
        body: '{',
      }),
      /"__type":"SerializationException"/,
    ],
  ])('%s gets an error of its protocol with status 400, never a page', async (_name, request, says) => {
    const { headers, body } = request();
    const answer = await fetch(cloud().url, { method: 'POST', headers, body });
    const text = await answer.text();
    expect(answer.status).toBe(400);
    expect(text).toMatch(says);
    expect(text).not.toContain('<html');
  });

  test('a service that is not there is asked once by the SDK', async () => {
    const ecs = new ECSClient(first.client());
    const failure = await failureOf(ecs.send(new DescribeServicesCommand({ cluster: 'none', services: ['x'] })));
    expect(failure).toMatchObject({ name: 'ClusterNotFoundException', attempts: 1 });
  });

  const scope = (world: World, service: string): string =>
    `AWS4-HMAC-SHA256 Credential=${world.env['AWS_ACCESS_KEY_ID']}/20260101/${world.region}/${service}/aws4_request, SignedHeaders=host, Signature=0`;
});
