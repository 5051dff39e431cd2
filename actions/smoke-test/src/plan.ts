import type { Matchers, Path, ResolvedChecks } from '../../../src/domain/checks/document.ts';
import type { Environment } from '../../../src/domain/checks/fill-in.ts';
import {
  type InspectedChecks,
  type LocatedValue,
  fillTargetHeaders,
  inspectChecks,
} from '../../../src/domain/checks/load.ts';
import { parseChecks } from '../../../src/domain/checks/parse.ts';
import { formatPath } from '../../../src/domain/checks/place.ts';
import { resolveReadable } from '../../../src/domain/checks/resolve.ts';
import { withCheckSecrets } from '../../../src/domain/checks/target-inputs.ts';
import { type Baseline, foreseenProblems } from '../../../src/domain/load/foresee.ts';
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
  readonly file?: ChecksFile;
  readonly matchers: Matchers;
  readonly environment: Environment;
  readonly baseline?: Baseline;
}

interface ChecksFile {
  readonly path: string;
  readonly text: string;
  readonly readYaml: (text: string, path: string) => Checked<LocatedValue>;
}

/** PURE. The request and its file as a plan, or every problem of both. The plan's `secrets` are to be masked first of all. */
export function planOf(request: Request, given: PlanSources): Checked<Plan> {
  const sources = { ...given, environment: withCheckSecrets(given.environment, request.checkSecrets) };
  const { file } = sources;
  const ofPaths = checksOfPaths(request, sources);
  const ofFile = file && inspectFile(request, file, sources);
  const headers = fillTargetHeaders(request.headers, sources.environment);
  const loaded = ofFile?.loaded;
  const document = together(request, {
    ofPaths: ofPaths.document,
    ofFile: loaded?.document,
    secrets: headers.ok ? headers.value.secrets : [],
  });
  const url = request.url === undefined ? targetOf(ofFile, file?.path) : good(request.url);
  const problems = onlyOnce([
    ...ofPaths.problems,
    ...(ofFile?.problems ?? []),
    ...(headers.ok ? [] : headers.problems),
    ...(url.ok ? [] : url.problems),
    ...versionProblems(request, ofFile),
    ...safetyProblems(request, document, { url: url.ok ? url.value : undefined, ofFile }),
    ...(loaded?.document.loads ?? [])
      .filter((load) => ofFile !== undefined && isReadable(load, ofFile))
      .flatMap((load) => foreseenProblems(load, sources.baseline))
      .map((problem) => ofFile?.locate(problem) ?? problem),
  ]);
  if (!url.ok || !headers.ok || problems.length > 0) return bad(...problems);
  const ofInputs = new Set<unknown>(
    (ofPaths.document.loads ?? []).flatMap(({ at, rules }) => [at, ...rules.map((each) => each.at)]),
  );
  return good({
    document,
    target: {
      url: url.value,
      ...(request.host === undefined ? {} : { host: request.host }),
      headers: headers.value.headers,
      ...(request.expectVersion === undefined ? {} : { expectVersion: request.expectVersion }),
    },
    places: [
      ...ofPaths.document.checks.map(() => undefined),
      ...(loaded?.lines ?? []).map((line) => ({ file: file?.path ?? '', line })),
    ],
    placeOf: (path) =>
      loaded === undefined || file === undefined || ofInputs.has(path)
        ? undefined
        : { file: file.path, line: loaded.lineAt(path) },
    onInvalid: request.onInvalid,
  });
}

/** A flow that a load runs, and a path that it loads, are read twice. */
const onlyOnce = (problems: readonly InputProblem[]): readonly InputProblem[] => [
  ...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values(),
];

function inspectFile(
  { url, fallbacks, expectVersion }: Request,
  file: ChecksFile,
  { matchers, environment }: PlanSources,
): InspectedChecks {
  return inspectChecks(file, {
    readYaml: file.readYaml,
    matchers,
    environment,
    fallbacks,
    expectVersion,
    ...(url === undefined ? { target: 'of-document' } : { target: 'elsewhere', url }),
  });
}

/** What the inputs name comes before what the file has. */
function together(
  { checkSecrets }: Request,
  {
    ofPaths,
    ofFile = NOTHING,
    secrets,
  }: {
    readonly ofPaths: ResolvedChecks;
    readonly ofFile: ResolvedChecks | undefined;
    readonly secrets: readonly string[];
  },
): ResolvedChecks {
  return {
    checks: [...ofPaths.checks, ...ofFile.checks],
    flows: ofFile.flows ?? [],
    loads: [...(ofPaths.loads ?? []), ...(ofFile.loads ?? [])],
    secrets: [...ofPaths.secrets, ...ofFile.secrets, ...secrets, ...checkSecrets.values()],
  };
}

const NOTHING: ResolvedChecks = { checks: [], secrets: [] };

/** What is wrong in a load or in what it runs makes its plan another one. */
const isReadable = ({ at, scenarios }: ResolvedLoad, { isSound }: InspectedChecks): boolean =>
  [at, ...scenarios.map((each) => each.at)].every(isSound);

interface Surroundings {
  readonly url: string | undefined;
  readonly ofFile: InspectedChecks | undefined;
}

function safetyProblems(
  request: Request,
  { checks, loads = [] }: ResolvedChecks,
  { url, ofFile }: Surroundings,
): readonly InputProblem[] {
  // Of the file alone; an empty one is a missing variable, which is told by itself.
  const stables = loads.flatMap(({ stable, at }) => (stable === undefined || stable === '' ? [] : [{ stable, at }]));
  const further = checks.flatMap(({ redirects }) => (redirects.kind === 'follow' ? redirects.hosts : []));
  const named = request.host === undefined ? [] : [request.host.replace(/:\d+$/, '').toLowerCase()];
  const urls = [...(url === undefined ? [] : [url]), ...stables.map(({ stable }) => stable)];
  const wrong = stables.filter(({ stable }) => !httpUrl({ description: '' }).read(stable).ok);
  const ofInputs = new Set(request.load === undefined ? [] : loads.slice(0, 1));
  return [
    ...wrong.map(({ at }) => {
      const path = [...at, 'stable'];
      const problem = { problem: 'is not a base URL', accepted: 'http://host or https://host' };
      const placed = { path, input: formatPath(path), ...problem };
      return ofFile?.locate(placed) ?? placed;
    }),
    ...hostProblems([...urls.map(hostNameOf), ...named, ...further], request.allowedHosts),
    ...productionProblems(
      loads.filter((load) => ofInputs.has(load) || ofFile === undefined || isReadable(load, ofFile)),
      { stage: request.stage, allowed: request.productionLoad === 'allowed' ? 'yes' : 'no' },
    ),
  ];
}

/** The short form is the long one with a check for each path. */
function checksOfPaths(
  request: Request,
  { matchers, environment, baseline }: PlanSources,
): { readonly document: ResolvedChecks; readonly problems: readonly InputProblem[] } {
  const { paths, webSockets, load, versionFrom, expectVersion, fallbacks } = request;
  if (paths.length === 0 && webSockets.length === 0) return { document: NOTHING, problems: [] };
  const expect = versionFrom === undefined || expectVersion === undefined ? {} : { expect: { version: versionFrom } };
  const checks = [
    ...paths.map((path) => ({ name: path, get: path, ...expect })),
    ...webSockets.map((path) => ({ name: `WebSocket ${path}`, ws: path })),
  ];
  const loads = load ? [{ name: 'load', ...load.model, get: paths, rules: load.rules }] : undefined;
  const written = { version: 1, checks, ...(loads === undefined ? {} : { load: loads }) };
  const parsed = parseChecks(written, matchers, fallbacks);
  const resolved = resolveReadable(parsed.ok ? parsed.value : parsed.readable, environment, { target: 'elsewhere' });
  const foreseen = parsed.ok
    ? (resolved.value.loads ?? []).flatMap((each) => foreseenProblems(each, baseline))
    : parsed.problems;
  const problems = [...foreseen, ...resolved.problems].map(({ path, ...problem }): InputProblem => ({
    ...problem,
    input: inputOf(path),
  }));
  return { document: resolved.value, problems };
}

/** Whose words stand at a place of the document that the inputs make. */
function inputOf(path: Path): string {
  if (path.includes('version')) return 'version-from';
  if (path.includes('rules')) return 'load-rules';
  if (path.includes('closed') || path.includes('phases')) return 'load';
  return path.includes('ws') ? 'websocket' : 'paths';
}

/** Of the file; what is wrong with it there is told there. */
function targetOf(ofFile: InspectedChecks | undefined, file: string | undefined): Checked<string> {
  const accepted = 'http://host or https://host, without credentials';
  const target = ofFile?.loaded?.document.target;
  if (target === '' || (ofFile !== undefined && ofFile.loaded === undefined)) return bad();
  if (target === undefined) {
    return bad({ input: 'url', problem: 'is required', accepted: `${accepted}; or \`target\` in the checks file` });
  }
  const read = httpUrl({ description: '' }).read(target);
  if (read.ok && read.value !== undefined) return good(read.value);
  const problem = { path: ['target'], input: 'target', problem: 'is not a base URL', accepted };
  return bad(ofFile?.locate(problem) ?? { ...problem, input: `${file ?? 'checks'} target` });
}

/** An expected version that nobody looks for is a mistake, as is a version that nobody expects. */
function versionProblems(
  { expectVersion, paths, versionFrom }: Request,
  ofFile: InspectedChecks | undefined,
): readonly InputProblem[] {
  const unreadable = ofFile !== undefined && ofFile.loaded === undefined;
  const looked = (versionFrom !== undefined && paths.length > 0) || ofFile?.loaded?.looksForVersion === true;
  if (expectVersion === undefined && versionFrom !== undefined && paths.length > 0)
    return [
      {
        input: 'expect-version',
        problem: 'is missing or empty, so that `version-from` has nothing to be compared with',
        accepted: 'the version that must answer; without `version-from` none is looked for',
      },
    ];
  if (expectVersion === undefined || looked || unreadable) return [];
  return [
    {
      input: 'expect-version',
      given: expectVersion,
      problem: 'is looked for by no check',
      accepted: '`version-from` for paths, or `expect: { version: { header: NAME } }` in the checks file',
    },
  ];
}
