import { expect, test } from '@jest/globals';
import { whoSigned } from '../../../sandbox/kubernetes/eks/authenticator.ts';
import { EKS_CLUSTER, awsIdentity } from '../../../sandbox/kubernetes/eks/identity.ts';
import { eksToken } from '../../../src/adapters/kubernetes/eks.ts';
import { instant } from '../../../src/domain/duration.ts';

const SEED = 'seed';
const NOW = Date.parse('2026-11-24T10:00:00Z');
const who = awsIdentity(SEED, 'deployer');
const tokenFor = (cluster: string, identity = who): Promise<string> =>
  eksToken(cluster, { region: 'us-west-2', credentials: () => Promise.resolve(identity) }, instant(NOW));
const withUrl = (token: string, change: (url: string) => string): string =>
  `k8s-aws-v1.${Buffer.from(change(Buffer.from(token.slice(11), 'base64url').toString())).toString('base64url')}`;

test('a token of the cluster lets in who signed it, for 15 minutes', async () => {
  const token = await tokenFor(EKS_CLUSTER);
  expect(whoSigned(token, SEED, NOW + 899_000)).toBe('arn:aws:iam::123456789012:user/deployer');
  expect(() => whoSigned(token, SEED, NOW + 900_000)).toThrow('expired');
});

test.each([
  ['signed for another cluster', () => tokenFor('other'), 'SignatureDoesNotMatch'],
  [
    'signed with another secret',
    () => tokenFor(EKS_CLUSTER, { ...who, secretAccessKey: 'x' }),
    'SignatureDoesNotMatch',
  ],
  ['of a stranger', () => tokenFor(EKS_CLUSTER, { ...who, accessKeyId: 'AKIDEXAMPLE' }), 'InvalidClientTokenId'],
  [
    'that leads elsewhere',
    async () => withUrl(await tokenFor(EKS_CLUSTER), (url) => url.replace('sts.us-west-2', 'evil')),
    'unexpected address',
  ],
  [
    'with a parameter more',
    async () => withUrl(await tokenFor(EKS_CLUSTER), (url) => `${url}&X-Amz-User-Agent=x`),
    'non-whitelisted',
  ],
  ['of another kind', () => Promise.resolve('eyJhbGciOi'), 'prefix'],
])('a token %s lets nobody in', async (_name, made, why) => {
  const token = await made();
  expect(() => whoSigned(token, SEED, NOW)).toThrow(why);
});
