import { expect, jest, test } from '@jest/globals';
import type { StackSpec } from '../../../sandbox/world.ts';
import { freezeDuring, mainOnly, onceItSays } from '../../harness/interrupt.ts';
import { needs } from '../../harness/needs.ts';
import { type BundleResult, runBundle } from '../../harness/run-bundle.ts';
import { shownAs } from '../../harness/troubleshooting.ts';
import { aCloud } from '../../sandbox/front/a-cloud.ts';
import { type Scene, scene } from './scene.ts';

// Rows of the README's table of troubles that no other test here provokes.

// Several processes in a test, on machines with two busy cores.
jest.setTimeout(150_000);

const saidBy = ({ annotations }: BundleResult): string => annotations.map(({ message }) => message).join('\n');

const ecsOf = async ({ world }: Scene) => {
  const ecs = await import('@aws-sdk/client-ecs');
  const client = new ecs.ECSClient(world.client());
  return { ...ecs, client, [Symbol.dispose]: () => client.destroy() };
};

/** Somebody else, by hand. */
async function updates(stage: Scene, change: { readonly taskDefinition?: string; readonly desiredCount?: number }) {
  using ecs = await ecsOf(stage);
  const force = change.taskDefinition === undefined ? {} : { forceNewDeployment: true };
  await ecs.client.send(
    new ecs.UpdateServiceCommand({ cluster: stage.stacked.cluster, service: stage.service, ...change, ...force }),
  );
}

async function deregisters(stage: Scene, revision: number) {
  using ecs = await ecsOf(stage);
  const taskDefinition = `${stage.stacked.family}:${revision}`;
  await ecs.client.send(new ecs.DeregisterTaskDefinitionCommand({ taskDefinition }));
}

/** A service whose first image never started: its circuit breaker has ended the first deployment. */
async function bornBad(stage: Scene): Promise<string> {
  using ecs = await ecsOf(stage);
  const { cluster, family } = stage.stacked;
  const name = 'born-bad';
  const { taskDefinition } = await ecs.client.send(
    new ecs.DescribeTaskDefinitionCommand({ taskDefinition: `${family}:1` }),
  );
  const [container] = taskDefinition?.containerDefinitions ?? [];
  await ecs.client.send(
    new ecs.RegisterTaskDefinitionCommand({
      family: name,
      containerDefinitions: [{ ...container, memory: 256, image: stage.images.crash }],
    }),
  );
  await ecs.client.send(
    new ecs.CreateServiceCommand({
      cluster,
      serviceName: name,
      taskDefinition: name,
      desiredCount: 1,
      deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: false } },
    }),
  );
  await stage.world.advance(900_000);
  return name;
}

interface Trouble {
  /** As the README has it; `...` is anything. */
  readonly row: string;
  readonly spec?: Partial<StackSpec>;
  readonly provoke: (
    stage: Scene,
    run: (id: number, inputs: Readonly<Record<string, string>>) => Promise<BundleResult>,
  ) => Promise<BundleResult>;
}

const NO_IMAGE = { image: '' };

const TROUBLES: readonly Trouble[] = [
  {
    row: 'the job may not ask GitHub for an OIDC token',
    provoke: ({ step, world }) => {
      const role = { 'role-to-assume': `arn:aws:iam::${world.account}:role/deploy` };
      const nothing = { ACTIONS_ID_TOKEN_REQUEST_URL: undefined, ACTIONS_ID_TOKEN_REQUEST_TOKEN: undefined };
      return runBundle(step(role, { env: nothing }));
    },
  },
  {
    row: 'not steady after ...',
    // ECS watches the alarms for longer than that.
    spec: { alarms: ['shop-errors'] },
    provoke: (_, run) => run(1, { timeout: '1m', 'on-failure': 'leave' }),
  },
  {
    row: 'there is nothing to go back to',
    provoke: async (stage, run) => run(1, { service: await bornBad(stage), image: stage.images.crash }),
  },
  {
    row: 'another deployment took over',
    provoke: (stage) =>
      mainOnly(
        stage.step({ image: stage.images.sick }),
        onceItSays(
          /Waiting for staging-wesign-charts-task:2/,
          freezeDuring(() => updates(stage, { taskDefinition: `${stage.stacked.family}:1` })),
        ),
      ),
  },
  {
    row: 'that revision was deregistered',
    async provoke(stage, run) {
      await run(1, {});
      await deregisters(stage, 1);
      return run(2, { ...NO_IMAGE, mode: 'rollback', to: '1' });
    },
  },
  {
    row: 'somebody else changed it',
    provoke(stage) {
      let pid = 0;
      const run = stage.step({ ...NO_IMAGE, mode: 'scale', 'desired-count': '6' });
      const at = { operation: 'ecs:DescribeServices', ordinal: 2, when: 'before', signal: 'SIGCONT' } as const;
      stage.world.killAt({
        ...at,
        run: 'action',
        onHit() {
          process.kill(pid, 'SIGSTOP');
          void updates(stage, { desiredCount: 3 }).finally(() => process.kill(pid, 'SIGCONT'));
        },
      });
      return runBundle({ ...run, onSpawn: (running) => (pid = running.pid) });
    },
  },
  {
    row: 'has no container ..., which the input containers names',
    provoke: (_, run) => run(1, { containers: 'wbe: { environment: { A: b } }' }),
  },
  {
    row: 'serves there, and this run would put an older one over it',
    async provoke({ images }, run) {
      await run(200, {});
      return run(100, { image: images.other });
    },
  },
  {
    row: 'was deregistered',
    async provoke(stage, run) {
      await deregisters(stage, 1);
      return run(1, {});
    },
  },
];

needs('sandbox')('deploy-ecs says what the README explains', () => {
  const cloud = aCloud('lock-step');

  test.each(TROUBLES)('$row', async ({ row, spec, provoke }) => {
    const stage = await scene(cloud(), spec);
    const result = await provoke(stage, async (id, inputs) => {
      const env = { ...(await stage.world.run(`run-${id}`)), GITHUB_RUN_ID: String(id) };
      return runBundle(stage.step(inputs, { env }));
    });
    expect(saidBy(result)).toMatch(shownAs(row));
  });
});
