import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duration } from '../../domain/duration.ts';
import { seconds } from '../../domain/duration.ts';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}
export type CredentialsProvider = () => Promise<AwsCredentials>;

/** What every client of the SDK is made with. AWS_ENDPOINT_URL and CA files are the SDK's own affair. */
export interface ClientConfig {
  readonly region: string;
  readonly credentials?: CredentialsProvider;
  readonly maxAttempts: number;
  readonly retryMode: 'standard';
  readonly requestHandler: {
    readonly connectionTimeout: number;
    readonly requestTimeout: number;
    readonly throwOnRequestTimeout: true;
    readonly httpAgent?: HttpAgent;
    readonly httpsAgent?: HttpsAgent;
  };
  readonly customUserAgent: [string, string][];
}

/**
 * Without these the SDK waits without an end: a connection that hangs was seen to take 6 m 45 s
 * (github.com/aws-actions/configure-aws-credentials/issues/1848). No call here answers later than in a few seconds.
 */
const CONNECT_WITHIN: Duration = seconds(5);
const ANSWER_WITHIN: Duration = seconds(10);
/** Throttled, 5xx and socket errors are repeated by the SDK with growing pauses; access denied and the like never. */
const ATTEMPTS = 5;

export function clientConfig(
  region: string,
  run: string,
  credentials?: CredentialsProvider,
  agents: ProxyAgents = {},
): ClientConfig {
  return {
    region,
    maxAttempts: ATTEMPTS,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: CONNECT_WITHIN,
      requestTimeout: ANSWER_WITHIN,
      throwOnRequestTimeout: true,
      ...agents,
    },
    // Stands in CloudTrail, so that a call can be traced to its workflow run.
    customUserAgent: [['sluice', run]],
    ...(credentials === undefined ? {} : { credentials }),
  };
}

const PROXY_VARIABLES = ['https_proxy', 'http_proxy', 'no_proxy'];

export type ProxyAgents = Pick<ClientConfig['requestHandler'], 'httpAgent' | 'httpsAgent'>;

/**
 * The SDK asks no proxy by itself, and a self-hosted runner may have no other way out: the runner hands its proxy to every
 * step in these variables (docs.github.com/actions/how-tos/manage-runners/self-hosted-runners/use-proxy-servers). Node's
 * agents read them since 24.5. Without a proxy the SDK makes its own agents.
 */
export function proxyAgents(environment: (name: string) => string | undefined): ProxyAgents {
  const given = PROXY_VARIABLES.map((name) => [name, environment(name) ?? environment(name.toUpperCase())] as const);
  const proxyEnv = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  if (proxyEnv['https_proxy'] === undefined && proxyEnv['http_proxy'] === undefined) return {};
  // As the SDK makes them.
  const options = { keepAlive: true, maxSockets: 50, proxyEnv };
  return { httpAgent: new HttpAgent(options), httpsAgent: new HttpsAgent(options) };
}
