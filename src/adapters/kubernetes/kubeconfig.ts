import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { milliseconds, seconds } from '../../domain/duration.ts';
import { Failure, messageOf } from '../../domain/failure.ts';
import { InvalidInput } from '../../domain/inputs.ts';
import {
  type Allowance,
  type ChosenContext,
  chooseContext,
  refusals,
  secretsOfKubeconfig,
} from '../../domain/kubernetes/kubeconfig-policy.ts';
import { textAt } from '../../domain/kubernetes/object.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Access } from './access.ts';

export interface KubeconfigWish {
  /** The text itself, base64 of it, or a path from the workspace. */
  readonly given: string;
  readonly context: string | undefined;
  readonly allowed: readonly Allowance[];
  readonly workspace: string;
}

interface Tools {
  readonly clock: Clock;
  mask(value: string): void;
}

export interface Kubeconfig {
  readonly text: string;
  readonly chosen: ChosenContext;
}

/** A program that gives credentials answers at once or hangs. */
const EXEC_WITHIN = seconds(30);

/** Every secret in it is masked before anything else is done with it. */
export async function readKubeconfig(
  { given, context, workspace }: KubeconfigWish,
  { mask }: Pick<Tools, 'mask'>,
): Promise<Kubeconfig> {
  const refuse = (problem: string): InvalidInput =>
    new InvalidInput('The kubeconfig', [
      { input: 'kubeconfig', problem, accepted: 'its text, base64 of its text, or a path from the workspace' },
    ]);
  const text = await textOf(given, workspace);
  if (text === undefined) throw refuse('is neither a kubeconfig, nor base64 of one, nor a file');
  let config: unknown;
  try {
    config = parse(text);
  } catch {
    throw refuse('is not YAML that can be used');
  }
  for (const secret of secretsOfKubeconfig(config) ?? []) mask(secret);
  const chosen = chooseContext(config, context);
  if ('problem' in chosen) throw new InvalidInput('The kubeconfig', [chosen]);
  return { text, chosen };
}

async function textOf(given: string, workspace: string): Promise<string | undefined> {
  if (/apiVersion|clusters:/.test(given)) return given;
  const decoded = /^[A-Za-z0-9+/=\s]+$/.test(given) ? Buffer.from(given, 'base64').toString('utf8') : '';
  if (/apiVersion|clusters:/.test(decoded)) return decoded;
  if (given.includes('\n')) return undefined;
  return readFile(resolve(workspace, given), 'utf8').catch(() => undefined);
}

export async function accessOfKubeconfig(
  { text, chosen }: Kubeconfig,
  wish: KubeconfigWish,
  tools: Tools,
): Promise<Access> {
  const problems = refusals(chosen, wish.allowed);
  if (problems.length > 0) throw new InvalidInput('The kubeconfig', problems);
  const { cluster, user } = chosen;
  const { KubeConfig } = await import('./kubeconfig-client.ts');
  const config = new KubeConfig();
  config.loadFromString(text);
  config.setCurrentContext(chosen.name);
  const ca = await pem(cluster, 'certificate-authority', wish.workspace);
  const certificate = await pem(user, 'client-certificate', wish.workspace);
  const key = await pem(user, 'client-key', wish.workspace);
  const serverName = textAt(cluster, 'tls-server-name');
  const proxy = textAt(cluster, 'proxy-url');
  const token = textAt(user, 'token');
  return {
    server: (textAt(cluster, 'server') ?? '').replace(/\/+$/, ''),
    verify: cluster['insecure-skip-tls-verify'] === true ? 'nothing' : 'certificate',
    ...(ca === undefined ? {} : { certificateAuthority: ca }),
    ...(certificate === undefined || key === undefined ? {} : { clientCertificate: { certificate, key } }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(chosen.namespace === undefined ? {} : { namespace: chosen.namespace }),
    authorization: (signal) =>
      token === undefined ? headerOf(config, tools, signal) : Promise.resolve(`Bearer ${token}`),
  };
}

/** Exec plugins, OIDC and token files are the client's own affair; it keeps what has not expired. */
async function headerOf(
  config: { applySecurityAuthentication(context: never): Promise<void> },
  { clock, mask }: Tools,
  signal: AbortSignal,
): Promise<string | undefined> {
  let header: string | undefined;
  const context = {
    setHeaderParam: (name: string, value: string) => {
      if (name.toLowerCase() === 'authorization') header = value;
    },
    setDispatcher: () => undefined,
    setAgent: () => undefined,
  };
  const stop = new AbortController();
  try {
    await Promise.race([
      config.applySecurityAuthentication(context as never),
      clock.sleep(milliseconds(EXEC_WITHIN), AbortSignal.any([signal, stop.signal])).then(() => {
        throw new Error('it did not answer in 30 s');
      }),
    ]);
  } catch (thrown) {
    signal.throwIfAborted();
    throw new Failure(
      {
        what: 'Could not get credentials as the kubeconfig says',
        why: messageOf(thrown),
        next: 'Give a token, a client certificate, or eks-cluster instead of a program',
      },
      { cause: thrown },
    );
  } finally {
    stop.abort();
  }
  const token = header?.replace(/^(?:Bearer|Basic) /, '');
  if (token !== undefined) mask(token);
  return header;
}

async function pem(part: ChosenContext['user'], key: string, workspace: string): Promise<string | undefined> {
  const data = textAt(part, `${key}-data`);
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  const path = textAt(part, key);
  return path === undefined ? undefined : readFile(resolve(workspace, path), 'utf8');
}
