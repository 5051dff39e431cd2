import { describe, expect, test } from '@jest/globals';
import { GROUP, SERVICE } from '../core/fake-cloud.ts';
import { FakeFront, LOAD_BALANCERS, SERVICE_INPUT } from './fake-front.ts';

const front = () =>
  new FakeFront(
    { revision: 1, image: 'good' },
    { revision: 4, image: 'good', status: 'INACTIVE' },
    { revision: 5, image: 'good', networkMode: 'awsvpc' },
  );
const OTHER_GROUP = GROUP.replace('/web/', '/other/');

describe('CreateService', () => {
  test('answers with a PRIMARY deployment in progress and no tasks yet', async () => {
    const { service } = await front().call('CreateService', { ...SERVICE_INPUT, tags: [{ key: 'team', value: 'a' }] });
    expect(service).toMatchObject({
      serviceArn: SERVICE,
      status: 'ACTIVE',
      desiredCount: 2,
      runningCount: 0,
      pendingCount: 0,
      taskDefinition: 'arn:aws:ecs:us-west-2:111111111111:task-definition/web:1',
      healthCheckGracePeriodSeconds: 0,
      tags: [{ key: 'team', value: 'a' }],
      deployments: [{ status: 'PRIMARY', rolloutState: 'IN_PROGRESS', desiredCount: 2, failedTasks: 0 }],
      deploymentConfiguration: {
        minimumHealthyPercent: 100,
        maximumPercent: 200,
        deploymentCircuitBreaker: { enable: false, rollback: false },
      },
    });
    expect(service.deployments[0]?.['rolloutStateReason']).toBe(
      `ECS deployment ${service.deployments[0]?.id} in progress.`,
    );
    expect(service.currentServiceDeployment).toMatch(
      /^arn:aws:ecs:us-west-2:111111111111:service-deployment\/main\/web\/[\w-]{21}$/,
    );
  });

  const refusals = [
    {
      name: 'a cluster that is not there',
      input: { cluster: 'other' },
      code: 'ClusterNotFoundException',
      message: 'Cluster not found.',
    },
    {
      name: 'no name',
      input: { serviceName: undefined },
      code: 'InvalidParameterException',
      message: /^Service name must/,
    },
    {
      name: 'no task definition',
      input: { taskDefinition: undefined },
      code: 'ClientException',
      message: 'TaskDefinition can not be blank.',
    },
    {
      name: 'an unknown task definition',
      input: { taskDefinition: 'web:99' },
      code: 'ClientException',
      message: 'TaskDefinition not found.',
    },
    {
      name: 'an inactive task definition',
      input: { taskDefinition: 'web:4' },
      code: 'ClientException',
      message: 'TaskDefinition is inactive',
    },
    {
      name: 'awsvpc without a network',
      input: { taskDefinition: 'web:5' },
      code: 'InvalidParameterException',
      message: "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    },
    {
      name: 'a target group that does not exist',
      input: { loadBalancers: [{ ...LOAD_BALANCERS[0], targetGroupArn: 'arn:x' }] },
      code: 'InvalidParameterException',
      message: 'The target group arn:x does not exist.',
    },
    {
      name: 'a target group without a load balancer',
      input: { loadBalancers: [{ ...LOAD_BALANCERS[0], targetGroupArn: OTHER_GROUP }] },
      code: 'InvalidParameterException',
      message: `The target group with targetGroupArn ${OTHER_GROUP} does not have an associated load balancer.`,
    },
    {
      name: 'a container that is not there',
      input: { loadBalancers: [{ ...LOAD_BALANCERS[0], containerName: 'api' }] },
      code: 'InvalidParameterException',
      message: 'The container api does not exist in the task definition.',
    },
    {
      name: 'a port that is not there',
      input: { loadBalancers: [{ ...LOAD_BALANCERS[0], containerPort: 81 }] },
      code: 'InvalidParameterException',
      message: 'The container web did not have a container port 81 defined.',
    },
    {
      name: 'a negative count',
      input: { desiredCount: -1 },
      code: 'InvalidParameterException',
      message: 'desiredCount must not be negative.',
    },
    {
      name: 'no count',
      input: { desiredCount: undefined },
      code: 'InvalidParameterException',
      message: /^desiredCount is required/,
    },
    {
      name: 'a count that is a text',
      input: { desiredCount: '2' },
      code: 'SerializationException',
      message: 'STRING_VALUE cannot be converted to Integer',
    },
    {
      name: 'percentages that block',
      input: { deploymentConfiguration: { minimumHealthyPercent: 100, maximumPercent: 100 } },
      code: 'InvalidParameterException',
      message: 'Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.',
    },
    {
      name: 'a maximum below the minimum',
      input: { deploymentConfiguration: { minimumHealthyPercent: 100, maximumPercent: 50 } },
      code: 'InvalidParameterException',
      message: /^minimumHealthyPercent must/,
    },
    {
      name: 'a grace period without load balancer',
      input: { loadBalancers: [], healthCheckGracePeriodSeconds: 5 },
      code: 'InvalidParameterException',
      message: 'Health check grace period is only valid for services configured to use load balancers',
    },
    {
      name: 'a reserved tag',
      input: { tags: [{ key: 'aws:x', value: '' }] },
      code: 'InvalidParameterException',
      message: /reserved prefix/,
    },
    {
      name: 'a native strategy that has nothing to move traffic by',
      input: { deploymentConfiguration: { strategy: 'BLUE_GREEN' } },
      code: 'InvalidParameterException',
      message: 'The deployment strategy BLUE_GREEN needs advancedConfiguration.',
    },
    {
      name: 'a linear step that is too small',
      input: { deploymentConfiguration: { strategy: 'LINEAR', linearConfiguration: { stepPercent: 2 } } },
      code: 'InvalidParameterException',
      message: 'stepPercent must be between 3 and 100.',
    },
    {
      name: 'a launch type that is not modelled',
      input: { launchType: 'EC2' },
      code: 'UnsupportedFeatureException',
      message: 'The sandbox does not model the launch type EC2',
    },
    {
      name: 'a controller that is not modelled',
      input: { deploymentController: { type: 'CODE_DEPLOY' } },
      code: 'UnsupportedFeatureException',
      message: 'The sandbox does not model the deployment controller CODE_DEPLOY',
    },
  ];
  test.each(refusals)('refuses $name, and creates nothing', async ({ input, code, message }) => {
    const one = front();
    one.cloud.send({
      kind: 'target-group-configured',
      targetGroupArn: OTHER_GROUP,
      name: 'other',
      port: 80,
      healthCheck: {
        path: '/',
        interval: 5_000,
        timeout: 2_000,
        healthyThreshold: 2,
        unhealthyThreshold: 2,
        matcher: '200',
      },
    });
    const refused = await one.refused('CreateService', { ...SERVICE_INPUT, ...input });
    expect(refused).toMatchObject({ code, status: 400 });
    expect(refused.message).toMatch(message);
    expect(one.cloud.state.services).toEqual({});
  });

  test('refuses a name that is taken, and one that still drains', async () => {
    const one = await front().running();
    expect((await one.refused('CreateService', SERVICE_INPUT)).message).toBe('Creation of service was not idempotent.');
    await one.call('DeleteService', { service: 'web', force: true });
    expect((await one.refused('CreateService', SERVICE_INPUT)).message).toBe(
      'Unable to Start a service that is still Draining.',
    );
    one.cloud.passUntil(({ status }) => status === 'INACTIVE');
    expect((await one.call('CreateService', SERVICE_INPUT)).service).toMatchObject({ status: 'ACTIVE', events: [] });
  });
});
