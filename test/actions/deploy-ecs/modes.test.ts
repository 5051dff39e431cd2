import { describe, expect, jest, test } from '@jest/globals';
import { grantFor } from '../../harness/grant.ts';
import { needs } from '../../harness/needs.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { aCloud } from '../../sandbox/front/a-cloud.ts';
import { type Scene, scene } from './scene.ts';

// Several processes in a test, on machines with two busy cores.
jest.setTimeout(150_000);

const NO_IMAGE = { image: '' };
const errorsOf = ({ annotations }: Awaited<ReturnType<typeof runBundle>>): string =>
  annotations.flatMap(({ level, message }) => (level === 'error' ? [message] : [])).join('\n');

needs('sandbox')('deploy-ecs in its modes, as a process against the sandbox', () => {
  const cloud = aCloud('lock-step');
  /** Another workflow run each time, as people have them. */
  const runIn = async (
    stage: Scene,
    id: number,
    inputs: Readonly<Record<string, string>>,
    files: Readonly<Record<string, string>> = {},
  ) => {
    const env = { ...(await stage.world.run(`run-${id}`)), GITHUB_RUN_ID: String(id) };
    return runBundle(stage.step(inputs, { env, files }));
  };

  describe('rollback', () => {
    test('goes to the release before, green, and twice in one run is one step', async () => {
      const stage = await scene(cloud());
      await runIn(stage, 1, {});
      const back = await runIn(stage, 2, { ...NO_IMAGE, mode: 'rollback' });
      expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back', changed: 'true' } });
      expect(back.outputs['task-definition-arn']).toMatch(/-task:1$/);
      expect(back.outputs['previous-task-definition-arn']).toMatch(/-task:2$/);
      expect(await stage.truth()).toEqual({ image: stage.images.first, running: 2, desired: 2, phase: 'rolled-back' });
      const again = await runIn(stage, 2, { ...NO_IMAGE, mode: 'rollback' });
      expect(again).toMatchObject({ exitCode: 0, outputs: { outcome: 'unchanged', changed: 'false' } });
    });

    test('goes to a named revision', async () => {
      const stage = await scene(cloud());
      await runIn(stage, 1, {});
      await runIn(stage, 2, { image: stage.images.other });
      const back = await runIn(stage, 3, { ...NO_IMAGE, mode: 'rollback', to: '1' });
      expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back' } });
      expect(await stage.truth()).toMatchObject({ image: stage.images.first });
    });

    test('is planned without a write', async () => {
      const stage = await scene(cloud());
      await runIn(stage, 1, {});
      const plan = await runIn(stage, 2, { ...NO_IMAGE, mode: 'rollback', 'dry-run': 'true' });
      expect(plan).toMatchObject({ exitCode: 0, outputs: { outcome: 'planned', changed: 'false' } });
      expect(plan.stdout).toContain(
        'Update staging-wesign-charts-service from staging-wesign-charts-task:2 to staging-wesign-charts-task:1',
      );
      expect(stage.writes('run-2')).toEqual([]);
    });

    test('of a first release is refused', async () => {
      const stage = await scene(cloud());
      const back = await runIn(stage, 1, { ...NO_IMAGE, mode: 'rollback' });
      expect(back).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', changed: 'false' } });
      expect(errorsOf(back)).toContain('There is nothing to roll staging-wesign-charts-service back to');
    });
  });

  describe('scale', () => {
    test.each(['4', '1', '0'])('to %s waits for the count', async (count) => {
      const stage = await scene(cloud());
      const run = await runIn(stage, 1, { ...NO_IMAGE, mode: 'scale', 'desired-count': count });
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded', changed: 'true' } });
      expect(await stage.truth()).toMatchObject({ running: Number(count), desired: Number(count) });
      expect(stage.writes('run-1')).toEqual(['UpdateService']);
    });

    test('is planned without a write', async () => {
      const stage = await scene(cloud());
      const plan = await runIn(stage, 1, { ...NO_IMAGE, mode: 'scale', 'desired-count': '4', 'dry-run': 'true' });
      expect(plan.stdout).toContain('Set the desired count of staging-wesign-charts-service from 2 to 4');
      expect(stage.writes('run-1')).toEqual([]);
    });
  });

  test('status shows what is live and where a roll back leads, and writes nothing', async () => {
    const stage = await scene(cloud());
    await runIn(stage, 1, {});
    const run = await runIn(stage, 2, { ...NO_IMAGE, mode: 'status' });
    expect(run).toMatchObject({
      exitCode: 0,
      outputs: { outcome: 'status', changed: 'false', 'running-count': '2', 'desired-count': '2' },
    });
    expect(run.stdout).toContain(`  web: ${stage.images.good}`);
    expect(run.stdout).toContain('A roll back would lead to staging-wesign-charts-task:1');
    expect(stage.writes('run-2')).toEqual([]);
  });

  describe('cleanup', () => {
    const released = async (): Promise<Scene> => {
      const stage = await scene(cloud());
      const images = [stage.images.good, stage.images.other, stage.images.first, stage.images.good];
      for (const [index, image] of images.entries()) await runIn(stage, index + 1, { image });
      return stage;
    };
    const cleanup = { ...NO_IMAGE, mode: 'cleanup', 'keep-revisions': '1' };

    test('deregisters what nobody needs, and nothing the second time', async () => {
      const stage = await released();
      const run = await runIn(stage, 10, cleanup);
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded', changed: 'true' } });
      expect(errorsOf(run)).toBe('');
      expect(run.summary).toContain('revisions of staging-wesign-charts-task were deregistered');
      expect(await runIn(stage, 11, cleanup)).toMatchObject({ outputs: { outcome: 'unchanged' } });
      const back = await runIn(stage, 12, { ...NO_IMAGE, mode: 'rollback' });
      expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back' } });
    });

    test('is planned without a write', async () => {
      const stage = await released();
      const plan = await runIn(stage, 10, { ...cleanup, 'dry-run': 'true' });
      expect(plan.stdout).toMatch(/Deregister staging-wesign-charts-task:1/);
      expect(stage.writes('run-10')).toEqual([]);
    });
  });

  describe('behind a gate', () => {
    const approved = (stage: Scene, given: Readonly<Record<string, unknown>> = {}) => {
      const [registry = '', rest = ''] = stage.images.good.split('/shop/');
      const images = { web: { repository: 'shop/web', digest: rest.split('@')[1], tag: '2' } };
      const approval = grantFor(images, { at: stage.world.now(), ...given });
      return {
        ...NO_IMAGE,
        images: JSON.stringify(images),
        registry,
        environment: 'production',
        'require-approval': 'true',
        approval,
      };
    };

    test('the approved images are deployed', async () => {
      const stage = await scene(cloud());
      const run = await runIn(stage, 1, approved(stage));
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
      expect(run.stdout).toContain('Approved for production by grant g-1');
    });

    test('a missing grant and a wrong one are refused before any call, with every reason', async () => {
      const stage = await scene(cloud());
      const missing = await runIn(stage, 1, { ...approved(stage), approval: '' });
      expect(errorsOf(missing)).toContain(
        'The approval for production does not hold: there is none. Nothing was touched.',
      );
      const wrong = await runIn(stage, 2, approved(stage, { environment: 'staging', imagesSha256: 'x' }));
      expect(errorsOf(wrong)).toMatch(/environment staging, this is environment production; .*images-sha256 x/);
      expect([missing.exitCode, wrong.exitCode]).toEqual([1, 1]);
      expect(stage.operations()).toEqual([]);
    });

    test('a plan is shown without a grant, and says what a run would meet', async () => {
      const stage = await scene(cloud());
      const plan = await runIn(stage, 1, { ...approved(stage), approval: '', 'dry-run': 'true' });
      expect(plan).toMatchObject({ exitCode: 0, outputs: { outcome: 'planned' } });
      expect(plan.stdout).toContain('A run would be refused now. The approval for production does not hold');
    });
  });

  describe('checks after the deployment', () => {
    const file = (path: string, status: number): Readonly<Record<string, string>> => ({
      'checks.yml': `version: 1\nchecks:\n  - name: health\n    get: ${path}\n    expect: { status: ${status} }\n`,
    });

    test('that are green end in success', async () => {
      const stage = await scene(cloud());
      const run = await runIn(stage, 1, { checks: 'checks.yml', url: stage.stacked.url }, file('/health', 200));
      expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
      expect(run.stdout).toContain('health: passed');
    });

    test('that are red roll back and deregister the revision', async () => {
      const stage = await scene(cloud());
      const run = await runIn(stage, 1, { checks: 'checks.yml', url: stage.stacked.url }, file('/health', 418));
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } });
      expect(errorsOf(run)).toContain('1 of 1 checks failed after the deployment: health');
      expect(run.summary).toContain('Check health:');
      expect(await stage.truth()).toEqual({ image: stage.images.first, running: 2, desired: 2, phase: 'rolled-back' });
      expect(stage.writes('run-1').at(-1)).toBe('DeregisterTaskDefinition');
    });

    test('without an address are told before any call', async () => {
      const stage = await scene(cloud());
      const run = await runIn(stage, 1, { checks: 'checks.yml' }, file('/health', 200));
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input' } });
      expect(stage.operations()).toEqual([]);
    });
  });
});
