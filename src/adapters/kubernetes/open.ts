import type { AccessWish } from '../../domain/kubernetes/access-inputs.ts';
import { eksCommand } from '../../domain/kubernetes/kubeconfig-policy.ts';
import type { Kubernetes } from '../../ports/kubernetes.ts';
import type { SessionRequest, SessionTools } from '../aws/session.ts';
import { systemRandom } from '../system/random.ts';
import type { Access } from './access.ts';
import { kubernetesOf } from './cluster.ts';
import { kubeHttp } from './http.ts';
import { accessOfPod } from './in-cluster.ts';
import { accessOfKubeconfig, readKubeconfig } from './kubeconfig.ts';

export interface OpenRequest {
  readonly wish: AccessWish;
  /** For EKS. */
  readonly aws: SessionRequest;
}

export interface OpenTools extends SessionTools {
  readonly run: SessionTools['run'] & { readonly workspace: string };
  readonly onWarning: (text: string) => void;
}

export interface OpenCluster {
  readonly cluster: Kubernetes;
  /** Namespace of the context, or of the pod that the job runs in. */
  readonly namespace: string | undefined;
  close(): Promise<void>;
}

export async function openKubernetes(
  request: OpenRequest,
  tools: OpenTools,
  signal: AbortSignal,
): Promise<OpenCluster> {
  const access = await accessFor(request, tools, signal);
  const { clock, log, onWarning } = tools;
  const http = kubeHttp(access, { clock, log, random: systemRandom(), onWarning });
  return { cluster: kubernetesOf(http), namespace: access.namespace, close: () => http.close() };
}

async function accessFor({ wish, aws }: OpenRequest, tools: OpenTools, signal: AbortSignal): Promise<Access> {
  switch (wish.kind) {
    case 'kubeconfig': {
      const asked = { ...wish, workspace: tools.run.workspace };
      const config = await readKubeconfig(asked, tools);
      const command = wish.allowed.includes('exec') ? undefined : eksCommand(config.chosen);
      if (command === undefined) return accessOfKubeconfig(config, asked, tools);
      // The command of AWS is not needed: the same token is made here. Endpoint and authority are those of the file.
      const chosen = { ...config.chosen, user: {} };
      const access = await accessOfKubeconfig({ ...config, chosen }, asked, tools);
      const region = command.region ?? aws.region;
      const session = await sessionFor({ ...aws, ...(region === undefined ? {} : { region }) }, tools, signal);
      const { eksAuthorization } = await import('./eks.ts');
      return { ...access, authorization: eksAuthorization(command.cluster, session, tools) };
    }
    case 'eks': {
      const { accessOfEks } = await import('./eks.ts');
      return accessOfEks(wish.cluster, await sessionFor(aws, tools, signal), tools, signal);
    }
    case 'server': {
      const { server, token } = wish;
      const ca = wish.certificateAuthority;
      const pem = ca === undefined || ca.includes('-----BEGIN') ? ca : Buffer.from(ca, 'base64').toString('utf8');
      return {
        server: server.replace(/\/+$/, ''),
        verify: 'certificate',
        ...(pem === undefined ? {} : { certificateAuthority: pem }),
        authorization: () => Promise.resolve(`Bearer ${token}`),
      };
    }
    case 'in-cluster':
      return accessOfPod(tools);
  }
}

async function sessionFor(request: SessionRequest, tools: OpenTools, signal: AbortSignal) {
  const { awsSession } = await import('../aws/session.ts');
  return awsSession(request, tools, signal);
}
