import { missingVersion } from '../../../src/domain/checks/version.ts';
import type { Matchers, Path, ResolvedCheck, ResolvedChecks } from '../../../src/domain/checks/document.ts';
import type { Environment } from '../../../src/domain/checks/fill-in.ts';
import { type LocatedValue, fillTargetHeaders, loadChecks } from '../../../src/domain/checks/load.ts';
import { parseChecks } from '../../../src/domain/checks/parse.ts';
import { resolveChecks } from '../../../src/domain/checks/resolve.ts';
import { withCheckSecrets } from '../../../src/domain/checks/target-inputs.ts';
import { wayOf } from '../../../src/domain/checks/result.ts';
import { oneLine, redact } from '../../../src/domain/checks/shown-text.ts';
import { formatDuration } from '../../../src/domain/duration.ts';
import { arrivalsIn, lengthOf } from '../../../src/domain/load/arrivals.ts';
import type { ResolvedLoad } from '../../../src/domain/load/load.ts';
import { hostNameOf, hostProblems, productionProblems } from '../../../src/domain/load/safety.ts';
import { type Checked, type InputProblem, bad, good, httpUrl } from '../../../src/domain/inputs.ts';
import type { Request } from './inputs.ts';

/** What will be checked, with nothing left open. */
export interface Plan {
  readonly document: ResolvedChecks;
  readonly target: {
    readonly url: string;
    readonly host?: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly expectVersion?: string;
  };
  /** Where each check of the document is written, in its order; undefined for one that an input names. */
  readonly places: readonly (Place | undefined)[];
  /** The place in the checks file; undefined for what an input names. */
  placeOf(path: Path): Place | undefined;
  readonly onInvalid: 'fail' | 'continue';
}

interface Place {
  readonly file: string;
  readonly line: number;
}

export interface PlanSources {
  /** The checks file; absent when the request names none. */
  readonly file?: { readonly path: string; readonly text: string };
  readYaml(text: string, path: string): Checked<LocatedValue>;
  readonly matchers: Matchers;
  readonly environment: Environment;
}

/** PURE. The request and its file as a plan, or every problem of both. The plan's `secrets` are to be masked first of all. */
export function planOf(request: Request, given: PlanSources): Checked<Plan> {
  const sources = { ...given, environment: withCheckSecrets(given.environment, request.checkSecrets) };
  const ofPaths = checksOfPaths(request, sources);
  const target = request.url === undefined ? 'of-document' : 'elsewhere';
  const ofFile = sources.file && loadChecks(sources.file, { ...sources, fallbacks: request.fallbacks, target });
  const headers = fillTargetHeaders(request.headers, sources.environment);
  const problems = [ofPaths, ofFile, headers].flatMap((part) => (part === undefined || part.ok ? [] : part.problems));
  if (!ofPaths.ok || !headers.ok || (ofFile !== undefined && !ofFile.ok)) return bad(...problems);
  const loaded = ofFile?.value;
  const document: ResolvedChecks = {
    checks: [...ofPaths.value.checks, ...(loaded?.document.checks ?? [])],
    flows: loaded?.document.flows ?? [],
    loads: [...(ofPaths.value.loads ?? []), ...(loaded?.document.loads ?? [])],
    secrets: [
      ...ofPaths.value.secrets,
      ...(loaded?.document.secrets ?? []),
      ...headers.value.secrets,
      ...request.checkSecrets.values(),
    ],
  };
  const url = request.url === undefined ? targetOf(loaded?.document.target, sources.file?.path) : good(request.url);
  const later = [
    ...versionProblems(request, document.checks),
    ...(url.ok ? safetyProblems(request, document, url.value) : url.problems),
  ];
  if (!url.ok || later.length > 0) return bad(...later);
  const ofInputs = new Set<unknown>((ofPaths.value.loads ?? []).map(({ at }) => at));
  return good({
    document,
    target: {
      url: url.value,
      ...(request.host === undefined ? {} : { host: request.host }),
      headers: headers.value.headers,
      ...(request.expectVersion === undefined ? {} : { expectVersion: request.expectVersion }),
    },
    places: [
      ...ofPaths.value.checks.map(() => undefined),
      ...(loaded?.lines ?? []).map((line) => ({ file: sources.file?.path ?? '', line })),
    ],
    placeOf: (path) =>
      loaded === undefined || sources.file === undefined || ofInputs.has(path)
        ? undefined
        : { file: sources.file.path, line: loaded.lineAt(path) },
    onInvalid: request.onInvalid,
  });
}

function safetyProblems(
  request: Request,
  { checks, loads = [] }: ResolvedChecks,
  url: string,
): readonly InputProblem[] {
  const stables = loads.flatMap(({ stable }) => (stable === undefined ? [] : [stable]));
  const further = checks.flatMap(({ redirects }) => (redirects.kind === 'follow' ? redirects.hosts : []));
  const named = request.host === undefined ? [] : [request.host.replace(/:\d+$/, '').toLowerCase()];
  const hosts = [...[url, ...stables].map(hostNameOf), ...named, ...further];
  const wrong = stables.filter((stable) => !httpUrl({ description: '' }).read(stable).ok);
  return [
    ...wrong.map((): InputProblem => ({
      input: 'stable',
      problem: 'is not a base URL',
      accepted: 'http://host or https://host',
    })),
    ...hostProblems(hosts, request.allowedHosts),
    ...productionProblems(loads, {
      stage: request.stage,
      allowed: request.productionLoad === 'allowed' ? 'yes' : 'no',
    }),
  ];
}

/** The short form is the long one with a check for each path. */
function checksOfPaths(request: Request, { matchers, environment }: PlanSources): Checked<ResolvedChecks> {
  const { paths, webSockets, load, versionFrom, expectVersion, fallbacks } = request;
  if (paths.length === 0 && webSockets.length === 0) return good({ checks: [], secrets: [] });
  const expect = versionFrom === undefined || expectVersion === undefined ? {} : { expect: { version: versionFrom } };
  const checks = [
    ...paths.map((path) => ({ name: path, get: path, ...expect })),
    ...webSockets.map((path) => ({ name: `WebSocket ${path}`, ws: path })),
  ];
  const loads = load ? [{ name: 'load', ...load.model, get: paths, rules: load.rules }] : undefined;
  const document = { version: 1, checks, ...(loads === undefined ? {} : { load: loads }) };
  const parsed = parseChecks(document, matchers, fallbacks);
  const resolved = parsed.ok ? resolveChecks(parsed.value, environment) : parsed;
  if (resolved.ok) return good(resolved.value);
  const inputOf = (path: readonly (string | number)[]): string => (path.includes('version') ? 'version-from' : 'paths');
  const problems = resolved.problems.map(({ path, ...problem }): InputProblem => ({
    ...problem,
    input: inputOf(path),
  }));
  const once = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return bad(...once.values());
}

function targetOf(target: string | undefined, file: string | undefined): Checked<string> {
  const accepted = 'http://host or https://host, without credentials';
  if (target === undefined) {
    return bad({ input: 'url', problem: 'is required', accepted: `${accepted}; or \`target\` in the checks file` });
  }
  const read = httpUrl({ description: '' }).read(target);
  if (read.ok && read.value !== undefined) return good(read.value);
  return bad({ input: `${file ?? 'checks'} target`, problem: 'is not a base URL', accepted });
}

/** A version that nobody expects, and an expected version that nobody looks for, are both mistakes. */
function versionProblems({ expectVersion }: Request, checks: readonly ResolvedCheck[]): readonly InputProblem[] {
  const missing = missingVersion(checks, expectVersion);
  if (missing !== undefined) return [missing];
  const looked = checks.some(({ expect }) => expect.version !== undefined);
  if (expectVersion === undefined || looked) return [];
  return [
    {
      input: 'expect-version',
      given: expectVersion,
      problem: 'is looked for by no check',
      accepted: '`version-from` for paths, or `expect: { version: { header: NAME } }` in the checks file',
    },
  ];
}

/** One line for each check, without secrets: what a dry run shows. */
export function planLines({ document, target }: Plan): readonly string[] {
  const flows = (document.flows ?? []).map(({ name, steps }) => `flow ${name}: ${steps.length} steps`);
  return [...checkLines({ document, target }), ...flows, ...(document.loads ?? []).map(loadPlanLine)];
}

function loadPlanLine({ name, model, scenarios, rules, budget }: ResolvedLoad): string {
  const how =
    model.kind === 'closed'
      ? `${model.count === undefined ? '' : `${model.count} runs, `}${model.concurrency} at a time${model.duration === undefined ? '' : `, for ${formatDuration(model.duration)}`}`
      : `${arrivalsIn(model.phases)} arrivals in ${formatDuration(lengthOf(model.phases))}, at most ${model.concurrency} at a time`;
  const judged = rules.map(
    ({ level, text, scenario }) => `${level}: ${text}${scenario === undefined ? '' : ` (${scenario})`}`,
  );
  return `load ${name}: ${how}, scenarios ${scenarios.map((each) => each.name).join(', ')}; ${judged.join(', ')}; at most ${budget} requests`;
}

function checkLines({ document, target }: Pick<Plan, 'document' | 'target'>): readonly string[] {
  return document.checks.map((check) => {
    const { name, path, expect, retry, timeout } = check;
    const tries = retry.count === 1 ? 'one try' : `${retry.count} tries, ${formatDuration(retry.interval)} apart`;
    const more = Object.keys(expect).filter((part) => part !== 'status');
    const wanted = [`status ${expect.status?.text ?? 'any'}`, ...more].join(', ');
    const where = oneLine(redact(`${target.url}${path}`, document.secrets), 200);
    return `${name}: ${wayOf(check)} ${where}, expects ${wanted}; ${tries}, timeout ${formatDuration(timeout)}`;
  });
}
