import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../domain/failure.ts';
import type { Access } from './access.ts';

interface Tools {
  environment(name: string): string | undefined;
  mask(value: string): void;
}

/** Where the kubelet puts the account of a pod. */
const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Of a runner that is a pod itself. The token is renewed by the kubelet, so it is read again for every request. */
export async function accessOfPod(tools: Tools, account = ACCOUNT): Promise<Access> {
  const host = tools.environment('KUBERNETES_SERVICE_HOST');
  const port = tools.environment('KUBERNETES_SERVICE_PORT') ?? '443';
  const read = (name: string): Promise<string | undefined> =>
    readFile(join(account, name), 'utf8').then(
      (text) => text.trim(),
      () => undefined,
    );
  const [ca, namespace] = await Promise.all([read('ca.crt'), read('namespace')]);
  if (host === undefined)
    throw new Failure({
      what: 'There is no way to a cluster',
      why: 'neither kubeconfig, nor eks-cluster, nor server is given, and the job does not run in a pod',
      now: 'Nothing was touched',
      next: 'Set one of kubeconfig, eks-cluster, or server with token',
    });
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    verify: 'certificate',
    // The address of a Service of the cluster itself, which no proxy outside reaches.
    proxy: 'none',
    ...(ca === undefined ? {} : { certificateAuthority: ca }),
    ...(namespace === undefined ? {} : { namespace }),
    async authorization() {
      const token = await read('token');
      if (token === undefined) throw new Failure({ what: 'The pod of the job has no service account token' });
      tools.mask(token);
      return `Bearer ${token}`;
    },
  };
}
