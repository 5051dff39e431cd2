import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { type Instant, after, instant, minutes, seconds } from '../../domain/duration.ts';
import { Failure, messageOf } from '../../domain/failure.ts';
import { CloudFailure, mayPass, pauseBefore } from '../../domain/retry-policy.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { type ProxiedAnswer, proxiedFetch } from '../http/proxied-fetch.ts';
import type { AwsCredentials, ClientConfig, CredentialsProvider } from './client-config.ts';
import { callAws } from './errors.ts';

export interface WebIdentityTools {
  readonly clock: Clock;
  readonly log: Log;
  mask(value: string): void;
}

export interface WebIdentity {
  readonly roleArn: string;
  /** `sluice-<run id>-<attempt>`: stands in CloudTrail. */
  readonly sessionName: string;
  readonly tokenUrl: string;
  readonly tokenRequestToken: string;
  readonly client: ClientConfig;
}

/** The SDK asks for new credentials when less than 5 minutes are left; ours are newer than that by then. */
const RENEW_BEFORE_END = minutes(6);
/** STS's default, which every role allows. Renewal makes a longer one needless. */
const SESSION_SECONDS = 3_600;
const TOKEN_ATTEMPTS = 4;
const TRUST =
  'Check that its trust policy names this repository, branch or environment and the audience sts.amazonaws.com';

/**
 * Credentials of a role through the runner's own OIDC token, renewed before they end however long the action waits. Each
 * renewal fetches a fresh token: it lives for minutes only, so one kept from the start would be refused later.
 */
export function webIdentityCredentials(identity: WebIdentity, tools: WebIdentityTools): CredentialsProvider {
  const sts = new STSClient(identity.client);
  let current: { readonly value: AwsCredentials; readonly ends: Instant } | undefined;
  let renewal: Promise<AwsCredentials> | undefined;
  const renew = async (): Promise<AwsCredentials> => {
    try {
      const value = await assume(sts, identity, tools);
      current = {
        value,
        ends: instant(value.expiration?.getTime() ?? after(tools.clock.now(), seconds(SESSION_SECONDS))),
      };
      return value;
    } catch (thrown) {
      // An STS that is down for a moment does no harm while the old credentials still live.
      if (current === undefined || tools.clock.now() >= current.ends) throw thrown;
      tools.log.warning(`The credentials could not be renewed and are still valid: ${messageOf(thrown)}`);
      return current.value;
    }
  };
  return async () => {
    if (current !== undefined && after(tools.clock.now(), RENEW_BEFORE_END) < current.ends) return current.value;
    renewal ??= renew().finally(() => (renewal = undefined));
    return renewal;
  };
}

async function assume(sts: STSClient, identity: WebIdentity, tools: WebIdentityTools): Promise<AwsCredentials> {
  const token = await fetchToken(identity, tools);
  tools.mask(token);
  const never = new AbortController().signal;
  const answer = await callAws(
    {
      action: 'sts:AssumeRoleWithWebIdentity',
      what: `Could not assume role ${identity.roleArn}`,
      advice: { 'access-denied': TRUST, 'expired-token': TRUST },
      next: TRUST,
    },
    never,
    () =>
      sts.send(
        new AssumeRoleWithWebIdentityCommand({
          RoleArn: identity.roleArn,
          RoleSessionName: identity.sessionName,
          WebIdentityToken: token,
          DurationSeconds: SESSION_SECONDS,
        }),
      ),
  );
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer.Credentials ?? {};
  if (!AccessKeyId || !SecretAccessKey || !SessionToken)
    throw new Failure({ what: `Could not assume role ${identity.roleArn}`, why: 'STS answered without credentials' });
  for (const secret of [AccessKeyId, SecretAccessKey, SessionToken]) tools.mask(secret);
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    ...(Expiration ? { expiration: Expiration } : {}),
  };
}

async function fetchToken(identity: WebIdentity, { clock }: WebIdentityTools): Promise<string> {
  const never = new AbortController().signal;
  for (let attempt = 1; ; attempt++) {
    try {
      return await fetchTokenOnce(identity);
    } catch (thrown) {
      if (attempt === TOKEN_ATTEMPTS || !(thrown instanceof CloudFailure) || !mayPass(thrown.kind)) throw thrown;
      await clock.sleep(pauseBefore(attempt), never);
    }
  }
}

async function fetchTokenOnce({ tokenUrl, tokenRequestToken, roleArn }: WebIdentity): Promise<string> {
  const what = 'Could not get an OIDC token from GitHub';
  const url = new URL(tokenUrl);
  url.searchParams.set('audience', roleArn.startsWith('arn:aws-cn:') ? 'sts.amazonaws.com.cn' : 'sts.amazonaws.com');
  let answer: ProxiedAnswer;
  try {
    answer = await proxiedFetch(url, {
      headers: { authorization: `Bearer ${tokenRequestToken}`, accept: 'application/json' },
      signal: AbortSignal.timeout(seconds(10)),
    });
  } catch (thrown) {
    throw new CloudFailure('transient', { what, why: messageOf(thrown), next: 'Re-run the job' }, { cause: thrown });
  }
  const body: unknown = await answer.json().catch(() => undefined);
  const value = typeof body === 'object' && body !== null ? Reflect.get(body, 'value') : undefined;
  if (answer.ok && typeof value === 'string' && value !== '') return value;
  const kind = answer.status >= 500 || answer.status === 429 ? 'transient' : 'access-denied';
  throw new CloudFailure(kind, {
    what,
    why: `the token service answered ${answer.status}`,
    next: 'Give the job `permissions: id-token: write`, then re-run',
  });
}
