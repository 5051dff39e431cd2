import { DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { SignatureV4 } from '@smithy/signature-v4';
import { type Instant, after, minutes } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import type { Clock } from '../../ports/clock.ts';
import { callAws } from '../aws/errors.ts';
import { NodeSha256 } from '../aws/sha256.ts';
import type { AwsSession } from '../aws/session.ts';
import type { Access } from './access.ts';

interface Tools {
  readonly clock: Clock;
  mask(value: string): void;
}

/** EKS takes a token for 15 minutes; the presigned URL itself may be used for one. */
const TOKEN_FOR = minutes(10);
const URL_FOR_SECONDS = 60;

/** Endpoint and authority by eks:DescribeCluster, the token by a presigned STS call: what `aws eks get-token` prints. */
export async function accessOfEks(
  cluster: string,
  session: AwsSession,
  tools: Tools,
  signal: AbortSignal,
): Promise<Access> {
  const eks = new EKSClient(session.clientConfig);
  const what = `Could not find EKS cluster ${cluster} in account ${session.accountId}, region ${session.region}`;
  const { cluster: found } = await callAws({ action: 'eks:DescribeCluster', what }, signal, () =>
    eks.send(new DescribeClusterCommand({ name: cluster }), { abortSignal: signal }),
  );
  const { endpoint, certificateAuthority } = found ?? {};
  if (!endpoint || !certificateAuthority?.data)
    throw new Failure({ what, why: `it is ${found?.status ?? 'not there'} and has no endpoint yet` });
  return {
    server: endpoint,
    certificateAuthority: Buffer.from(certificateAuthority.data, 'base64').toString('utf8'),
    verify: 'certificate',
    authorization: eksAuthorization(cluster, session, tools),
  };
}

/** Made anew every 10 minutes, and when the server does not accept it. */
export function eksAuthorization(cluster: string, session: AwsSession, tools: Tools): Access['authorization'] {
  let kept: { readonly header: string; readonly until: Instant } | undefined;
  return async (_signal, wish) => {
    const now = tools.clock.now();
    if (kept !== undefined && wish !== 'fresh' && now < kept.until) return kept.header;
    const token = await eksToken(cluster, session, now);
    tools.mask(token);
    kept = { header: `Bearer ${token}`, until: after(now, TOKEN_FOR) };
    return kept.header;
  };
}

export async function eksToken(
  cluster: string,
  { region, credentials }: Pick<AwsSession, 'region' | 'credentials'>,
  now: Instant,
): Promise<string> {
  const hostname = `sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  const signer = new SignatureV4({ service: 'sts', region, credentials, sha256: NodeSha256, applyChecksum: false });
  const { path, query = {} } = await signer.presign(
    {
      method: 'GET',
      protocol: 'https:',
      hostname,
      path: '/',
      query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
      headers: { host: hostname, 'x-k8s-aws-id': cluster },
    },
    {
      expiresIn: URL_FOR_SECONDS,
      signingDate: new Date(now),
      unhoistableHeaders: new Set(['x-k8s-aws-id']),
      signableHeaders: new Set(['host', 'x-k8s-aws-id']),
    },
  );
  const search = Object.entries(query)
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(String(value))}`)
    .join('&');
  return `k8s-aws-v1.${Buffer.from(`https://${hostname}${path}?${search}`).toString('base64url')}`;
}
