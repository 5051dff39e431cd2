import type { InputProblem } from '../inputs.ts';
import { type Fields, fieldAt, isFields, listAt, textAt } from './object.ts';

/** What a kubeconfig may only do when it is allowed by name: a kubeconfig is code. */
export const ALLOWANCES = ['exec', 'insecure-tls', 'files', 'proxy', 'auth-provider'] as const;
export type Allowance = (typeof ALLOWANCES)[number];

/** The parts of a kubeconfig that the chosen context uses. */
export interface ChosenContext {
  readonly name: string;
  readonly cluster: Fields;
  readonly user: Fields;
  readonly namespace: string | undefined;
}

const ACCEPTED = 'the kubeconfig of one cluster, with its context';

export function chooseContext(config: unknown, wanted: string | undefined): ChosenContext | InputProblem {
  const input = 'kubeconfig';
  if (!isFields(config)) return { input, problem: 'is no kubeconfig', accepted: ACCEPTED };
  const name = wanted ?? textAt(config, 'current-context') ?? '';
  const names = listAt(config, 'contexts').map((each) => textAt(each, 'name') ?? '');
  const context = byName(config, 'contexts', name, 'context');
  if (context === undefined)
    return wanted === undefined
      ? { input: 'context', problem: 'is missing: the kubeconfig has no current context', accepted: names.join(', ') }
      : { input: 'context', given: wanted, problem: 'is no context of the kubeconfig', accepted: names.join(', ') };
  const cluster = byName(config, 'clusters', textAt(context, 'cluster') ?? '', 'cluster');
  const user = byName(config, 'users', textAt(context, 'user') ?? '', 'user');
  if (cluster === undefined) return { input, problem: `has no cluster for the context ${name}`, accepted: ACCEPTED };
  return { name, cluster, user: user ?? {}, namespace: textAt(context, 'namespace') };
}

function byName(config: Fields, list: string, name: string, key: string): Fields | undefined {
  const entry = listAt(config, list).find((each) => textAt(each, 'name') === name);
  const value = fieldAt(entry, key);
  return isFields(value) ? value : undefined;
}

/** Keys of a user, and of the configuration of its auth-provider, whose values open a door. */
const SECRET_KEYS = /^(?:token|password|client-key-data|(?:id|access|refresh)-token|client-secret)$/;

/** Everything in a kubeconfig that must not be shown, of every user of it; undefined: it is no kubeconfig. */
export function secretsOfKubeconfig(config: unknown): readonly string[] | undefined {
  if (!isFields(config) || !Array.isArray(config['users'] ?? config['clusters'])) return undefined;
  const proxies = listAt(config, 'clusters').flatMap(
    (entry) => passwordOf(textAt(entry, 'cluster', 'proxy-url')) ?? [],
  );
  const users = listAt(config, 'users').flatMap((entry) => {
    const user = fieldAt(entry, 'user');
    const provider = fieldAt(user, 'auth-provider', 'config');
    const own = [user, provider].flatMap((each) => (isFields(each) ? Object.entries(each) : []));
    return [
      ...own.flatMap(([key, value]) => (SECRET_KEYS.test(key) && typeof value === 'string' ? [value] : [])),
      // What a program is given; its arguments can be read in the list of processes, so nobody has secrets there.
      ...listAt(user, 'exec', 'env').flatMap((variable) => textAt(variable, 'value') ?? []),
    ];
  });
  return [...users, ...proxies];
}

/** Of `http://name:password@proxy:3128`, as it is written there. */
const passwordOf = (url: string | undefined): string | undefined =>
  /^[a-z0-9+.-]+:\/\/[^/@:]*:([^/@]+)@/i.exec(url ?? '')?.[1];

/** What the chosen context does beyond naming a server and giving credentials, as far as it is not allowed. */
export function refusals({ cluster, user }: ChosenContext, allowed: readonly Allowance[]): readonly InputProblem[] {
  const found: (readonly [Allowance, string])[] = [
    ...(isFields(user['exec'])
      ? [['exec', `runs the program ${textAt(user, 'exec', 'command') ?? '?'} for its credentials`] as const]
      : []),
    ...(isFields(user['auth-provider'])
      ? [['auth-provider', `uses the auth-provider ${textAt(user, 'auth-provider', 'name') ?? '?'}`] as const]
      : []),
    ...(cluster['insecure-skip-tls-verify'] === true
      ? [['insecure-tls', 'does not verify the certificate of the server'] as const]
      : []),
    ...(/^http:/i.test(textAt(cluster, 'server') ?? '') ? [['insecure-tls', 'has a server without TLS'] as const] : []),
    ...(textAt(cluster, 'proxy-url') === undefined ? [] : [['proxy', 'goes through a proxy'] as const]),
    ...['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'].flatMap((key) =>
      textAt(cluster, key) === undefined && textAt(user, key) === undefined
        ? []
        : [['files', `names a file of the runner (${key})`] as const],
    ),
  ];
  const refused = found
    .filter(([allowance]) => !allowed.includes(allowance))
    .map(([allowance, what]) => ({
      input: 'kubeconfig',
      problem: `${what}, which is not allowed`,
      accepted: `allow-kubeconfig: ${allowance}, when it is meant to`,
    }));
  const proxy = textAt(cluster, 'proxy-url');
  if (proxy === undefined || (URL.canParse(proxy) && /^https?:/i.test(proxy))) return refused;
  return [
    ...refused,
    { input: 'kubeconfig', problem: 'has a proxy-url that cannot be used', accepted: 'http:// or https://' },
  ];
}

/** `aws eks get-token --cluster-name shop`: done here without the program. */
export function eksCommand({
  user,
}: ChosenContext): { readonly cluster: string; readonly region: string | undefined } | undefined {
  const command = textAt(user, 'exec', 'command') ?? '';
  const args = listAt(user, 'exec', 'args').map(String);
  const after = (flag: string): string | undefined =>
    args.includes(flag)
      ? args[args.indexOf(flag) + 1]
      : args.find((arg) => arg.startsWith(`${flag}=`))?.slice(flag.length + 1);
  const isAws = /(?:^|\/)aws$/.test(command) && args.includes('eks') && args.includes('get-token');
  const isAuthenticator = /(?:^|\/)aws-iam-authenticator$/.test(command) && args.includes('token');
  const cluster = isAws
    ? after('--cluster-name')
    : isAuthenticator
      ? (after('-i') ?? after('--cluster-id'))
      : undefined;
  return cluster === undefined ? undefined : { cluster, region: after('--region') };
}
