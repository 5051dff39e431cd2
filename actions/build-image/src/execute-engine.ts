import { milliseconds } from '../../../src/domain/duration.ts';
import { Failure } from '../../../src/domain/failure.ts';
import {
  type CommandParts,
  buildCommand,
  endOf,
  isCacheFault,
  lastWords,
} from '../../../src/domain/image-build/command.ts';
import type { Engine } from '../../../src/domain/image-build/engine.ts';
import { nameOf } from '../../../src/domain/image-build/registries.ts';
import { classifyPushOutput } from '../../../src/domain/image-build/registry-errors.ts';
import { CloudFailure, mayPass } from '../../../src/domain/retry-policy.ts';
import type { ProgramResult } from '../../../src/ports/programs.ts';
import type { BuildPorts } from './execute-ports.ts';
import type { BuildPlan } from './plan.ts';

const TRIES = 5;
/** Of the output of a program, enough for the reason. */
const SHOWN_LINES = 15;

export interface Building {
  readonly engine: Engine;
  readonly identity: string;
  /** Asked before the image gets its name: another run may have pushed the same by now. */
  readonly beforePush: () => Promise<'push' | 'leave'>;
}

/** What is in the registry now, as the engine says it; the registry has the last word. */
export type Built =
  | { readonly kind: 'kept' }
  /** Another run has the name. */
  | { readonly kind: 'left' }
  /** undefined: the engine named no digest. */
  | { readonly kind: 'named'; readonly digest: string | undefined }
  /** Without a name: nothing but its digest leads to it. */
  | { readonly kind: 'unnamed'; readonly digest: string };

/** Builds, and pushes: under the digest alone where the engine can, else under the identity tag. */
export async function buildAndPush(
  plan: BuildPlan,
  { engine, identity, beforePush }: Building,
  ports: BuildPorts,
  signal: AbortSignal,
): Promise<Built> {
  const { request, build } = plan;
  const name = `${nameOf(request.repositories[0])}:${identity}`;
  const end = endOf(engine, request.push);
  const parts: Omit<CommandParts, 'cache'> = {
    kind: engine.kind,
    name,
    end,
    secrets: await ports.engine.secrets(),
    metadataFile: ports.engine.metadataFile,
  };
  const once = async (cache: 'with' | 'without'): Promise<ProgramResult> =>
    ports.engine.run(engine.client, buildCommand(build, { ...parts, cache }), signal);
  const cached = async (): Promise<ProgramResult> => {
    const first = await once('with');
    if (first.code === 0 || build.cacheFrom.length + build.cacheTo.length === 0 || !isCacheFault(output(first)))
      return first;
    ports.log.warning('The cache failed; the build is made again without it');
    return once('without');
  };
  if (end === 'push-digest' || end === 'push-name') {
    if (end === 'push-name') ports.onWrite();
    const what = `build and push ${name}`;
    check(await repeated(cached, { what, isPush: isPushFault }, ports, signal), 'build', name);
    const digest = digestIn(await ports.engine.readMetadata());
    if (end === 'push-name') return { kind: 'named', digest };
    ports.onWrite();
    return (await beforePush()) === 'leave' ? { kind: 'left' } : { kind: 'unnamed', digest };
  }
  check(await cached(), 'build', name);
  if (end === 'keep') return { kind: 'kept' };
  if ((await beforePush()) === 'leave') return { kind: 'left' };
  ports.onWrite();
  const pushed = await repeated(
    () => ports.engine.run(engine.client, { args: ['push', name], env: {} }, signal),
    { what: `push ${name}`, isPush: () => true },
    ports,
    signal,
  );
  check(pushed, 'push', name);
  return { kind: 'named', digest: /digest: (sha256:[0-9a-f]{64}) size:/.exec(pushed.stdout)?.[1] };
}

const output = ({ stdout, stderr }: ProgramResult): string => `${lastWords(stdout)}\n${lastWords(stderr)}`;

/** Of buildx, whose output has the build in it as well: only its own last words count. */
const isPushFault = (text: string): boolean =>
  /^(#\d+ )?ERROR: .*(push|authorize|copy|exporting)|failed to (push|authorize|copy)/im.test(text);

/** Again by the class of the error: dockerd repeats layers, and never the manifest. A second push costs 0.1 s, for the layers are there. */
async function repeated(
  run: () => Promise<ProgramResult>,
  { what, isPush }: { readonly what: string; readonly isPush: (text: string) => boolean },
  { engine, clock, random, log }: BuildPorts,
  signal: AbortSignal,
): Promise<ProgramResult> {
  for (let attempt = 1, renewed = 0; ; attempt += 1) {
    const result = await run();
    if (result.code === 0) return result;
    const text = output(result);
    const kind = isPush(text) ? classifyPushOutput(text) : 'unknown';
    const renews = kind === 'expired-token' && renewed < 2;
    if (attempt >= TRIES || (!mayPass(kind) && !renews)) return result;
    const pause = milliseconds(Math.min(20_000, 500 * 2 ** attempt) * random.fraction());
    log.warning(`Could not ${what} (${kind}); try ${attempt} of ${TRIES}, again in ${Math.round(pause)} ms`);
    await clock.sleep(pause, signal);
    if (renews) {
      renewed += 1;
      await engine.logIn('renew', signal);
    }
  }
}

/** What failed, in the words of the engine; the whole output is in the log. */
function check(result: ProgramResult, step: 'build' | 'push', name: string): void {
  if (result.code === 0) return;
  const text = output(result);
  const last = text.trim().split('\n').slice(-SHOWN_LINES).join('\n').slice(-1_500);
  const kind = step === 'push' || isPushFault(text) ? classifyPushOutput(text) : 'unknown';
  const next = {
    conflict: 'A tag that must not move is never overwritten: set reuse: same-source, or another identity-tag',
    'expired-token': 'Log in to the registry: build-image does it for ECR and GHCR, else docker login in a step before',
    'access-denied': 'Give the job the right to push (GHCR: packages: write; ECR: the IAM actions in the README)',
    'not-found': 'Create the repository; build-image does not make one',
  } as const;
  const told = kind in next ? next[kind as keyof typeof next] : undefined;
  const what = step === 'build' ? `Could not build ${name}` : `Could not push ${name}`;
  throw new CloudFailure(kind, {
    what,
    why: `the engine ended with ${result.code ?? 'a signal'}: ${last}`,
    now: 'No tag was set',
    ...(told === undefined ? {} : { next: told }),
  });
}

/** `containerimage.digest` of buildx: the manifest or the index that it pushed. The image id is another number. */
function digestIn(metadata: unknown): string {
  const digest = ((metadata ?? {}) as Record<string, unknown>)['containerimage.digest'];
  if (typeof digest === 'string' && /^sha256:[0-9a-f]{64}$/.test(digest)) return digest;
  throw new Failure({
    what: 'buildx named no digest',
    why: `containerimage.digest in its metadata is ${JSON.stringify(digest)}`,
    now: 'No tag was set',
    next: 'Use buildx 0.10 or newer',
  });
}
