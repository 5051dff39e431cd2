import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Cloud, startCloud } from '../../../sandbox/cloud.ts';
import { needs } from '../../harness/needs.ts';
import { namingTheSuite } from './repositories.ts';
import { failedJobAlone } from './rerun.ts';
import { type DispatchOptions, type System, openSystem } from './system.ts';

// The example of WeSign Charts as a repository of its own, which calls the suite's workflows, run by a real workflow
// runner against the sandbox: what a team does on GitHub, with a cloud on loopback.

const BUILD = 'Build / Images';
const DEVELOPMENT = 'Development / Deploy development';
const STAGING = 'Staging / Deploy staging';
const APPROVAL = 'Approval / Approve production';
const PRODUCTION = 'Production / Release to production';
/** The second job beside it, which has nothing to do while the first one lives. */
const WATCHED = { 'Production / Watch over production': 'success' };
const BEFORE_PRODUCTION = { [BUILD]: 'success', [DEVELOPMENT]: 'success', [STAGING]: 'success', [APPROVAL]: 'success' };
const MINUTES = 60_000;

needs(
  'sandbox',
  'act',
  'jq',
)('WeSign Charts under a workflow runner', () => {
  let cloud: Cloud;
  let system: System;
  beforeAll(async () => {
    cloud = await startCloud({ clock: 'real' });
  }, MINUTES);
  afterAll(async () => cloud.stop());

  const open = async (): Promise<void> => {
    system = await openSystem(cloud);
  };
  const close = async (): Promise<void> => system.close();
  const release = async (tag: string, version = tag) =>
    system.dispatch('release.yml', { images: await system.publish(tag), version });
  /** The production stage by itself, as a team calls it that has other stages before it. */
  const straight = async (inputs: Record<string, string>, more: string, options: DispatchOptions = {}) => {
    system.repositories.add('.github/workflows/straight.yml', namingTheSuite(`${STRAIGHT}      ${more}\n`));
    return system.dispatch('straight.yml', inputs, options);
  };

  describe('a release', () => {
    beforeEach(open, MINUTES);
    afterEach(close, MINUTES);

    test(
      'that is good goes through every stage, with two approvals, and no user notices',
      async () => {
        system.answer({ alice: 'approve', bob: 'LGTM' });
        const run = await release('1.5.0');
        expect(run).toMatchObject({ jobs: { ...BEFORE_PRODUCTION, [PRODUCTION]: 'success', ...WATCHED }, errors: [] });
        expect(run.outputs['Production / Watch over production']).toMatchObject({
          'watch-shift': { outcome: 'nothing-to-do', changed: 'false' },
        });
        expect(run.outputs[PRODUCTION]).toMatchObject({
          prepare: { outcome: 'prepared' },
          shift: { outcome: 'switched', verdict: 'pass' },
          'smoke-users': { verdict: 'pass' },
          finish: { outcome: 'promoted' },
        });
        expect(run.steps[PRODUCTION]).not.toHaveProperty('go-back');
        expect(run.outputs[APPROVAL]).toMatchObject({
          'approval-gate': { outcome: 'approved', 'approved-by': 'alice,bob' },
        });
        expect(await system.weights()).toEqual({ blue: 0, green: 100 });
        expect(await system.release('development')).toBe('1.5.0');
        expect(await system.release('staging')).toBe('1.5.0');
        expect(await system.release('production', 'green')).toBe('1.5.0');
        const { sent, failed } = system.users.counts();
        expect({ failed, wereThere: sent > 500 }).toEqual({ failed: 0, wereThere: true });
      },
      3 * MINUTES,
    );

    test(
      'that fails under traffic is red, and the old color has the traffic',
      async () => {
        system.answer({ alice: 'approve', bob: 'approve' });
        const run = await release('1.5.0-error-rate');
        expect(run.jobs).toEqual({ ...BEFORE_PRODUCTION, [PRODUCTION]: 'failure', ...WATCHED });
        expect(run.steps[PRODUCTION]).toMatchObject({ prepare: 'success', shift: 'failure' });
        expect(run.outputs[PRODUCTION]).toMatchObject({ shift: { outcome: 'rolled-back', verdict: 'fail' } });
        expect(run.errors.join('\n')).toMatch(/error-rate [\d.]+ % > 5 %/);
        expect(await system.weights()).toEqual({ blue: 100, green: 0 });
        expect(await system.release('production', 'blue')).toBe('1.4.0');
      },
      3 * MINUTES,
    );

    test(
      'that does not answer with its version is taken back from the first stage, and goes no further',
      async () => {
        const run = await release('1.5.0', '1.5.1');
        expect(run.jobs).toEqual({ [BUILD]: 'success', [DEVELOPMENT]: 'failure' });
        expect(run.steps[DEVELOPMENT]).toMatchObject({
          'deploy-ecs': 'success',
          'smoke-test': 'failure',
          'go-back': 'success',
        });
        expect(run.errors.join('\n')).toContain('1.5.1');
        expect(await system.release('development')).toBe('1.4.0');
        expect(await system.release('staging')).toBe('1.4.0');
        expect(system.requests()).toBe(0);
      },
      2 * MINUTES,
    );

    test(
      'whose smoke test is red after the switch is taken back before the old color is drained',
      async () => {
        const inputs = { images: await system.publish('1.5.0'), version: '1.5.0' };
        const run = await straight(inputs, 'require-approval: false', {
          onStep: (step) => void (step === 'shift' && system.breakPath('/api/*')),
        });
        expect(run.steps['production / Release to production']).toMatchObject({
          prepare: 'success',
          shift: 'success',
          'smoke-users': 'failure',
          'go-back': 'success',
        });
        expect(run.steps['production / Release to production']).not.toHaveProperty('finish');
        expect(run.jobs).toEqual({ 'production / Release to production': 'failure' });
        expect(await system.weights()).toEqual({ blue: 100, green: 0 });
        expect(system.users.counts().failed).toBe(0);
      },
      2 * MINUTES,
    );

    test(
      'that is under way is taken back by hand at once, without waiting for it',
      async () => {
        const inputs = { images: await system.publish('1.5.0'), version: '1.5.0' };
        const releasing = straight(inputs, 'require-approval: false');
        await system.untilLive('green');
        const back = await system.dispatch('rollback.yml', { stage: 'production', version: '1.4.0' });
        expect(back).toMatchObject({ jobs: { 'rollback / Roll back production': 'success' }, errors: [] });
        expect(back.outputs['rollback / Roll back production']).toMatchObject({
          'roll-back-traffic': { outcome: 'rolled-back' },
          'smoke-after-rollback': { verdict: 'pass' },
        });
        const run = await releasing;
        expect(run.jobs).toEqual({ 'production / Release to production': 'failure' });
        expect(run.outputs['production / Release to production']).toMatchObject({ shift: { outcome: 'superseded' } });
        expect(await system.weights()).toEqual({ blue: 100, green: 0 });
        expect(system.users.counts().failed).toBe(0);
      },
      2 * MINUTES,
    );

    test(
      'whose production job failed for another reason is run again with the grant of the first attempt',
      async () => {
        system.answer({ alice: 'approve', bob: 'approve' });
        const denied = system.world.faults.add({
          operation: 'elasticloadbalancing:ModifyRule',
          kind: 'access-denied',
          times: Number.POSITIVE_INFINITY,
        });
        const inputs = { images: await system.publish('1.5.0'), version: '1.5.0' };
        const before = await system.dispatch('release.yml', inputs, { attempt: { id: '900', attempt: 1 } });
        expect(before.jobs).toEqual({ ...BEFORE_PRODUCTION, [PRODUCTION]: 'failure', ...WATCHED });
        expect(before.errors.join('\n')).toContain('elasticloadbalancing:ModifyRule');
        expect(await system.weights()).toEqual({ blue: 100, green: 0 });
        denied.remove();
        const { repositories } = system;
        const again = failedJobAlone({ repositories, workflow: 'release.yml', inputs, job: 'production', before });
        repositories.add('.github/workflows/again.yml', again);
        const after = await system.dispatch('again.yml', {}, { attempt: { id: '900', attempt: 2 } });
        expect(after).toMatchObject({ jobs: { [PRODUCTION]: 'success', ...WATCHED }, errors: [] });
        expect(await system.weights()).toEqual({ blue: 0, green: 100 });
        expect(system.requests()).toBe(1);
      },
      4 * MINUTES,
    );
  });

  describe('a release that one approver denies', () => {
    beforeAll(open, MINUTES);
    afterAll(close, MINUTES);

    test(
      'leaves production as it is',
      async () => {
        const { askedAt } = system.answer({ alice: 'approve', bob: 'deny' });
        const run = await release('1.5.0');
        expect(run.jobs).toEqual({ ...BEFORE_PRODUCTION, [APPROVAL]: 'failure' });
        expect(run.outputs[APPROVAL]).toMatchObject({ 'approval-gate': { outcome: 'denied', approval: '' } });
        expect({ asked: askedAt() > 0, after: system.changes(askedAt()) }).toEqual({ asked: true, after: [] });
        expect(await system.weights()).toEqual({ blue: 100, green: 0 });
        expect(await system.release('production', 'blue')).toBe('1.4.0');
        expect(await system.release('production', 'green')).toBe('1.4.0');
      },
      2 * MINUTES,
    );

    test(
      'does not get there without its approval either',
      async () => {
        const before = system.world.now();
        const run = await straight({ images: await system.publish('1.5.0'), version: '1.5.0' }, "approval: ''");
        expect(run.jobs).toEqual({ 'production / Release to production': 'failure' });
        expect(run.steps['production / Release to production']).toMatchObject({ prepare: 'failure' });
        expect(run.errors.join('\n')).toContain('The approval for production does not hold');
        expect(system.changes(before)).toEqual([]);
      },
      MINUTES,
    );

    test(
      'leaves nothing to reconcile: the scheduled look is green and writes nothing',
      async () => {
        const before = system.world.now();
        const run = await system.dispatch('reconcile.yml', {}, { event: 'schedule' });
        expect(run).toMatchObject({ jobs: { 'production / Reconcile production': 'success' }, errors: [] });
        expect(system.changes(before)).toEqual([]);
      },
      MINUTES,
    );

    test(
      'can be given more tasks by hand where it is',
      async () => {
        const run = await system.dispatch('scale.yml', { stage: 'staging', tasks: '3' });
        expect(run).toMatchObject({ jobs: { 'scale / Scale staging': 'success' }, errors: [] });
        expect(await system.desired('staging')).toBe(3);
      },
      MINUTES,
    );

    test(
      'can be taken back from staging by hand, and from staging alone',
      async () => {
        expect(await system.release('staging')).toBe('1.5.0');
        const run = await system.dispatch('rollback.yml', { stage: 'staging', version: '1.4.0' });
        expect(run).toMatchObject({ jobs: { 'rollback / Roll back staging': 'success' }, errors: [] });
        expect(run.outputs['rollback / Roll back staging']).toMatchObject({
          'smoke-after-rollback': { verdict: 'pass' },
        });
        expect(await system.release('staging')).toBe('1.4.0');
        expect(await system.release('development')).toBe('1.5.0');
      },
      2 * MINUTES,
    );
  });
});

const STRAIGHT = `name: Straight to production
on: { workflow_dispatch: { inputs: { images: { type: string }, version: { type: string } } } }
permissions: {}
jobs:
  production:
    permissions: { contents: read, id-token: write, issues: write, actions: read }
    uses: OWNER/sluice/.github/workflows/production.yml@COMMIT
    secrets:
      CHECK_SECRETS: |
        CHARTS_TOKEN=\${{ secrets.CHARTS_TOKEN }}
        METRICS_URL=\${{ secrets.METRICS_URL }}
    with:
      stage: production
      images: \${{ inputs.images }}
      version: \${{ inputs.version }}
      watch: false
`;
