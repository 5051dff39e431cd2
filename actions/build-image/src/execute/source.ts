import type { BuildSecret, BuildSpec } from '../../../../src/domain/image-build/build-spec.ts';
import { type BaseLine, baseLine, mountedSecrets } from '../../../../src/domain/image-build/dockerfile.ts';
import { excludedBy } from '../../../../src/domain/image-build/dockerignore.ts';
import { InvalidInput, type InputProblem } from '../../../../src/domain/inputs.ts';
import { unreachable } from '../../../../src/domain/unreachable.ts';

export interface Secret {
  readonly id: string;
  readonly content: string;
}

export interface Source {
  readonly secrets: readonly Secret[];
  /** Of the Dockerfile; undefined: it cannot be told. */
  readonly baseLine: BaseLine | undefined;
}

/** The workspace and the step; paths start at the workspace. */
export interface SourcePorts {
  /** Where a link leads that leaves the workspace; undefined: it stays. */
  leadsOut(path: string): Promise<string | undefined>;
  whatIs(path: string): Promise<'file' | 'folder' | 'missing'>;
  read(
    path: string,
  ): Promise<
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'missing' }
    | { readonly kind: 'unreadable'; readonly why: string }
  >;
  environment(name: string): string | undefined;
  mask(value: string): void;
}

/**
 * Context, Dockerfile and secrets, looked at before anything else is done, and all that is wrong in one message. A secret
 * that is empty or that nobody gives is an error, never a build without it. What a commit could have made a link to a file
 * of this machine is refused: the build would read it.
 */
export async function openSource(spec: BuildSpec, ports: SourcePorts): Promise<Source> {
  const file = await dockerfileOf(spec, ports);
  const links = await linkProblems(spec, file, ports);
  // Nothing of what such a link leads to is read.
  if (links.length > 0) throw new InvalidInput('What is built, and its secrets,', links);
  const read = await ports.read(file);
  const problems: InputProblem[] = [...(await placeProblems(spec, { file, read }, ports))];
  const secrets: Secret[] = [];
  for (const secret of spec.secrets) {
    const content = await contentOf(secret, ports);
    if (typeof content === 'string') {
      ports.mask(content);
      secrets.push({ id: secret.id, content });
    } else problems.push(content);
  }
  problems.push(...leakProblems(spec, secrets));
  if (problems.length > 0) throw new InvalidInput('What is built, and its secrets,', problems);
  return { secrets, baseLine: read.kind === 'text' ? baseLine(read.text, spec.target) : undefined };
}

/** What a context takes in: BuildKit reads the .dockerignore of a Dockerfile before that of the context. */
export async function contextOf(spec: BuildSpec, ports: SourcePorts) {
  const file = await dockerfileOf(spec, ports);
  const own = await ports.read(`${file}.dockerignore`);
  const ignore = own.kind === 'text' ? own : await ports.read(`${spec.context}/.dockerignore`);
  return { context: spec.context, file, excluded: excludedBy(ignore.kind === 'text' ? ignore.text : '') };
}

/** Without `file` the engine takes the lower-case name, too. */
async function dockerfileOf({ context, file }: BuildSpec, { whatIs }: SourcePorts): Promise<string> {
  if (file !== undefined) return file;
  const [usual, lower] = [`${context}/Dockerfile`, `${context}/dockerfile`];
  return (await whatIs(usual)) === 'missing' && (await whatIs(lower)) !== 'missing' ? lower : usual;
}

async function linkProblems(
  { context, secrets }: BuildSpec,
  file: string,
  { leadsOut }: SourcePorts,
): Promise<readonly InputProblem[]> {
  const places = [
    ['context', context],
    ['file', file],
    ...secrets.flatMap(({ from }) => (from.kind === 'file' ? [['secret-files', from.path] as const] : [])),
  ] as const;
  const problems: InputProblem[] = [];
  for (const [input, given] of places) {
    const real = await leadsOut(given);
    const accepted = 'a path that stays in the workspace';
    if (real !== undefined)
      problems.push({ input, given, problem: `is a link out of the workspace, to ${real}`, accepted });
  }
  return problems;
}

async function placeProblems(
  spec: BuildSpec,
  { file, read }: { readonly file: string; readonly read: Awaited<ReturnType<SourcePorts['read']>> },
  ports: SourcePorts,
): Promise<readonly InputProblem[]> {
  const { context, target, secrets } = spec;
  const there = await ports.whatIs(context);
  const accepted = 'a path from the workspace; actions/checkout has to come before this step';
  const problems: InputProblem[] = [];
  if (there !== 'folder')
    problems.push({
      input: 'context',
      given: context,
      problem: there === 'file' ? 'is no folder' : 'is not there',
      accepted,
    });
  switch (read.kind) {
    case 'missing':
      return [...problems, { input: 'file', given: file, problem: 'is not there', accepted }];
    case 'unreadable':
      return [...problems, { input: 'file', given: file, problem: `cannot be read: ${read.why}`, accepted }];
    case 'text': {
      const missing = mountedSecrets(read.text, target).filter(({ id }) => !secrets.some((each) => each.id === id));
      return [...problems, ...missing.map(({ id, line }) => missingSecret(id, `${file}:${line}`))];
    }
    default:
      return unreachable(read);
  }
}

const missingSecret = (id: string, where: string): InputProblem => ({
  input: 'secrets',
  problem: `no input gives ${id}, which ${where} mounts`,
  accepted: `${id}= in secrets, secret-envs or secret-files, or required=false at the mount, if the build can do without`,
});

/** Shorter ones are found in anything. */
const LEAST_LEAK = 8;

/** A secret that stands in the image for everybody who may pull it, and in the command line besides. */
function leakProblems(
  { buildArgs, labels, annotations, extraArgs }: BuildSpec,
  secrets: readonly Secret[],
): readonly InputProblem[] {
  const places = {
    'build-args': buildArgs,
    labels: Object.values(labels),
    annotations: Object.values(annotations),
    'extra-args': extraArgs,
  };
  return secrets.flatMap(({ id, content }) =>
    Object.entries(places)
      .filter(([, texts]) => content.trim().length >= LEAST_LEAK && texts.some((text) => text.includes(content.trim())))
      .map(([input]) => ({
        input,
        problem: `holds the secret ${id}, and stands in the image`,
        accepted: `RUN --mount=type=secret,id=${id} in the Dockerfile`,
      })),
  );
}

async function contentOf(
  { id, from }: BuildSecret,
  { environment, read }: SourcePorts,
): Promise<string | InputProblem> {
  const accepted = 'a secret with a value';
  switch (from.kind) {
    case 'value':
      return from.value;
    case 'environment': {
      const value = environment(from.name) ?? '';
      if (value.trim() !== '') return value;
      return { input: 'secret-envs', problem: `${id}: ${from.name} is not set or empty`, accepted };
    }
    case 'file': {
      const file = await read(from.path);
      if (file.kind === 'text' && file.text.trim() !== '') return file.text;
      const why =
        file.kind === 'missing'
          ? `${from.path} is not there`
          : file.kind === 'text'
            ? `${from.path} is empty`
            : `${from.path} cannot be read: ${file.why}`;
      return { input: 'secret-files', problem: `${id}: ${why}`, accepted };
    }
    default:
      return unreachable(from);
  }
}
