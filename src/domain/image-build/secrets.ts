import { type Checked, type InputProblem, bad, good } from '../inputs.ts';
import { quotedEntries } from '../quoted-entries.ts';
import type { BuildSecret } from './build-spec.ts';

const ID = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

export interface SecretTexts {
  /** `ID=value` lines; a value in double quotes may have line ends, `""` is a quote in it. */
  readonly values: string;
  readonly environments: readonly string[];
  readonly files: readonly string[];
}

/**
 * Reads the three forms of secrets. What is malformed or empty is an error: a build that goes on without its secret fails
 * later and elsewhere, or bakes the absence in. No problem repeats a value.
 */
export function readSecrets({ values, environments, files }: SecretTexts): Checked<readonly BuildSecret[]> {
  const problems: InputProblem[] = [];
  const secrets: BuildSecret[] = [];
  const add = (input: string, id: string, from: BuildSecret['from'], index: number): void => {
    const what = from.kind === 'value' ? from.value : from.kind === 'environment' ? from.name : from.path;
    const wrong = !ID.test(id)
      ? `entry ${index + 1} has no id before its =`
      : what === ''
        ? `entry ${index + 1} (${id}) is empty`
        : secrets.some((secret) => secret.id === id)
          ? `has the id ${id} twice`
          : undefined;
    if (wrong === undefined) secrets.push({ id, from });
    else problems.push({ input, problem: wrong, accepted: ACCEPTED[from.kind] });
  };
  const entries = quotedEntries(values);
  if (entries === undefined)
    problems.push({
      input: 'secrets',
      problem: 'has a quote that is not closed, or text behind one that is',
      accepted: ACCEPTED.value,
    });
  (entries ?? []).forEach(({ id, value }, index) => add('secrets', id, { kind: 'value', value }, index));
  environments.forEach((entry, index) => {
    const [id, name] = halves(entry);
    if (name !== '' && !VARIABLE.test(name))
      problems.push({
        input: 'secret-envs',
        problem: `entry ${index + 1} names no variable`,
        accepted: ACCEPTED.environment,
      });
    else add('secret-envs', id, { kind: 'environment', name }, index);
  });
  files.forEach((entry, index) => {
    const [id, path] = halves(entry);
    add('secret-files', id, { kind: 'file', path }, index);
  });
  return problems.length > 0 ? bad(...problems) : good(secrets);
}

const ACCEPTED = {
  value: 'one `ID=value` a line; a value of several lines in double quotes',
  environment: 'one `ID=VARIABLE` a line',
  file: 'one `ID=path` a line',
} as const;

function halves(entry: string): readonly [string, string] {
  const at = entry.indexOf('=');
  return at < 0 ? ['', entry] : [entry.slice(0, at).trim(), entry.slice(at + 1).trim()];
}

const SECRET_NAME =
  /(^|_)(TOKEN|PAT|PASS|PASSWORD|PASSWD|PASSPHRASE|SECRET|PRIVATE_?KEY|API_?KEY|ACCESS_?KEY|CREDENTIALS?)($|_)|_PWD$/i;
/** `npmToken` is `npm_Token`. */
const inWords = (name: string): string => name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2');
/** Forms that GitHub, AWS, npm, GitLab and Slack give their own; a header of HTTP; a signed token; a password in an address. */
const SECRET_VALUE =
  /^(?:(?:basic|bearer)\s+\S{8,}|eyJ[\w-]+\.[\w-]+\.[\w-]*|[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]*:[^/?#@\s]+@.*|gh[pousr]_\w{20,}|github_pat_\w{20,}|A[KS]IA[A-Z0-9]{16}|npm_\w{20,}|glpat-[\w-]{16,}|xox[a-z]-[\w-]{10,})$/i;

/** Some of these are for everybody, such as the key by which a page names its project; a password never is. */
const SIGNED_TOKEN = /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/;

/**
 * Build arguments stand in the image's history, for everybody who may pull it. `open`: names of those that everybody may
 * know, which may look like a secret; what only its owner can have, such as a token of GitHub, is refused there, too.
 */
export function buildArgProblems(buildArgs: readonly string[], open: readonly string[] = []): readonly InputProblem[] {
  const names = buildArgs.map((argument) => argument.split('=', 1)[0] ?? '');
  const unknown = open.filter((name) => !names.includes(name));
  return [...buildArgs.flatMap((argument) => argProblems(argument, open)), ...unknown.map(unknownProblem)];
}

const unknownProblem = (given: string): InputProblem => ({
  input: 'public-build-args',
  given,
  problem: 'is no name in build-args',
  accepted: 'one NAME of build-args a line, without its value',
});

function argProblems(argument: string, open: readonly string[]): readonly InputProblem[] {
  const name = argument.split('=', 1)[0] ?? '';
  if (!VARIABLE.test(name))
    return [
      {
        input: 'build-args',
        problem: `${JSON.stringify(name)} is not the name of an argument`,
        accepted: 'one NAME=value a line',
      },
    ];
  const value = argument.slice(name.length + 1);
  const isOpen = open.includes(name);
  const isSecret = SECRET_VALUE.test(value) && !(isOpen && SIGNED_TOKEN.test(value));
  if (!isSecret && (isOpen || !SECRET_NAME.test(inWords(name)))) return [];
  const mount = `secrets or secret-envs, and RUN --mount=type=secret,id=${name.toLowerCase()} in the Dockerfile`;
  return [
    {
      input: 'build-args',
      problem: `${name} looks like a secret, and every build argument stands in the history of the image`,
      accepted: isOpen ? mount : `${mount}; where everybody may know it, its name in public-build-args`,
    },
  ];
}
