import { expect, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { aCloud } from '../../sandbox/front/a-cloud.ts';
import { groupScene } from './group-scene.ts';

needs('sandbox')('a group of services as a process against the sandbox', () => {
  const cloud = aCloud('lock-step');

  test('is deployed in the order of its dependencies, green, with what became of each', async () => {
    const { step, chain, truth } = await groupScene(cloud());
    const run = await runBundle(step([...chain()].reverse()));
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded', changed: 'true' } });
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
  });

  test('goes back as a whole when one fails, and the last one is never touched', async () => {
    const { step, chain, truth } = await groupScene(cloud());
    const run = await runBundle(step(chain({ web: 'crash' })));
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back', changed: 'true' } });
    expect(await truth()).toEqual({
      api: { image: 'first', running: 1, phase: 'rolled-back' },
      web: { image: 'first', running: 1, phase: 'rolled-back' },
      worker: { image: 'first', running: 1, phase: undefined },
    });
  });
});
