import { createHmac } from 'node:crypto';

/** The name that the sandbox's cluster has in EKS; a token is signed for one cluster. */
export const EKS_CLUSTER = 'sandbox';
const ACCOUNT = '123456789012';

/** Somebody in AWS whom the cluster knows. */
export interface AwsIdentity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** What RBAC calls them, as of an access entry without a name of its own. */
  readonly arn: string;
}

/**
 * Everything is in the key's id, so that whoever checks a token needs the seed alone: whose it is, and for how many seconds
 * STS takes what it signed (900; less lets a test see a token end).
 */
export function awsIdentity(seed: string, user: string, tokenSeconds = 900): AwsIdentity {
  return identityOf(seed, `AKIA${String(tokenSeconds).padStart(4, '0')}${user.toUpperCase()}`) as AwsIdentity;
}

export interface KnownIdentity extends AwsIdentity {
  readonly tokenSeconds: number;
}

export function identityOf(seed: string, accessKeyId: string): KnownIdentity | undefined {
  const [, tokenSeconds, user] = /^AKIA(\d{4})([A-Z]{2,40})$/.exec(accessKeyId) ?? [];
  if (user === undefined) return undefined;
  return {
    accessKeyId,
    secretAccessKey: createHmac('sha256', seed).update(accessKeyId).digest('base64'),
    arn: `arn:aws:iam::${ACCOUNT}:user/${user.toLowerCase()}`,
    tokenSeconds: Number(tokenSeconds),
  };
}
