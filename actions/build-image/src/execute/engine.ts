import { milliseconds } from '../../../../src/domain/duration.ts';
import { Failure } from '../../../../src/domain/failure.ts';
import {
  type CommandParts,
  buildCommand,
  endOf,
  isCacheFault,
  lastWords,
} from '../../../../src/domain/image-build/command.ts';
import type { Engine } from '../../../../src/domain/image-build/engine.ts';
import { nameOf } from '../../../../src/domain/image-build/registries.ts';
import { classifyPushOutput } from '../../../../src/domain/image-build/registry-errors.ts';
import { CloudFailure, mayPass } from '../../../../src/domain/retry-policy.ts';
import type { ProgramResult } from '../../../../src/ports/programs.ts';
import type { BuildPorts } from './ports.ts';
import type { BuildPlan } from '../plan.ts';

const TRIES = 5;
/** Of the output of a program, enough for the reason. */
const SHOWN_LINES = 15;

export interface Building {
  readonly engine: Engine;
  readonly identity: string;
}

/** What came of a build, as the engine says it; the registry has the last word. */
export type Built =
  | { readonly kind: 'kept' }
  /** Pushed under its identity tag. */
  | { readonly kind: 'named'; readonly digest: string; readonly progress: string }
  | Held
  | Unnamed;

/** In the engine, and not in the registry. */
export interface Held {
  readonly kind: 'held';
  /** The engine's id of what it built. */
  readonly imageId: string;
  readonly progress: string;
  /** Pushes it under an identity tag. The digest that the engine named; undefined: none. */
  push(identity: string): Promise<string | undefined>;
  /** Has to be called at the end. */
  forget(): Promise<void>;
}

/** In the registry, without a name: nothing but its digest leads to it. */
export interface Unnamed {
  readonly kind: 'unnamed';
  readonly digest: string;
  readonly progress: string;
  forget(): Promise<void>;
}

type Run = (args: readonly string[]) => Promise<ProgramResult>;
type Build = (name: string) => Promise<ProgramResult>;

/** Builds, and pushes by digest where the engine can. One that pushes by a name alone holds the image until it gets one. */
export async function buildAndPush(
  plan: BuildPlan,
  building: Building,
  ports: BuildPorts,
  signal: AbortSignal,
): Promise<Built> {
  const { request } = plan;
  const { engine, identity } = building;
  const name = `${nameOf(request.repositories[0])}:${identity}`;
  const end = endOf(engine, request.push);
  const build = await builder(plan, { engine, end }, ports, signal);
  if (end === 'load') return heldByEngine({ build, name, plan }, engine, ports, signal);
  if (end === 'keep') {
    check(await build(name), { step: 'build', name });
    return { kind: 'kept' };
  }
  if (end === 'push-name') ports.onWrite();
  const what = `build and push ${name}`;
  const result = await repeated(() => build(name), { what, isPush: isPushFault }, ports, signal);
  // Of several nodes, buildx itself has set the name by now.
  const now = end === 'push-name' ? `${name} may be set; no other tag is` : NO_TAG;
  check(result, { step: 'build', name, now });
  const progress = progressOf(result);
  const digest = digestIn(await ports.engine.readMetadata(), now);
  if (end === 'push-name') return { kind: 'named', digest, progress };
  ports.onWrite();
  return { kind: 'unnamed', digest, progress, forget: () => Promise.resolve() };
}

/** One build under a name, and a second without the cache where that was in the way. */
async function builder(
  { build }: BuildPlan,
  { engine, end }: { readonly engine: Engine; readonly end: CommandParts['end'] },
  ports: BuildPorts,
  signal: AbortSignal,
): Promise<Build> {
  const { metadataFile } = ports.engine;
  const parts = { kind: engine.kind, end, secrets: await ports.engine.secrets(), metadataFile };
  const once = async (name: string, cache: CommandParts['cache']): Promise<ProgramResult> =>
    ports.engine.run(engine.client, buildCommand(build, { ...parts, name, cache }), signal);
  return async (name) => {
    const first = await once(name, 'with');
    if (first.code === 0 || build.cacheFrom.length + build.cacheTo.length === 0 || !isCacheFault(output(first)))
      return first;
    ports.log.warning('The cache failed; the build is made again without it');
    return once(name, 'without');
  };
}

/**
 * Several runs may share an engine, and its names: between a build and its push another may give the name to its own image.
 * So the image is built under a name of this run alone, known by its id from then on, and has the name that is pushed only
 * for the push. What was pushed in the end the registry says.
 */
async function heldByEngine(
  { build, name, plan }: { readonly build: Build; readonly name: string; readonly plan: BuildPlan },
  engine: Engine,
  ports: BuildPorts,
  signal: AbortSignal,
): Promise<Held> {
  const run: Run = async (args) => ports.engine.run(engine.client, { args, env: {} }, signal);
  const repository = nameOf(plan.request.repositories[0]);
  const own = `${repository}:${ownTag(plan, ports)}`;
  const result = await build(own);
  check(result, { step: 'build', name });
  const leave = (): Promise<void> => forget(own, { engine, ports, signal });
  try {
    const imageId = await idOf(own, { run, name });
    const push: Held['push'] = (identity) =>
      pushedAs({ imageId, name: `${repository}:${identity}` }, run, ports, signal);
    return { kind: 'held', imageId, progress: progressOf(result), push, forget: leave };
  } catch (thrown) {
    await leave();
    throw thrown;
  }
}

async function pushedAs(
  { imageId, name }: { readonly imageId: string; readonly name: string },
  run: Run,
  ports: BuildPorts,
  signal: AbortSignal,
): Promise<string | undefined> {
  ports.onWrite();
  const push = async (): Promise<ProgramResult> => {
    // Each time: another run may have taken the name between two tries.
    const tagged = await run(['tag', imageId, name]);
    return tagged.code === 0 ? run(['push', name]) : tagged;
  };
  const pushed = await repeated(push, { what: `push ${name}`, isPush: () => true }, ports, signal);
  check(pushed, { step: 'push', name });
  return /digest: (sha256:[0-9a-f]{64}) size:/.exec(pushed.stdout)?.[1];
}

/** Never pushed. */
const ownTag = ({ inputs }: BuildPlan, { run, random }: BuildPorts): string =>
  `build-${run.runId}-${run.attempt}-${inputs.slice(0, 12)}-${random.token().slice(0, 12)}`;

async function idOf(own: string, { run, name }: { readonly run: Run; readonly name: string }): Promise<string> {
  const asked = await run(['image', 'inspect', '--format', '{{.Id}}', own]);
  const id = asked.stdout.trim();
  if (asked.code === 0 && /^sha256:[0-9a-f]{64}$/.test(id)) return id;
  throw new Failure({
    what: `${name} was not pushed`,
    why: `the engine does not have the image that it built: ${lastWords(`${asked.stdout}\n${asked.stderr}`).trim() || 'it names no id'}`,
    now: NO_TAG,
    next: 'Re-run; a clean-up of the engine (docker system prune) must not run beside a build',
  });
}

/** The layers stay for the next build. After a cancel as well, so far as there is time. */
async function forget(
  own: string,
  { engine, ports, signal }: { readonly engine: Engine; readonly ports: BuildPorts; readonly signal: AbortSignal },
): Promise<void> {
  const args = ['image', 'rm', '--no-prune', own];
  const left = await ports.engine
    .run(engine.client, { args, env: {} }, signal.aborted ? new AbortController().signal : signal)
    .catch(() => undefined);
  if (left?.code !== 0) ports.log.debug(`${own} is left in the engine`);
}

const NO_TAG = 'No tag was set';

/** BuildKit tells it on stderr, some clients on stdout. */
const progressOf = ({ stdout, stderr }: ProgramResult): string => `${stdout}\n${stderr}`;

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
function check(
  result: ProgramResult,
  { step, name, now = NO_TAG }: { readonly step: 'build' | 'push'; readonly name: string; readonly now?: string },
): void {
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
    now,
    ...(told === undefined ? {} : { next: told }),
  });
}

/** `containerimage.digest` of buildx: the manifest or the index that it pushed. The image id is another number. */
function digestIn(metadata: unknown, now: string): string {
  const digest = ((metadata ?? {}) as Record<string, unknown>)['containerimage.digest'];
  if (typeof digest === 'string' && /^sha256:[0-9a-f]{64}$/.test(digest)) return digest;
  throw new Failure({
    what: 'buildx named no digest',
    why: `containerimage.digest in its metadata is ${JSON.stringify(digest)}`,
    now,
    next: 'Use buildx 0.10 or newer',
  });
}
