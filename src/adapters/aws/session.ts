import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { CredentialLifetime } from '../../domain/credential-lifetime.ts';
import { instant } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { type ClientConfig, type CredentialsProvider, clientConfig, proxyAgents } from './client-config.ts';
import { callAws } from './errors.ts';
import { webIdentityCredentials } from './web-identity.ts';

export interface SessionRequest {
  /** Absent: AWS_REGION, then AWS_DEFAULT_REGION. */
  readonly region?: string | undefined;
  /** Assumed by the runner's own OIDC token. Absent: the default credential chain of the SDK. */
  readonly roleToAssume?: string | undefined;
  /** Absent or empty: any account. */
  readonly allowedAccountIds?: readonly string[] | undefined;
}

/** The part of ActionTools that a session needs. */
export interface SessionTools {
  readonly clock: Clock;
  readonly log: Log;
  readonly run: { readonly runId: string; readonly attempt: number };
  mask(value: string): void;
  environment(name: string): string | undefined;
}

export interface AwsSession {
  readonly region: string;
  readonly accountId: string;
  /** ARN of who acts. */
  readonly principal: string;
  readonly credentials: CredentialsProvider;
  readonly lifetime: CredentialLifetime;
  /** Set by the environment for one service (`IAM`) or for all, as the SDK's clients read it themselves. */
  readonly endpointOf: (service: string) => string | undefined;
  /** For every other client: `new ECSClient(session.clientConfig)`. */
  readonly clientConfig: ClientConfig;
}

/**
 * Proves who acts before anything else is called: the identity is asked for, and its account compared with the allowed
 * ones. A deployment to the wrong account is the one mistake that no roll back repairs.
 */
export async function awsSession(
  request: SessionRequest,
  tools: SessionTools,
  signal: AbortSignal,
): Promise<AwsSession> {
  const region = request.region ?? tools.environment('AWS_REGION') ?? tools.environment('AWS_DEFAULT_REGION');
  if (region === undefined) {
    throw new Failure({ what: 'No AWS region is set', next: 'Set the input region, or AWS_REGION in the environment' });
  }
  const run = `${tools.run.runId}-${tools.run.attempt}`;
  const agents = proxyAgents((name) => tools.environment(name));
  const client = clientConfig(region, run, undefined, agents);
  const own = request.roleToAssume === undefined ? undefined : roleCredentials(request.roleToAssume, client, tools);
  const sts = new STSClient(clientConfig(region, run, own, agents));
  // The client's own provider: the default chain, kept and renewed by the SDK.
  const credentials: CredentialsProvider = own ?? (() => sts.config.credentials());
  const identity = await whoActs(sts, signal);
  checkAccount(identity, request);
  if (own === undefined) await maskCredentials(credentials, tools);
  tools.log.debug(`Acting as ${identity.principal} in account ${identity.accountId}, region ${region}`);
  const lifetime: CredentialLifetime = own === undefined ? await lifetimeOf(credentials, tools) : { kind: 'renewed' };
  const endpointOf = (service: string): string | undefined =>
    tools.environment(`AWS_ENDPOINT_URL_${service}`) ?? tools.environment('AWS_ENDPOINT_URL');
  return {
    region,
    ...identity,
    credentials,
    lifetime,
    endpointOf,
    clientConfig: clientConfig(region, run, credentials, agents),
  };
}

function roleCredentials(roleArn: string, client: ClientConfig, tools: SessionTools): CredentialsProvider {
  const tokenUrl = tools.environment('ACTIONS_ID_TOKEN_REQUEST_URL');
  const tokenRequestToken = tools.environment('ACTIONS_ID_TOKEN_REQUEST_TOKEN');
  if (tokenUrl === undefined || tokenRequestToken === undefined) {
    throw new Failure({
      what: `Could not assume role ${roleArn}`,
      why: 'the job may not ask GitHub for an OIDC token',
      next: 'Give the job `permissions: id-token: write`, or leave role-to-assume out to use the credentials of the environment',
    });
  }
  const { runId, attempt } = tools.run;
  // STS takes letters, digits and +=,.@-_, at most 64.
  const sessionName = `sluice-${runId}-${attempt}`.replaceAll(/[^\w+=,.@-]/g, '-').slice(0, 64);
  return webIdentityCredentials({ roleArn, sessionName, tokenUrl, tokenRequestToken, client }, tools);
}

interface Identity {
  readonly accountId: string;
  readonly principal: string;
}

async function whoActs(sts: STSClient, signal: AbortSignal): Promise<Identity> {
  const what = 'Could not find out which AWS account and role are used';
  const answer = await callAws({ action: 'sts:GetCallerIdentity', what }, signal, () =>
    sts.send(new GetCallerIdentityCommand({}), { abortSignal: signal }),
  );
  if (!answer.Account) throw new Failure({ what, why: 'STS answered without an account' });
  return { accountId: answer.Account, principal: answer.Arn ?? answer.Account };
}

function checkAccount({ accountId, principal }: Identity, { allowedAccountIds = [] }: SessionRequest): void {
  if (allowedAccountIds.length === 0 || allowedAccountIds.includes(accountId)) return;
  throw new Failure({
    what: `AWS account ${accountId} is not allowed`,
    why: `the credentials belong to ${principal}, and allowed-account-ids has ${allowedAccountIds.join(', ')}`,
    now: 'Nothing was read or changed there',
    next: 'Use credentials of an allowed account, or correct allowed-account-ids',
  });
}

/** The runner masks secrets of the workflow, but not what a file or an instance role brought. */
async function maskCredentials(credentials: CredentialsProvider, tools: SessionTools): Promise<void> {
  const { secretAccessKey, sessionToken } = await credentials();
  tools.mask(secretAccessKey);
  if (sessionToken !== undefined) tools.mask(sessionToken);
}

/** Keys in the environment cannot be renewed; those of files and of an instance are, by the SDK. */
async function lifetimeOf(credentials: CredentialsProvider, tools: SessionTools): Promise<CredentialLifetime> {
  const { expiration } = await credentials();
  // Text that is no time becomes an invalid date in the SDK, and nothing is known by it.
  if (expiration === undefined || Number.isNaN(expiration.getTime())) return { kind: 'unknown' };
  return tools.environment('AWS_ACCESS_KEY_ID') === undefined
    ? { kind: 'renewed' }
    : { kind: 'ends', at: instant(expiration.getTime()) };
}
