import {
  type Checked,
  type InputProblem,
  bad,
  documentWithSecrets,
  good,
  listMatching,
  matching,
  secret,
  text,
} from '../inputs.ts';
import { ALLOWANCES, type Allowance, secretsOfKubeconfig } from './kubeconfig-policy.ts';

/** Inputs of every action that talks to a cluster, in the same words. */
export const accessInputs = {
  kubeconfig: documentWithSecrets(
    {
      description:
        'Kubeconfig: its text, base64 of it, or a path from the workspace. Excludes `server` and `eks-cluster`. Without any of the three the service account of the pod that the job runs in. Example: a secret of the environment.',
    },
    secretsOfKubeconfig,
  ),
  context: text({
    description: 'Context of the kubeconfig. Without it its current one. Example: `production`.',
    from: 'stage',
  }),
  'allow-kubeconfig': listMatching({
    description:
      'What the kubeconfig may do beyond naming a server and giving credentials: `exec` (run a program), `insecure-tls`, `files` (name files of the runner), `proxy`, `auth-provider`. Nothing of it without this. Example: `exec`.',
    from: 'stage',
    shape: new RegExp(ALLOWANCES.join('|')),
    accepts: 'allowances',
    accepted: ALLOWANCES.join(', '),
  }),
  'eks-cluster': text({
    description:
      'Name of an EKS cluster; endpoint, authority and token are asked of AWS, without its command line. Excludes `kubeconfig` and `server`. Example: `production-shop`.',
    from: 'stage',
  }),
  server: matching({
    description:
      'Address of the API server, with `token` and mostly `certificate-authority`. Excludes `kubeconfig` and `eks-cluster`. Example: `https://10.0.0.1:6443`.',
    from: 'stage',
    shape: /https:\/\/[^\s/@]+(?:\/[^\s@]*)?/,
    accepts: 'an https address',
    accepted: 'https://host:port',
  }),
  'certificate-authority': text({
    description:
      'Certificate authority of `server`, as PEM or base64 of it. Without it the authorities of the system. Example: a variable of the environment.',
    from: 'stage',
  }),
  token: secret({ description: 'Bearer token for `server`. Example: a secret of the environment.' }),
};

export interface AccessValues {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly 'allow-kubeconfig': readonly string[] | undefined;
  readonly 'eks-cluster': string | undefined;
  readonly server: string | undefined;
  readonly 'certificate-authority': string | undefined;
  readonly token: string | undefined;
}

/** Which way in. */
export type AccessWish =
  | {
      readonly kind: 'kubeconfig';
      readonly given: string;
      readonly context: string | undefined;
      readonly allowed: readonly Allowance[];
    }
  | { readonly kind: 'eks'; readonly cluster: string }
  | {
      readonly kind: 'server';
      readonly server: string;
      readonly certificateAuthority: string | undefined;
      readonly token: string;
    }
  | { readonly kind: 'in-cluster' };

export function accessOf(values: AccessValues): Checked<AccessWish> {
  const { kubeconfig, server, token, context } = values;
  const cluster = values['eks-cluster'];
  const given = Object.entries({ kubeconfig, 'eks-cluster': cluster, server }).filter(
    ([, value]) => value !== undefined,
  );
  const problems: InputProblem[] = [];
  const [first, ...others] = given.map(([input]) => input);
  if (others.length > 0)
    problems.push({
      input: first ?? '',
      problem: `excludes ${others.join(' and ')}`,
      accepted: 'one way to the cluster',
    });
  if (server !== undefined && token === undefined)
    problems.push({ input: 'token', problem: 'is missing: server needs it', accepted: 'a bearer token' });
  if (problems.length > 0) return bad(...problems);
  if (kubeconfig !== undefined) {
    const allowed = ALLOWANCES.filter((each) => values['allow-kubeconfig']?.includes(each) === true);
    return good({ kind: 'kubeconfig', given: kubeconfig, context, allowed });
  }
  if (cluster !== undefined) return good({ kind: 'eks', cluster });
  if (server === undefined) return good({ kind: 'in-cluster' });
  return good({ kind: 'server', server, certificateAuthority: values['certificate-authority'], token: token ?? '' });
}
