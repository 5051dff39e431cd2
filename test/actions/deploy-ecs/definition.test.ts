import { expect, jest, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { aCloud } from '../../sandbox/front/a-cloud.ts';
import { type Scene, scene } from './scene.ts';

// Several processes in a test, on machines with two busy cores.
jest.setTimeout(150_000);

const FILE = 'deploy/task.yml';

needs('sandbox')('deploy-ecs and the definition of the new revision, against the sandbox', () => {
  const cloud = aCloud('lock-step');
  const file = (stage: Scene, more = ''): Readonly<Record<string, string>> => ({
    [FILE]: `family: ${stage.stacked.family}
networkMode: awsvpc
requiresCompatibilities: [FARGATE]
cpu: 512
memory: 1 GB
tags: [{ key: team, value: charts }]
containerDefinitions:
  - name: web
    image: placeholder
    essential: true
    portMappings: [{ containerPort: "80" }]
    environment: [{ name: PORT_NAME, value: web }]
${more}`,
  });
  const definitionOf = async (stage: Scene, ref: string) => {
    const { DescribeTaskDefinitionCommand, ECSClient } = await import('@aws-sdk/client-ecs');
    const client = new ECSClient(stage.world.client());
    const answer = await client.send(new DescribeTaskDefinitionCommand({ taskDefinition: ref, include: ['TAGS'] }));
    client.destroy();
    return answer;
  };

  test('a file is deployed with the image, its tags, and what was read otherwise is said', async () => {
    const stage = await scene(cloud());
    const run = await runBundle(stage.step({ 'task-definition': FILE }, { files: file(stage) }));
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(run.stdout).toContain(`${FILE}: cpu is taken as text`);
    expect(run.stdout).toContain(`${FILE}: containerDefinitions[0].portMappings[0].containerPort is taken as a number`);
    const { taskDefinition, tags } = await definitionOf(stage, run.outputs['task-definition-arn'] ?? '');
    expect(taskDefinition).toMatchObject({
      cpu: '512',
      memory: '1024',
      containerDefinitions: [{ image: stage.images.good }],
    });
    expect(tags).toEqual(expect.arrayContaining([{ key: 'team', value: 'charts' }]));
    const env = { ...(await stage.world.run('again')), GITHUB_RUN_ID: '5000' };
    const again = await runBundle(stage.step({ 'task-definition': FILE }, { files: file(stage), env }));
    expect(again).toMatchObject({ exitCode: 0, outputs: { outcome: 'unchanged' } });
  });

  test('a misspelt member is refused with its line, path and nearest name, before any call', async () => {
    const stage = await scene(cloud());
    const files = file(stage, '    healthcheck: { command: [CMD, "true"] }\n');
    const run = await runBundle(stage.step({ 'task-definition': FILE }, { files }));
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input' } });
    expect(run.annotations.at(-1)?.message).toContain(
      'deploy/task.yml:13:5 containerDefinitions[0].healthcheck: is not a member that ECS knows here. Did you mean healthCheck?',
    );
    expect(stage.operations()).toEqual([]);
  });

  test('a plan shows each change, and no secret', async () => {
    const stage = await scene(cloud());
    const containers = 'web: { environment: { LOG_LEVEL: "a=b, c", API_TOKEN: hunter2 }, labels: { team: charts } }';
    const task = '{ command: [migrate], environment: { DB_PASSWORD: hunter2 } }';
    const run = await runBundle(stage.step({ containers, 'pre-deploy-task': task, 'dry-run': 'true' }));
    for (const input of ['containers', 'pre-deploy-task']) expect(run.stdout).toContain(`\n${input}: given  (input)\n`);
    expect(run.stdout).not.toContain('hunter2');
    expect(run.stdout).toContain('+ web.environment.LOG_LEVEL: a=b, c');
    expect(run.stdout).toContain('+ web.environment.API_TOKEN: ***');
    expect(run.stdout).toContain('+ web.dockerLabels.team: charts');
    expect(stage.writes()).toEqual([]);
  });

  test('settings of a container arrive as they were given, whatever stands in their values', async () => {
    const stage = await scene(cloud(), {
      environment: { OLD_FLAG: '1', KEPT: 'k' },
      containerSettings: { dockerLabels: { old: 'o', kept: 'k' }, entryPoint: ['sh'] },
    });
    const containers = [
      'web:',
      '  environment: { QUERY: "a=b, c d=e", EMOJI: "ünï 🚀", LINES: "x\\r\\ny", NUMBER: 8080, OLD_FLAG: null }',
      '  command: [node, server.js, --title, "a b = c, d"]',
      '  log-driver: awslogs',
      '  log-options: { awslogs-group: /ecs/web, awslogs-region: us-west-2, awslogs-stream-prefix: "a=b, c" }',
      '  labels: { "traefik.rule": "Host(`a`) && Query(`x=y, z`)", old: null }',
    ].join('\r\n');
    const run = await runBundle(stage.step({ containers }));
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    const { taskDefinition } = await definitionOf(stage, run.outputs['task-definition-arn'] ?? '');
    const [container] = taskDefinition?.containerDefinitions ?? [];
    expect(Object.fromEntries((container?.environment ?? []).map(({ name, value }) => [name, value]))).toEqual({
      KEPT: 'k',
      QUERY: 'a=b, c d=e',
      EMOJI: 'ünï 🚀',
      LINES: 'x\r\ny',
      NUMBER: '8080',
    });
    expect(container).toMatchObject({
      image: stage.images.good,
      entryPoint: ['sh'],
      command: ['node', 'server.js', '--title', 'a b = c, d'],
      logConfiguration: {
        logDriver: 'awslogs',
        options: { 'awslogs-group': '/ecs/web', 'awslogs-region': 'us-west-2', 'awslogs-stream-prefix': 'a=b, c' },
      },
      dockerLabels: { kept: 'k', 'traefik.rule': 'Host(`a`) && Query(`x=y, z`)' },
    });
    expect(container?.dockerLabels).not.toHaveProperty('old');
  });

  const hostile = [
    {
      name: 'a container with a name of the language',
      inputs: { containers: '{ __proto__: { environment: { A: b } } }' },
      says: 'has no container __proto__, which the input containers names: its containers are web. Nothing was changed.',
    },
    {
      name: 'more than a task definition may hold',
      inputs: { containers: `{ web: { environment: { BIG: "${'x'.repeat(66_000)}" } } }` },
      says: /Could not register a revision of task definition .*: ClientException: Actual length: '\d+'\. Max allowed length is '65536' bytes\. Nothing was changed/,
    },
    {
      name: 'two containers and one image',
      inputs: { 'task-definition': 'two.json' },
      says: 'it has 2: web, proxy. Nothing was changed. Set the input container to one of them, or name the image of each by containers.',
    },
    {
      name: 'a service of another account',
      inputs: { service: 'arn:aws:ecs:us-west-2:999999999999:service/staging-wesign-charts-cluster/web' },
      says: /Could not find ECS service arn:aws:ecs:us-west-2:999999999999:.* the credentials are for account \d{12}, region us-west-2\./,
    },
  ];
  test.each(hostile)('$name is refused with what is true and what to do', async ({ inputs, says }) => {
    const stage = await scene(cloud(), { desired: 0 });
    const two = ['web', 'proxy'].map((name) => ({ name, image: stage.images.first, memory: 256 }));
    const files = { 'two.json': JSON.stringify({ containerDefinitions: two }) };
    const run = await runBundle(stage.step(inputs as Readonly<Record<string, string>>, { files }));
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', changed: expect.stringMatching(/./) } });
    const told = run.annotations.at(-1)?.message;
    expect(told).toEqual(says instanceof RegExp ? expect.stringMatching(says) : expect.stringContaining(says));
    expect(stage.writes().filter((name) => name !== 'RegisterTaskDefinition')).toEqual([]);
  });

  test('a revision is deployed as it is, without an image', async () => {
    const stage = await scene(cloud());
    expect((await runBundle(stage.step())).exitCode).toBe(0);
    const env = { ...(await stage.world.run('second')), GITHUB_RUN_ID: '5000' };
    const first = `${stage.stacked.family}:1`;
    const run = await runBundle(stage.step({ image: '', 'task-definition': first }, { env }));
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(stage.writes('second')).toEqual(['TagResource', 'UpdateService', 'TagResource']);
    expect(await stage.truth()).toMatchObject({ image: stage.images.first });
  });
});
