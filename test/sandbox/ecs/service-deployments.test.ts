import { describe, expect, test } from '@jest/globals';
import { FakeFront } from './fake-front.ts';

const BREAKER = { deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } } };

/** A service whose second deployment failed and was rolled back, and whose third is under way. */
async function story(): Promise<FakeFront> {
  const front = new FakeFront(
    { revision: 1, image: 'repo/good@sha256:abc' },
    { revision: 2, image: 'crash' },
    { revision: 3, image: 'good' },
  );
  await front.running(BREAKER);
  await front.call('UpdateService', { service: 'web', taskDefinition: 'web:2' });
  front.cloud.settle();
  await front.call('UpdateService', { service: 'web', taskDefinition: 'web:3' });
  front.cloud.pass(300);
  return front;
}

describe('ListServiceDeployments', () => {
  test('lists newest first', async () => {
    const { serviceDeployments } = await (await story()).call('ListServiceDeployments', { service: 'web' });
    expect(serviceDeployments.map(({ status }) => status)).toEqual([
      'IN_PROGRESS',
      'ROLLBACK_SUCCESSFUL',
      'SUCCESSFUL',
    ]);
  });

  test('filters by status and by time of creation, and pages', async () => {
    const front = await story();
    const list = async (input: Readonly<Record<string, unknown>>) =>
      (await front.call('ListServiceDeployments', { service: 'web', ...input })).serviceDeployments.map(
        ({ status }) => status,
      );
    expect(await list({ status: ['SUCCESSFUL'] })).toEqual(['SUCCESSFUL']);
    expect(await list({ createdAt: { after: (front.cloud.now - 1_000) / 1_000 } })).toEqual(['IN_PROGRESS']);
    expect(await list({ maxResults: 1 })).toEqual(['IN_PROGRESS']);
  });

  test.each([
    { name: 'a service that is not there', input: { service: 'api' }, code: 'ServiceNotFoundException' },
    { name: 'a status that is none', input: { service: 'web', status: ['DONE'] }, code: 'InvalidParameterException' },
    { name: 'a page of no items', input: { service: 'web', maxResults: 0 }, code: 'InvalidParameterException' },
  ])('refuses $name', async ({ input, code }) => {
    expect((await (await story()).refused('ListServiceDeployments', input)).code).toBe(code);
  });
});

test('DescribeServiceDeployments shows what was rolled back, why and to what', async () => {
  const front = await story();
  const [, rolledBack] = (await front.call('ListServiceDeployments', { service: 'web' })).serviceDeployments;
  const arn = rolledBack?.serviceDeploymentArn ?? '';
  const answer = await front.call('DescribeServiceDeployments', { serviceDeploymentArns: [arn, 'arn:other'] });
  const [shown] = answer.serviceDeployments;
  expect(shown).toMatchObject({
    status: 'ROLLBACK_SUCCESSFUL',
    statusReason: 'Service deployment rolled back because the circuit breaker threshold was exceeded.',
    deploymentCircuitBreaker: { status: 'TRIGGERED', threshold: 3 },
    rollback: { reason: 'Service deployment rolled back because the circuit breaker threshold was exceeded.' },
    alarms: { status: 'DISABLED' },
  });
  expect(answer['failures']).toEqual([{ arn: 'arn:other', reason: 'MISSING' }]);
});

test('DescribeServiceRevisions gives task definition and image digests of a revision', async () => {
  const front = await story();
  const [, , first] = (await front.call('ListServiceDeployments', { service: 'web' })).serviceDeployments;
  const serviceRevisionArns = [first?.['targetServiceRevisionArn']];
  const { serviceRevisions } = await front.call('DescribeServiceRevisions', { serviceRevisionArns });
  expect(serviceRevisions).toMatchObject([
    {
      taskDefinition: 'arn:aws:ecs:us-west-2:111111111111:task-definition/web:1',
      containerImages: [{ containerName: 'web', image: 'repo/good@sha256:abc', imageDigest: 'sha256:abc' }],
    },
  ]);
});

describe('StopServiceDeployment', () => {
  const newest = async (front: FakeFront) =>
    (await front.call('ListServiceDeployments', { service: 'web' })).serviceDeployments[0]?.serviceDeploymentArn ?? '';

  test('rolls a running one back, and may be asked again meanwhile', async () => {
    const front = await story();
    const serviceDeploymentArn = await newest(front);
    expect(await front.call('StopServiceDeployment', { serviceDeploymentArn, stopType: 'ROLLBACK' })).toEqual({
      serviceDeploymentArn,
    });
    front.cloud.pass(300);
    expect(await front.call('StopServiceDeployment', { serviceDeploymentArn })).toEqual({ serviceDeploymentArn });
    front.cloud.settle();
    const shown = await front.call('DescribeServiceDeployments', { serviceDeploymentArns: [serviceDeploymentArn] });
    expect(shown.serviceDeployments[0]?.status).toBe('ROLLBACK_SUCCESSFUL');
    const [service] = (await front.call('DescribeServices', { services: ['web'] })).services;
    expect(service?.['taskDefinition']).toMatch(/web:1$/);
  });

  test.each([
    {
      name: 'an unknown one',
      input: { serviceDeploymentArn: 'arn:other' },
      code: 'ServiceDeploymentNotFoundException',
    },
    { name: 'none', input: {}, code: 'InvalidParameterException' },
  ])('refuses $name', async ({ input, code }) => {
    expect((await (await story()).refused('StopServiceDeployment', input)).code).toBe(code);
  });

  test('refuses one that is over, and ABORT', async () => {
    const front = await story();
    const serviceDeploymentArn = await newest(front);
    const abort = await front.refused('StopServiceDeployment', { serviceDeploymentArn, stopType: 'ABORT' });
    expect(abort.message).toMatch(/valid values are ROLLBACK/);
    front.cloud.settle();
    const over = await front.refused('StopServiceDeployment', { serviceDeploymentArn });
    expect(over.code).toBe('ConflictException');
    expect(over.message).toMatch(/SUCCESSFUL/);
  });
});
