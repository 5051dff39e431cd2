import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Cluster, startCluster } from '../../sandbox/kubernetes/cluster.ts';
import { EKS_REGION, type EksApi, startEksApi } from '../../sandbox/kubernetes/eks/aws-api.ts';
import { type AwsIdentity, EKS_CLUSTER } from '../../sandbox/kubernetes/eks/identity.ts';
import { HFT_PRODUCTION, HFT_STAGING, type Place, type System, openPlace, tagged } from '../harness/kubernetes.ts';
import { needs } from '../harness/needs.ts';
import { type BundleResult, runBundle } from '../harness/run-bundle.ts';
import { callOf, stepOf, under } from './workflow-steps.ts';

const FOLDER = join(import.meta.dirname, '../../examples/hft-platform');

/** hft-platform's steps as its workflows have them: a stage, what the build hands on, and nothing else. */
needs('kubernetes')('the stages of hft-platform, on EKS', () => {
  let cluster: Cluster;
  let aws: EksApi;
  let deployer: AwsIdentity;
  const places: Place[] = [];
  const binding = `hft-${process.pid}`;
  const bindings = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
  beforeAll(async () => {
    cluster = await startCluster({ use: 'shared' });
    deployer = cluster.awsUser('hftdeploy');
    aws = await startEksApi(cluster, [deployer]);
    await cluster.admin.api.create(bindings, {
      metadata: { name: binding },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: deployer.arn }],
    });
  }, 200_000);
  afterAll(async () => {
    await Promise.all(places.map((place) => place.close()));
    await cluster?.admin.api.delete(`${bindings}/${binding}`);
    await aws?.close();
    await cluster?.stop();
  });

  /** The sandbox has one cluster, one region and no OIDC; the rest of the file is the team's. */
  async function openStage(stage: string, system: System) {
    const place = await openPlace(system, { cluster });
    places.push(place);
    const config = readFileSync(join(FOLDER, 'sluice.yml'), 'utf8')
      .replaceAll(/eks-cluster: .*/g, `eks-cluster: ${EKS_CLUSTER}`)
      .replaceAll(/^ *role-to-assume: .*\n/gm, '')
      .replace(/region: .*/, `region: ${EKS_REGION}`)
      .replace(`namespace: ${system.namespace}\n`, `namespace: ${place.namespace}\n`);
    const set = Object.entries(place.files).map(
      ([path, text]) => [path.replace('k8s/', `k8s/${stage}/`), text] as const,
    );
    const run = (inputs: Readonly<Record<string, string>>): Promise<BundleResult> =>
      runBundle({
        action: 'deploy-k8s',
        inputs: { stage, ...inputs },
        files: { 'sluice.yml': config, ...Object.fromEntries(set) },
        env: aws.environmentOf(deployer),
      });
    return { place, run };
  }
  const SECRETS = 'API_KEY=value-of-api-key\nSESSION_SECRET=value-of-session-secret';
  const built = (tag: string): Readonly<Record<string, string>> => ({
    images: JSON.stringify({
      frontend: { repository: 'hft-platform/frontend', digest: tagged(tag).split('@')[1], tag },
    }),
    'pinned-tag': tagged(tag),
    'secret-values': SECRETS,
  });

  /** What deploy.yml gives its steps when the team's release.yml calls it for staging. */
  function released(tag: string) {
    const { images, 'pinned-tag': pinned } = built(tag);
    const asked = { 'inputs.images': images ?? '', 'inputs.pinned-tag': pinned ?? '' };
    const given = { ...asked, 'secrets.STAGING_SECRET_VALUES': SECRETS };
    const { workflow, known } = callOf('examples/hft-platform/.github/workflows/release.yml', 'staging', given);
    const step = (id: string, more = known) => {
      const { action, inputs } = stepOf(workflow, id, more);
      expect([workflow, action]).toEqual(['deploy.yml', 'deploy-k8s']);
      return inputs;
    };
    return { known, step };
  }

  test('staging is released to, rolled back, scaled and looked at', async () => {
    const { place, run } = await openStage('staging', HFT_STAGING);
    expect((await run(released('1.0.0').step('deploy-k8s'))).outputs).toMatchObject({ outcome: 'succeeded' });
    const { known, step } = released('1.1.0');
    const second = await run(step('deploy-k8s'));
    expect(second.outputs).toMatchObject({ outcome: 'succeeded', configured: '1', 'previous-revision': '1' });
    expect(await place.truth()).toMatchObject({ tag: '1.1.0', replicas: 2, isComplete: true });
    // Its smoke test is red.
    const back = step('go-back-k8s', { ...known, ...under('steps.deploy-k8s.outputs', second.outputs) });
    expect(back).toMatchObject({ mode: 'rollback', to: 'revision:1', stage: 'staging' });
    expect((await run(back)).outputs).toMatchObject({ outcome: 'rolled-back', release: '1.0.0' });
    expect((await run({ mode: 'scale', replicas: '+1' })).outputs).toMatchObject({ outcome: 'succeeded' });
    expect(await place.truth()).toMatchObject({ tag: '1.0.0', replicas: 3, isComplete: true });
    expect((await run({ mode: 'status' })).stdout).toContain('all ready');
  }, 120_000);

  test('production is planned without the kind that no cluster serves', async () => {
    const { place, run } = await openStage('production', HFT_PRODUCTION);
    const plan = await run({ mode: 'diff', ...built('1.0.0') });
    expect(plan.outputs).toMatchObject({ changed: 'false' });
    expect(plan.stdout).toContain(`Deployment ${place.namespace}/hft-frontend`);
    expect(plan.stdout).not.toContain('PodSecurityPolicy');
  }, 60_000);
});
