import { canonicalJson } from '../../../src/domain/canonical-json.ts';
import type { ResolvedChecks } from '../../../src/domain/checks/document.ts';
import type { Duration } from '../../../src/domain/duration.ts';
import { formatDuration, milliseconds, minutes } from '../../../src/domain/duration.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { isPinned } from '../../../src/domain/image-reference.ts';
import type { Policy } from '../../../src/domain/policy/policy.ts';
import { type RunKey, formatRun } from '../../../src/domain/shift/record.ts';
import type { Color } from '../../../src/domain/traffic-split.ts';
import type { Request } from './inputs.ts';
import type { Goal, GoalGate } from './decide/goal.ts';

export interface GoalParts {
  readonly me: RunKey;
  readonly images: string | undefined;
  readonly policy: Policy;
  readonly gates: readonly GoalGate[];
  readonly checks: ResolvedChecks | undefined;
  /** How long the router keeps clients on a color whose weight is 0. */
  readonly lingers: Duration;
}

/** Nobody waits longer than this for cookies to end. */
const MOST_DRAIN = minutes(60);

/** PURE: what `decide` is asked for. Throws a Failure when clients would be kept longer than anybody waits. */
export function goalOf(request: Request, parts: GoalParts): Goal {
  const { me, policy } = parts;
  const drain = milliseconds(Math.max(request.drain, parts.lingers));
  const finishes = request.mode === 'run' || request.mode === 'finish';
  if (finishes && drain > request.drain && drain > MOST_DRAIN) {
    throw new Failure({
      what: 'The old color could never be drained',
      why: `the rule keeps clients on their color for ${formatDuration(drain)} (stickiness)`,
      now: 'Nothing was touched',
      next: `Shorten the stickiness to ${formatDuration(MOST_DRAIN)} at most, or set drain to ${formatDuration(drain)}, where a job may take that long`,
    });
  }
  return {
    // Looking plans what a run would do; looking after a shift ends it by on-stale, for which main opens it anew.
    mode: request.mode === 'status' ? 'run' : isLookingAfter(request.mode) ? 'rollback' : request.mode,
    me,
    shiftId: `${me.id}-${me.attempt}`,
    expectedShift: request.shiftId,
    images: parts.images,
    policy,
    gates: parts.gates,
    colorTag: request.colorTag,
    deploy: request.deploy,
    to: request.to,
    minHealthy: request.minHealthy,
    prepareWithin: request.timeout,
    drain,
    oldDesired: request.oldDesired,
    checks: parts.checks === undefined ? 'none' : 'given',
    autoscaling: request.autoscaling,
    hooks: request.hooks,
    onStale: request.onStale,
    onBusy: 'take',
    because: `asked for by run ${formatRun(me)}`,
  };
}

const isLookingAfter = (mode: Request['mode']): mode is 'reconcile' | 'watch' =>
  mode === 'reconcile' || mode === 'watch';

export interface Address {
  readonly url: string;
  readonly host: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** Where the candidate alone answers, when it is this color. */
export function candidateAddress(
  request: Request,
  headers: Readonly<Record<string, string>>,
): ((color: Color) => Address) | undefined {
  const { candidate, host } = request;
  if (candidate === undefined) return undefined;
  const filled = (text: string, color: Color): string => text.replaceAll('{color}', color);
  return (color) => ({
    url: filled(candidate.url, color),
    host,
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, filled(text, color)])),
  });
}

/** Of what is released; undefined where a mode releases nothing. */
export function fingerprintOf(
  {
    mode,
    image,
    container,
    deploy,
    expectVersion,
  }: Pick<Request, 'mode' | 'image' | 'container' | 'deploy' | 'expectVersion'>,
  { run, sha256 }: { readonly run: RunKey; readonly sha256: (text: string) => string },
): string | undefined {
  const of = (what: unknown): string => sha256(canonicalJson(what)).slice(0, 16);
  // A tag may name another image by now: only the run that released it knows that it is the same.
  const named = image === undefined || isPinned(image) ? {} : { run: run.id };
  if (image !== undefined) return of({ image, container: container ?? null, ...named });
  if (deploy === 'ecs' || !(mode === 'run' || mode === 'prepare')) return undefined;
  // What somebody else deployed is told apart by its version, or is another one in every workflow run.
  return of(expectVersion === undefined ? { run: run.id } : { version: expectVersion });
}

/** Where checks go, and what must answer there. */
export const targetOf = ({ url, host, headers }: Address, { expectVersion }: Request) => ({
  url,
  headers,
  ...(host === undefined ? {} : { host }),
  ...(expectVersion === undefined ? {} : { expectVersion }),
});

/** Going back and looking need no files: a broken policy must not stand in the way of a rollback. */
export const needsFiles = ({ mode }: Request): boolean => mode !== 'rollback' && mode !== 'status';

/** Modes that ask the candidate anything. */
export const sendsRequests = ({ mode }: Pick<Request, 'mode'>): boolean =>
  mode === 'run' || mode === 'prepare' || mode === 'shift';

/** Modes that get to a step that people must let in. */
export const asksPeople = ({ mode }: Request): boolean => mode === 'run' || mode === 'shift';
