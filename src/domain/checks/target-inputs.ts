import { type Checked, type InputProblem, bad, good, httpUrl, matching, secret, text } from '../inputs.ts';
import { quotedEntries } from '../quoted-entries.ts';
import type { Environment } from './fill-in.ts';

/** Inputs of every action that runs checks, in the same words. */
export const checkInputs = {
  url: httpUrl({
    description:
      'Base URL that users reach, through the load balancer; the paths of the checks come after it, and it wins over `target` of the checks file. Example: `https://shop.example.com`.',
    from: 'stage',
  }),
  host: matching({
    description:
      'Name for TLS and the Host header, when it is not the host of the URL: the certificate is checked for this name. Example: `shop.example.com`.',
    from: 'stage',
    shape: /[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::\d{1,5})?/,
    accepts: 'a host name',
    accepted: 'a name without scheme and path, with a port if needed: shop.example.com',
  }),
  checks: text({
    description:
      'Path of the checks file (YAML, version 1), from the workspace. smoke-test runs it on `url`; blue-green on the candidate before it gets traffic, and again on `url` after the recheck. Example: `deploy/checks.yml`.',
    from: 'stage',
  }),
  'check-secrets': secret({
    description:
      'Values for `${NAME}` in the checks, one `NAME=value` a line, a value of several lines in double quotes; they win over the environment of the step and are masked. For workflows that cannot set `env`. Example: a secret with the line `API_TOKEN=...`.',
  }),
};

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The entries of `check-secrets` and `secret-values`. A problem names the line and never repeats it. A value that is empty
 * counts as not set.
 */
export function readCheckSecrets(text: string): Checked<ReadonlyMap<string, string>> {
  const values = new Map<string, string>();
  const problems: InputProblem[] = [];
  const refuse = (problem: string): unknown =>
    problems.push({
      input: 'check-secrets',
      problem,
      accepted: 'NAME=value, one a line; a value of several lines in double quotes',
    });
  const entries = quotedEntries(text);
  if (entries === undefined) refuse('has a quote that is not closed, or text behind one that is');
  for (const { id, value, line } of entries ?? []) {
    if (!NAME.test(id)) refuse(`has something else than NAME=value in line ${line}`);
    else if (values.has(id)) refuse(`has ${id} a second time in line ${line}`);
    else values.set(id, value);
  }
  return problems.length === 0 ? good(values) : bad(...problems);
}

/** The environment of the step, with `check-secrets` over it. */
export const withCheckSecrets =
  (environment: Environment, values: ReadonlyMap<string, string>): Environment =>
  (name) =>
    values.get(name) || environment(name);
