import { describe, expect, test } from '@jest/globals';
import { FakeFront } from './fake-front.ts';

const front = () =>
  new FakeFront(
    { revision: 1, image: 'good' },
    { revision: 2, image: 'crash', sidecar: 'logs' },
    { revision: 3, image: 'good', status: 'INACTIVE' },
    { revision: 4, image: 'no-image' },
  );

describe('ListTasks', () => {
  test('lists the running tasks of a service, and those that stopped', async () => {
    const one = await front().running();
    await one.call('RunTask', { taskDefinition: 'web:1', startedBy: 'me' });
    expect((await one.call('ListTasks', { serviceName: 'web' })).taskArns).toHaveLength(2);
    expect((await one.call('ListTasks')).taskArns).toHaveLength(3);
    await one.call('UpdateService', { service: 'web', desiredCount: 0 });
    one.cloud.pass(300);
    expect((await one.call('ListTasks', { serviceName: 'web' })).taskArns).toEqual([]);
    expect((await one.call('ListTasks', { serviceName: 'web', desiredStatus: 'STOPPED' })).taskArns).toHaveLength(2);
  });

  test('lists what a deployment started', async () => {
    const one = await front().running();
    const [service] = (await one.call('DescribeServices', { services: ['web'] })).services;
    const startedBy = service?.deployments[0]?.id;
    expect((await one.call('ListTasks', { startedBy })).taskArns).toHaveLength(2);
    expect((await one.call('ListTasks', { startedBy: 'ecs-svc/1' })).taskArns).toEqual([]);
  });

  test('pages', async () => {
    const one = await front().running();
    const first = await one.call('ListTasks', { maxResults: 1 });
    const second = await one.call('ListTasks', { maxResults: 1, nextToken: first.nextToken });
    expect(new Set([...first.taskArns, ...second.taskArns]).size).toBe(2);
    expect(second.nextToken).toBeUndefined();
  });

  test.each([
    {
      name: 'startedBy beside another filter',
      input: { startedBy: 'me', serviceName: 'web' },
      code: 'InvalidParameterException',
    },
    { name: 'a service that is not there', input: { serviceName: 'api' }, code: 'ServiceNotFoundException' },
    { name: 'a desired status that is none', input: { desiredStatus: 'GONE' }, code: 'InvalidParameterException' },
    { name: 'a cluster that is not there', input: { cluster: 'other' }, code: 'ClusterNotFoundException' },
  ])('refuses $name', async ({ input, code }) => {
    expect((await (await front().running()).refused('ListTasks', input)).code).toBe(code);
  });
});

describe('DescribeTasks', () => {
  test('shows a running task with its address and its containers', async () => {
    const one = await front().running();
    const { taskArns } = await one.call('ListTasks', { serviceName: 'web' });
    const { tasks } = await one.call('DescribeTasks', { tasks: [taskArns[0]] });
    expect(tasks[0]).toMatchObject({
      taskArn: taskArns[0],
      group: 'service:web',
      lastStatus: 'RUNNING',
      desiredStatus: 'RUNNING',
      taskDefinitionArn: 'arn:aws:ecs:us-west-2:111111111111:task-definition/web:1',
      containers: [{ name: 'web', lastStatus: 'RUNNING', networkInterfaces: [{ privateIpv4Address: '10.0.1.4' }] }],
    });
    // Two tasks of a service that became steady a moment ago: seconds with a fraction, not milliseconds.
    expect(one.cloud.now / 1_000 - Number(tasks[0]?.['startedAt'])).toBeLessThan(60);
  });

  test('shows why a task ended, with the exit code of each container', async () => {
    const one = await front().running();
    await one.call('UpdateService', { service: 'web', taskDefinition: 'web:2' });
    one.cloud.pass(1_500);
    const { taskArns } = await one.call('ListTasks', { serviceName: 'web', desiredStatus: 'STOPPED' });
    const { tasks } = await one.call('DescribeTasks', { tasks: taskArns });
    expect(tasks[0]).toMatchObject({
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
      containers: [
        { name: 'web', lastStatus: 'STOPPED', exitCode: 1 },
        { name: 'logs', lastStatus: 'STOPPED' },
      ],
    });
  });

  test('shows the reason of a container whose image cannot be pulled, without an exit code', async () => {
    const one = front();
    await one.call('RunTask', { taskDefinition: 'web:4' });
    one.cloud.pass(1_000);
    const { tasks } = await one.call('DescribeTasks', { tasks: [one.cloud.tasks[0]?.id] });
    expect(tasks[0]).toMatchObject({ stopCode: 'TaskFailedToStart', lastStatus: 'STOPPED' });
    expect(tasks[0]?.containers[0]?.['reason']).toBe('CannotPullContainerError: no-image: not found');
    expect(tasks[0]?.containers[0]).not.toHaveProperty('exitCode');
  });

  test('names what it does not find', async () => {
    const { failures } = await front().call('DescribeTasks', { tasks: ['abc'] });
    expect(failures).toEqual([{ arn: 'arn:aws:ecs:us-west-2:111111111111:task/main/abc', reason: 'MISSING' }]);
  });
});

describe('RunTask', () => {
  test('starts tasks that run to their end', async () => {
    const one = front();
    const overrides = {
      containerOverrides: [{ name: 'web', environment: [{ name: 'MIGRATE', value: '1' }], command: ['migrate'] }],
    };
    const { tasks } = await one.call('RunTask', { taskDefinition: 'web:1', count: 2, startedBy: 'run-7', overrides });
    expect(tasks.map((task) => task['lastStatus'])).toEqual(['PROVISIONING', 'PROVISIONING']);
    expect(tasks[0]).toMatchObject({ startedBy: 'run-7', group: 'family:web', overrides });
    one.cloud.pass(1_000);
    for (const { id } of one.cloud.tasks) one.cloud.send({ kind: 'task-exited', id, code: 0 });
    one.cloud.pass(1_000);
    const after = await one.call('DescribeTasks', { tasks: tasks.map(({ taskArn }) => taskArn) });
    expect(after.tasks.map((task) => [task['lastStatus'], task.containers[0]?.['exitCode']])).toEqual([
      ['STOPPED', 0],
      ['STOPPED', 0],
    ]);
  });

  test('starts nothing twice for one client token', async () => {
    const one = front();
    const input = { taskDefinition: 'web:1', clientToken: 'release-7' };
    const first = await one.call('RunTask', input);
    const again = await one.call('RunTask', input);
    expect(again.tasks.map(({ taskArn }) => taskArn)).toEqual(first.tasks.map(({ taskArn }) => taskArn));
    const refused = await one.refused('RunTask', { ...input, taskDefinition: 'web:2' });
    expect(refused.code).toBe('ConflictException');
  });

  test.each([
    {
      name: 'an unknown task definition',
      input: { taskDefinition: 'web:99' },
      code: 'ClientException',
      message: 'TaskDefinition not found.',
    },
    {
      name: 'an inactive one',
      input: { taskDefinition: 'web:3' },
      code: 'InvalidParameterException',
      message: 'TaskDefinition is inactive',
    },
    {
      name: 'eleven tasks',
      input: { taskDefinition: 'web:1', count: 11 },
      code: 'InvalidParameterException',
      message: 'count must be between 1 and 10.',
    },
    {
      name: 'an override of a container that is not there',
      input: { taskDefinition: 'web:1', overrides: { containerOverrides: [{ name: 'api' }] } },
      code: 'InvalidParameterException',
      message: 'Override for container named api is not a container in the TaskDefinition.',
    },
  ])('refuses $name', async ({ input, code, message }) => {
    expect(await front().refused('RunTask', input)).toMatchObject({ code, message });
  });
});

describe('StopTask', () => {
  test('stops a task with the reason that is given', async () => {
    const one = await front().running();
    const id = one.cloud.tasks[0]?.id;
    const { task } = await one.call('StopTask', { task: id, reason: 'by hand' });
    expect(task).toMatchObject({
      desiredStatus: 'STOPPED',
      lastStatus: 'STOPPING',
      stopCode: 'UserInitiated',
      stoppedReason: 'by hand',
    });
  });

  test('refuses a task that is not there', async () => {
    expect((await front().refused('StopTask', { task: 'abc' })).message).toBe('The referenced task was not found.');
  });
});
