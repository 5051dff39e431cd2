import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import { Failure } from '../../domain/failure.ts';
import type { CredentialsSource, RegistryCredentials } from '../../ports/image-registry.ts';
import type { ClientConfig } from './client-config.ts';
import { callAws } from './errors.ts';

export interface EcrRegistry {
  readonly account: string;
  readonly region: string;
}

/** A token of 12 hours for one registry; nothing of it is in an argument or an output. */
export function ecrCredentials(
  { account, region }: EcrRegistry,
  session: { readonly clientConfig: ClientConfig },
  mask: (value: string) => void,
): CredentialsSource {
  const client = new ECRClient({ ...session.clientConfig, region });
  let kept: Promise<RegistryCredentials> | undefined;
  return (wanted, signal) => {
    if (wanted === 'renew') kept = undefined;
    return (kept ??= ask(signal));
  };

  async function ask(signal: AbortSignal): Promise<RegistryCredentials> {
    const what = `Could not log in to the ECR registry of account ${account} in ${region}`;
    const command = new GetAuthorizationTokenCommand({ registryIds: [account] });
    const answer = await callAws({ action: 'ecr:GetAuthorizationToken', what }, signal, () =>
      client.send(command, { abortSignal: signal }),
    );
    const token = answer.authorizationData?.[0]?.authorizationToken ?? '';
    const [, username, password] = /^([^:]+):(.+)$/s.exec(Buffer.from(token, 'base64').toString('utf8')) ?? [];
    if (username === undefined || password === undefined)
      throw new Failure({ what, why: 'ECR answered without a token' });
    mask(token);
    mask(password);
    return { username, password };
  }
}
