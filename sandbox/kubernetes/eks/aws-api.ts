import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Cluster } from '../cluster.ts';
import { type AwsIdentity, EKS_CLUSTER } from './identity.ts';

/** The two services of AWS that lead to a cluster of EKS, for the identities that it was started with. */
export interface EksApi {
  /** What a step's environment has of the identity. */
  environmentOf(identity: AwsIdentity): Readonly<Record<string, string>>;
  /** Operations that were asked for, in order. */
  calls(): readonly string[];
  close(): Promise<void>;
}

export const EKS_REGION = 'us-west-2';

/** sts:GetCallerIdentity and eks:DescribeCluster on 127.0.0.1, in the shapes of their API references. */
export async function startEksApi(cluster: Cluster, identities: readonly AwsIdentity[]): Promise<EksApi> {
  const calls: string[] = [];
  const server = createServer((request, response) => {
    const who = identities.find(({ accessKeyId }) =>
      request.headers.authorization?.startsWith(`AWS4-HMAC-SHA256 Credential=${accessKeyId}/`),
    );
    if (who === undefined) return refuse(response, 403, 'InvalidClientTokenId');
    const operation = operationOf(request);
    calls.push(operation);
    request.resume();
    if (operation === 'sts:GetCallerIdentity') return identify(response, who);
    const found = operation === `eks:DescribeCluster ${EKS_CLUSTER}`;
    if (!found) return refuse(response, 404, 'ResourceNotFoundException');
    const data = Buffer.from(cluster.authority).toString('base64');
    const described = { name: EKS_CLUSTER, status: 'ACTIVE', endpoint: cluster.url, certificateAuthority: { data } };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ cluster: described }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const AWS_ENDPOINT_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    environmentOf: ({ accessKeyId, secretAccessKey }) => ({
      AWS_ENDPOINT_URL,
      AWS_REGION: EKS_REGION,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    }),
    calls: () => calls,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

/** The scope of the signature names the service; EKS is REST, and STS is asked for one thing here. */
function operationOf({ method, url = '/', headers }: IncomingMessage): string {
  const [, service = ''] = /\/([a-z]+)\/aws4_request/.exec(headers.authorization ?? '') ?? [];
  if (service === 'sts') return method === 'POST' ? 'sts:GetCallerIdentity' : 'sts';
  const [, name] = /^\/clusters\/([\w-]+)$/.exec(url) ?? [];
  return `${service}:DescribeCluster ${name ?? url}`;
}

function identify(response: ServerResponse, { arn }: AwsIdentity): void {
  const [, , , , account = ''] = arn.split(':');
  const result = `<Arn>${arn}</Arn><UserId>AIDASANDBOX</UserId><Account>${account}</Account>`;
  response
    .writeHead(200, { 'content-type': 'text/xml' })
    .end(
      `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>${result}</GetCallerIdentityResult></GetCallerIdentityResponse>`,
    );
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': code })
    .end(JSON.stringify({ message: `${code} (played)` }));
}
