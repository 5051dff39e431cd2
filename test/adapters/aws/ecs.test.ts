import { afterEach, describe, expect, test } from '@jest/globals';
import { clientConfig } from '../../../src/adapters/aws/client-config.ts';
import { ecsOf } from '../../../src/adapters/aws/ecs.ts';
import { instant } from '../../../src/domain/duration.ts';
import type { Ecs } from '../../../src/ports/ecs.ts';
import { type RecordingLog, recordingLog } from '../../fakes/log.ts';
import { type Wire, type WireAnswer, type WireCall, refusal, startWire } from './wire.ts';

const signal = new AbortController().signal;
const REF = { cluster: 'shop', service: 'web' };
const TD = 'arn:aws:ecs:us-west-2:111122223333:task-definition/web:8';

let wire: Wire | undefined;
afterEach(async () => {
  await wire?.close();
  wire = undefined;
});

async function ecsOver(
  answer: (call: WireCall, ordinal: number) => WireAnswer | 'reset',
  maxAttempts = 5,
): Promise<{ ecs: Ecs; log: RecordingLog; calls: readonly WireCall[] }> {
  wire = await startWire(answer);
  process.env['AWS_ENDPOINT_URL'] = wire.url;
  const log = recordingLog();
  const credentials = () => Promise.resolve({ accessKeyId: 'AKIATEST', secretAccessKey: 'secret' });
  const ecs = ecsOf(
    {
      accountId: '111122223333',
      region: 'us-west-2',
      clientConfig: { ...clientConfig('us-west-2', '1-1', credentials), maxAttempts },
    },
    log,
  );
  return { ecs, log, calls: wire.calls };
}

const sent = (call: WireCall | undefined): unknown => JSON.parse(call?.body ?? 'null');
const service = { serviceName: 'web', serviceArn: 'arn:svc', status: 'ACTIVE', taskDefinition: TD, desiredCount: 3 };

describe('an update of a service', () => {
  const changes = [
    { name: 'a task definition', change: { taskDefinition: TD }, body: { taskDefinition: TD } },
    { name: 'a count of zero', change: { desired: 0 }, body: { desiredCount: 0 } },
    {
      name: 'settings of the service',
      change: {
        settings: { volumes: [{ name: 'data', managedEBSVolume: { roleArn: 'r', sizeInGiB: 1 } }], managedTags: false },
      },
      body: {
        volumeConfigurations: [{ name: 'data', managedEBSVolume: { roleArn: 'r', sizeInGiB: 1 } }],
        enableECSManagedTags: false,
      },
    },
    {
      name: 'a forced deployment',
      change: { taskDefinition: TD, forceNewDeployment: true as const },
      body: { taskDefinition: TD, forceNewDeployment: true },
    },
  ];
  test.each(changes)('sends $name and nothing else', async ({ change, body }) => {
    const { ecs, calls } = await ecsOver(() => ({ body: { service } }));
    await ecs.updateService(REF, change, signal);
    expect(sent(calls[0])).toEqual({ cluster: 'shop', service: 'web', ...body });
  });

  test('that is denied names the IAM action and whom to grant it', async () => {
    const { ecs, calls } = await ecsOver(() =>
      refusal(
        'AccessDeniedException',
        'User: arn:aws:iam::1:role/deploy is not authorized to perform: ecs:UpdateService on resource: x',
      ),
    );
    await expect(ecs.updateService(REF, { desired: 1 }, signal)).rejects.toMatchObject({
      kind: 'access-denied',
      message:
        'Could not update ECS service web in cluster shop: access denied for ecs:UpdateService. Grant ecs:UpdateService to arn:aws:iam::1:role/deploy, then re-run.',
    });
    expect(calls).toHaveLength(1);
  });
});

describe('a call whose answer is lost', () => {
  const rows = [
    {
      name: 'a forced deployment',
      call: (ecs: Ecs) => ecs.updateService(REF, { forceNewDeployment: true }, signal),
      times: 1,
    },
    { name: 'a registration', call: (ecs: Ecs) => ecs.registerTaskDefinition({ family: 'web' }, {}, signal), times: 1 },
    { name: 'a count', call: (ecs: Ecs) => ecs.updateService(REF, { desired: 1 }, signal), times: 2 },
  ];
  test.each(rows)('$name is sent $times times', async ({ call, times }) => {
    const { ecs, calls } = await ecsOver(() => ({ status: 500, body: { __type: 'ServerException' } }), 2);
    await expect(call(ecs)).rejects.toMatchObject({ kind: 'transient' });
    expect(calls).toHaveLength(times);
  });
});

describe('a read of services', () => {
  test('asks for the tags and gives them as a record', async () => {
    const { ecs, calls } = await ecsOver(() => ({
      body: { services: [{ ...service, tags: [{ key: 'a', value: 'b' }, { key: 'empty' }] }] },
    }));
    const [read] = await ecs.describeServices([REF], signal);
    expect(sent(calls[0])).toEqual({ cluster: 'shop', services: ['web'], include: ['TAGS'] });
    expect(read).toMatchObject({ ref: REF, desired: 3, tags: { a: 'b', empty: '' } });
  });

  test('shows what watches a deployment, and leaves out what is not there', async () => {
    const deploymentConfiguration = {
      strategy: 'ROLLING',
      deploymentCircuitBreaker: { enable: true, rollback: false },
      alarms: { enable: true, rollback: true, alarmNames: ['5xx'] },
    };
    const { ecs } = await ecsOver(() => ({
      body: { services: [{ ...service, deploymentConfiguration, currentServiceDeployment: 'arn:sd' }] },
    }));
    const [read] = await ecs.describeServices([REF], signal);
    expect(read).toMatchObject({
      strategy: 'ROLLING',
      circuitBreaker: { enable: true, rollback: false },
      alarms: { names: ['5xx'], rollback: true },
      currentServiceDeployment: 'arn:sd',
    });
    expect(read).not.toHaveProperty('controller');
  });

  test('that finds nothing names the service, the cluster and whose account was asked', async () => {
    const { ecs } = await ecsOver(() => ({
      body: { services: [], failures: [{ arn: 'arn:aws:ecs:us-west-2:111122223333:service/web', reason: 'MISSING' }] },
    }));
    await expect(ecs.describeServices([REF], signal)).rejects.toMatchObject({
      kind: 'not-found',
      message:
        'Could not find ECS service web in cluster shop: ECS says MISSING. Check the names; the credentials are for account 111122223333, region us-west-2.',
    });
  });

  test('asks for ten at a time, by cluster, and answers in the order of the question', async () => {
    const refs = [
      ...Array.from({ length: 11 }, (_, index) => ({ cluster: 'shop', service: `s${index}` })),
      { cluster: 'other', service: 'x' },
    ];
    const { ecs, calls } = await ecsOver(({ body }) => {
      const { services } = JSON.parse(body) as { services: string[] };
      return { body: { services: services.toReversed().map((serviceName) => ({ ...service, serviceName })) } };
    });
    const read = await ecs.describeServices(refs, signal);
    expect(read.map(({ ref }) => ref)).toEqual(refs);
    expect(calls.map((call) => (sent(call) as { services: string[] }).services.length)).toEqual([10, 1, 1]);
  });
});

describe('a task definition', () => {
  const described = {
    taskDefinitionArn: TD,
    family: 'web',
    revision: 8,
    status: 'ACTIVE',
    containerDefinitions: [{ name: 'web', image: 'a:1', fieldOfNextYear: { x: [] } }],
    anotherField: { y: 1 },
  };

  test('keeps the fields that the SDK does not know, there and back', async () => {
    const { ecs, calls } = await ecsOver(() => ({
      body: { taskDefinition: described, tags: [{ key: 'team', value: 'web' }] },
    }));
    const read = await ecs.describeTaskDefinition('web', signal);
    expect(read).toMatchObject({ arn: TD, family: 'web', status: 'ACTIVE', body: described, tags: { team: 'web' } });
    const body = { family: 'web', containerDefinitions: described.containerDefinitions, anotherField: { y: 1 } };
    await ecs.registerTaskDefinition(body, { team: 'web' }, signal);
    expect(sent(calls[1])).toEqual({ ...body, tags: [{ key: 'team', value: 'web' }] });
  });

  test('without tags is registered without the member, because an empty list is refused', async () => {
    const { ecs, calls } = await ecsOver(() => ({ body: { taskDefinition: described } }));
    await ecs.registerTaskDefinition({ family: 'web', containerDefinitions: [] }, {}, signal);
    expect(sent(calls[0])).toEqual({ family: 'web', containerDefinitions: [] });
  });
});

describe('the record of deployments', () => {
  const answers = (call: WireCall): WireAnswer => {
    const bodies: Record<string, object> = {
      DescribeServiceDeployments: {
        serviceDeployments: [
          {
            serviceDeploymentArn: 'arn:sd/2',
            status: 'ROLLBACK_SUCCESSFUL',
            targetServiceRevision: { arn: 'arn:rev/2' },
            rollback: { reason: 'because' },
            deploymentCircuitBreaker: { failureCount: 3, threshold: 3 },
          },
        ],
      },
      ListServiceDeployments: {
        serviceDeployments: [
          {
            serviceDeploymentArn: 'arn:sd/1',
            status: 'SUCCESSFUL',
            createdAt: 1,
            targetServiceRevisionArn: 'arn:rev/1',
          },
          {
            serviceDeploymentArn: 'arn:sd/2',
            status: 'SUCCESSFUL',
            createdAt: 2,
            targetServiceRevisionArn: 'arn:rev/2',
          },
        ],
      },
      DescribeServiceRevisions: {
        serviceRevisions: [
          { serviceRevisionArn: 'arn:rev/2', taskDefinition: TD },
          { serviceRevisionArn: 'arn:rev/1', taskDefinition: 'arn:td/7' },
        ],
      },
    };
    return { body: bodies[call.operation] ?? {} };
  };

  test('tells the revision that is rolled out, asked for once', async () => {
    const { ecs, calls } = await ecsOver(answers);
    const read = await ecs.describeServiceDeployments(['arn:sd/2'], signal);
    await ecs.describeServiceDeployments(['arn:sd/2'], signal);
    expect(read[0]).toEqual({
      arn: 'arn:sd/2',
      status: 'ROLLBACK_SUCCESSFUL',
      statusReason: 'because',
      taskDefinition: TD,
      circuitBreaker: { failures: 3, threshold: 3 },
    });
    expect(calls.map(({ operation }) => operation)).toEqual([
      'DescribeServiceDeployments',
      'DescribeServiceRevisions',
      'DescribeServiceDeployments',
    ]);
  });

  test('is listed newest first, whatever the order of the answer', async () => {
    const { ecs, calls } = await ecsOver(answers);
    const listed = await ecs.listServiceDeployments(REF, signal, {
      status: 'SUCCESSFUL',
      createdAfter: instant(5_000),
    });
    expect(listed.map(({ arn, taskDefinition }) => [arn, taskDefinition])).toEqual([
      ['arn:sd/2', TD],
      ['arn:sd/1', 'arn:td/7'],
    ]);
    expect(sent(calls[0])).toEqual({
      cluster: 'shop',
      service: 'web',
      maxResults: 100,
      status: ['SUCCESSFUL'],
      createdAt: { after: 5 },
    });
  });

  test('that may not be read is unknown, said once', async () => {
    const { ecs, log } = await ecsOver(() =>
      refusal('AccessDeniedException', 'not authorized to perform: ecs:DescribeServiceDeployments'),
    );
    expect(await ecs.describeServiceDeployments(['arn:sd/2'], signal)).toEqual([]);
    expect(await ecs.listServiceDeployments(REF, signal)).toEqual([]);
    expect(log.warnings).toHaveLength(1);
    expect(log.warnings[0]).toContain('Grant ecs:DescribeServiceDeployments');
    await expect(ecs.describeServiceDeployments(['arn:sd/2'], signal, 'must')).rejects.toMatchObject({
      kind: 'access-denied',
    });
    await expect(ecs.listServiceDeployments(REF, signal, { need: 'must' })).rejects.toMatchObject({
      kind: 'access-denied',
    });
    await expect(ecs.stopServiceDeployment('arn:sd/2', 'ROLLBACK', signal)).rejects.toMatchObject({
      kind: 'access-denied',
    });
  });
});

describe('a call', () => {
  test('that is answered 503 is made five times and then told as transient', async () => {
    const { ecs, calls } = await ecsOver(() => ({ status: 503, body: '<html>' }));
    await expect(ecs.describeServices([REF], signal)).rejects.toMatchObject({ kind: 'transient' });
    expect(calls).toHaveLength(5);
  });

  test('that is throttled to the end is told as throttled', async () => {
    // One attempt: the pauses of the SDK between throttled ones take seconds.
    const { ecs } = await ecsOver(() => refusal('ThrottlingException', 'Rate exceeded'), 1);
    await expect(ecs.describeServices([REF], signal)).rejects.toMatchObject({
      kind: 'throttled',
      message: expect.stringContaining('AWS throttled ecs:DescribeServices'),
    });
  });

  test('that fails once is repeated without a word', async () => {
    const { ecs, calls } = await ecsOver((_call, ordinal) =>
      ordinal === 1 ? 'reset' : { body: { services: [service] } },
    );
    expect(await ecs.describeServices([REF], signal)).toHaveLength(1);
    expect(calls).toHaveLength(2);
  });

  test('names the workflow run in its user agent', async () => {
    const { ecs, calls } = await ecsOver(() => ({ body: { services: [service] } }));
    await ecs.describeServices([REF], signal);
    expect(calls[0]?.headers['user-agent']).toContain('sluice/1-1');
  });
});

test('the newest of many deployments is found whatever the order of the pages', async () => {
  const brief = (day: number) => ({
    serviceDeploymentArn: `arn:deployment-${day}`,
    status: 'SUCCESSFUL',
    createdAt: day * 86_400,
    targetServiceRevisionArn: `arn:revision-${day}`,
  });
  const days = Array.from({ length: 150 }, (_, day) => brief(day));
  const { ecs } = await ecsOver(({ operation, body }) => {
    if (operation === 'DescribeServiceRevisions') return { body: { serviceRevisions: [], failures: [] } };
    const second = (JSON.parse(body) as { nextToken?: string }).nextToken !== undefined;
    return {
      body: second
        ? { serviceDeployments: days.slice(100) }
        : { serviceDeployments: days.slice(0, 100), nextToken: 'more' },
    };
  });
  const listed = await ecs.listServiceDeployments(REF, signal, { status: 'SUCCESSFUL' });
  expect(listed).toHaveLength(20);
  expect(listed[0]).toMatchObject({ arn: 'arn:deployment-149' });
});
