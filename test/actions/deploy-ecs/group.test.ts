import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { needs } from '../../harness/needs.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { aCloud } from '../../sandbox/front/a-cloud.ts';
import { groupScene } from './group-scene.ts';

/** The list that the README shows. */
function exampleGroup(): string {
  const readme = readFileSync(join(import.meta.dirname, '../../../actions/deploy-ecs/README.md'), 'utf8');
  const section = readme.slice(readme.indexOf('## Several services as one'));
  const steps = parse(/```yaml\n([^`]*)```/.exec(section)?.[1] ?? '') as readonly { with: Record<string, string> }[];
  return steps[0]?.with['service-group'] ?? '';
}

const MINUTES = 60_000;

needs('sandbox')('a group of services as a process against the sandbox', () => {
  const cloud = aCloud('lock-step');

  test(
    'is deployed in the order of its dependencies, green, with what became of each',
    async () => {
      const { step, chain, truth, world } = await groupScene(cloud());
      const run = await runBundle(step([...chain()].reverse()));
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded', changed: 'true' } });
      // The three share their subnets and their quota, and are planned before they are begun.
      for (const question of ['ec2:DescribeSubnets', 'servicequotas:GetServiceQuota'])
        expect(world.calls().filter((each) => each.run === 'action' && each.operation === question)).toHaveLength(1);
      const results = JSON.parse(run.outputs['service-results'] ?? '{}') as Record<string, Record<string, string>>;
      expect(results['web']).toMatchObject({
        outcome: 'succeeded',
        'task-definition-arn': expect.stringMatching(/:task-definition\/web-task:2$/),
        'previous-task-definition-arn': expect.stringMatching(/:task-definition\/web-task:1$/),
        'service-deployment-arn': expect.stringContaining(':service-deployment/'),
      });
      expect(await truth()).toEqual({
        api: { image: 'good', running: 1, phase: 'done' },
        web: { image: 'good', running: 1, phase: 'done' },
        worker: { image: 'good', running: 1, phase: 'done' },
      });
    },
    2 * MINUTES,
  );

  test(
    'goes back as a whole when one fails, and the last one is never touched',
    async () => {
      const { step, chain, truth } = await groupScene(cloud());
      const run = await runBundle(step(chain({ web: 'crash' })));
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back', changed: 'true' } });
      expect(await truth()).toEqual({
        api: { image: 'first', running: 1, phase: 'rolled-back' },
        web: { image: 'first', running: 1, phase: 'rolled-back' },
        worker: { image: 'first', running: 1, phase: undefined },
      });
    },
    2 * MINUTES,
  );

  test(
    'of the README is planned in order, and goes back as a whole when its checks are red',
    async () => {
      const { step, truth, images, world } = await groupScene(cloud());
      const [registry = '', rest = ''] = images.good.split('/shop/');
      const entry = { repository: 'shop/web', digest: rest.split('@')[1], tag: '2' };
      const built = JSON.stringify({ 'shop-api': entry, 'shop-web': entry });
      const inputs = { 'service-group': exampleGroup(), images: built, registry };
      const planned = await runBundle(step([], { ...inputs, 'dry-run': 'true' }));
      expect(planned).toMatchObject({ exitCode: 0, outputs: { outcome: 'planned', changed: 'false' } });
      expect(planned.stdout).toMatch(/1\. api:[^]*2\. web, once api serves:[^]*2\. worker, once api serves:/);
      const checks = 'version: 1\nchecks:\n  - name: front page\n    get: /\n    expect: { status: 200 }\n';
      const red = await runBundle(
        step(
          [],
          { ...inputs, checks: 'checks.yml', url: 'http://127.0.0.1:1' },
          { files: { 'checks.yml': checks }, clock: { lockStepFrom: world.now() } },
        ),
      );
      expect(red).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
      const seen = await truth();
      expect(Object.values(seen).map(({ image, phase }) => `${image} ${phase}`)).toEqual(
        Array(3).fill('first rolled-back'),
      );
    },
    2 * MINUTES,
  );

  test(
    'that cannot begin is told with all that speaks against it, and nothing is written',
    async () => {
      const { step, images, world } = await groupScene(cloud(), ['api']);
      const run = await runBundle(
        step([
          { service: 'wbe', image: images.good },
          { service: 'api', image: images.good, container: 'wbe' },
        ]),
      );
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', changed: 'false' } });
      expect(run.stdout).toContain('Could not deploy the services of service-group');
      expect(run.stdout).toContain('Could not find ECS service wbe in cluster staging-shop');
      expect(run.stdout).toMatch(/no container wbe/);
      expect(world.calls().filter(({ run: by, mutating }) => by === 'action' && mutating)).toEqual([]);
    },
    2 * MINUTES,
  );
});
