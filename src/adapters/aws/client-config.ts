import type { Duration } from '../../domain/duration.ts';
import { seconds } from '../../domain/duration.ts';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}
export type CredentialsProvider = () => Promise<AwsCredentials>;

/** What every client of the SDK is made with. AWS_ENDPOINT_URL, proxies and CA files are the SDK's own affair. */
export interface ClientConfig {
  readonly region: string;
  readonly credentials?: CredentialsProvider;
  readonly maxAttempts: number;
  readonly retryMode: 'standard';
  readonly requestHandler: {
    readonly connectionTimeout: number;
    readonly requestTimeout: number;
    readonly throwOnRequestTimeout: true;
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

export function clientConfig(region: string, run: string, credentials?: CredentialsProvider): ClientConfig {
  return {
    region,
    maxAttempts: ATTEMPTS,
    retryMode: 'standard',
    requestHandler: { connectionTimeout: CONNECT_WITHIN, requestTimeout: ANSWER_WITHIN, throwOnRequestTimeout: true },
    // Stands in CloudTrail, so that a call can be traced to its workflow run.
    customUserAgent: [['sluice', run]],
    ...(credentials === undefined ? {} : { credentials }),
  };
}
