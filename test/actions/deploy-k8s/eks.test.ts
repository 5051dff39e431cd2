import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type EksApi, startEksApi } from '../../../sandbox/kubernetes/eks/aws-api.ts';
import { type AwsIdentity, EKS_CLUSTER } from '../../../sandbox/kubernetes/eks/identity.ts';
import { needs } from '../../harness/needs.ts';
import type { BundleResult } from '../../harness/run-bundle.ts';
import { type Scene, openScene, setOf } from './scene.ts';

/** The API server asks a webhook about every token, as that of EKS does; AWS says where the server is. */
needs('kubernetes')('a cluster of EKS', () => {
  let scene: Scene;
  let aws: EksApi;
  let deployer: AwsIdentity;
  let brief: AwsIdentity;
  beforeAll(async () => {
    scene = await openScene('eks');
    deployer = scene.cluster.awsUser('deployer');
    // The same person with a key whose tokens end after two seconds.
    brief = scene.cluster.awsUser('deployer', 2);
    aws = await startEksApi(scene.cluster, [deployer, brief]);
  }, 300_000);
  afterAll(async () => {
    await aws?.close();
    await scene?.close();
  });

  const byEks = (as: AwsIdentity, more: Readonly<Record<string, string>>, set?: string): Promise<BundleResult> =>
    scene.run({ kubeconfig: '', 'eks-cluster': EKS_CLUSTER, ...more }, set, { env: aws.environmentOf(as) });
  const tokensOf = ({ commands }: BundleResult): readonly string[] =>
    commands.flatMap(({ name, data }) => (name === 'add-mask' && data.startsWith('k8s-aws-v1.') ? [data] : []));

  test('lets nobody write who has a token and no right', async () => {
    const refused = await byEks(deployer, { 'release-id': 'v1' });
    expect(refused).toMatchObject({ exitCode: 1, outputs: { outcome: 'refused', changed: 'false' } });
    expect(refused.stdout).toContain(`rights: create deployments.apps in namespace ${scene.namespace} is missing: it`);
    expect(aws.calls()).toEqual(['sts:GetCallerIdentity', `eks:DescribeCluster ${EKS_CLUSTER}`]);
  }, 120_000);

  test('is released to by an access entry alone, without the command of AWS, and the token is renewed', async () => {
    const bindings = `/apis/rbac.authorization.k8s.io/v1/namespaces/${scene.namespace}/rolebindings`;
    await scene.cluster.admin.api.create(bindings, {
      metadata: { name: 'access-entry' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: deployer.arn }],
    });
    // The API server believes in a token for ten seconds more, whatever the webhook would say.
    const env = "          env: [{ name: BEHAVIOUR_DELAY_MS, value: '13000' }]\n          envFrom:";
    const slow = setOf({ tag: '1-slow-start' }).replace('          envFrom:', env);
    const run = await byEks(brief, { 'release-id': 'v1' }, slow);
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(await scene.truth()).toMatchObject({ image: 'registry.example.com/team/web:1-slow-start', ready: 2 });
    const tokens = tokensOf(run);
    expect(new Set(tokens).size).toBeGreaterThan(1);
    const said = run.stdout.replaceAll(/::add-mask::.*/g, '') + run.summary;
    for (const token of tokens) expect(said).not.toContain(token);
  }, 120_000);

  const kubeconfig = (cluster: string): string => `apiVersion: v1
kind: Config
current-context: c
contexts: [{ name: c, context: { cluster: k, user: u } }]
clusters:
  - name: k
    cluster:
      server: ${scene.cluster.url}
      certificate-authority-data: ${Buffer.from(scene.cluster.authority).toString('base64')}
users:
  - name: u
    user: { exec: { apiVersion: client.authentication.k8s.io/v1beta1, command: aws, args: [eks, get-token, --cluster-name, ${cluster}] } }
`;

  test('is reached by the kubeconfig that `aws eks update-kubeconfig` writes, and its program is not run', async () => {
    const env = { ...aws.environmentOf(deployer), PATH: '/nowhere' };
    const run = await scene.run({ mode: 'status', kubeconfig: kubeconfig(EKS_CLUSTER) }, '', { env });
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'status', release: 'v1' } });
    expect(tokensOf(run)).toHaveLength(1);
  }, 60_000);

  test('takes no token that was signed for another cluster', async () => {
    const env = aws.environmentOf(deployer);
    const run = await scene.run({ mode: 'status', kubeconfig: kubeconfig('other') }, '', { env });
    expect(run).toMatchObject({ exitCode: 1, outputs: { changed: 'false' } });
    expect(run.annotations[0]?.message).toContain('the credentials are not accepted (Unauthorized)');
  }, 60_000);

  test('that AWS does not know is named', async () => {
    const run = await byEks(deployer, { mode: 'status', 'eks-cluster': 'nowhere' });
    expect(run).toMatchObject({ exitCode: 1, outputs: { changed: 'false' } });
    expect(run.annotations[0]?.message).toContain('Could not find EKS cluster nowhere in account 123456789012');
  }, 60_000);
});
