import type { OpenedPorts } from '../../../src/adapters/docker/open-ports.ts';
import { evidenceText } from '../../../src/domain/image-build/evidence.ts';
import { type Repository, nameOf, registryKind } from '../../../src/domain/image-build/registries.ts';
import type { ScanResult } from '../../../src/domain/image-scan/judge.ts';
import { sarifOf } from '../../../src/domain/image-scan/sarif.ts';
import { InvalidInput, type InputProblem } from '../../../src/domain/inputs.ts';
import type { Report } from '../../../src/domain/report.ts';
import { readEvent } from '../../../src/domain/tags/event.ts';
import { instant } from '../../../src/domain/duration.ts';
import type { ActionDefinition, ActionTools } from '../../../src/runtime/action.ts';
import { runAction } from '../../../src/runtime/run-action.ts';
import { execute } from './execute.ts';
import { cleanUp } from './execute/cleanup.ts';
import { type SourcePorts, contextOf, openSource } from './execute/source.ts';
import { promote } from './execute/promote.ts';
import { ignoresOf, productionOf, scan } from './execute/scan.ts';
import {
  type BuildRequest,
  type CleanupRequest,
  type PromoteRequest,
  type Request,
  spec,
  toRequest,
} from './inputs.ts';
import { type PlanFacts, planBuild, planLines, planTags } from './plan.ts';
import { plannedReport, reportOf } from './report.ts';
import { cleanupReport } from './report/cleanup.ts';
import { plannedPromotion, promotedReport } from './report/promote.ts';
import type { Cleaned, VerifiedImage } from './result.ts';

/** Path of this run's docker configuration, for `post`. */
const FOLDER = 'config-folder';

const definition: ActionDefinition<typeof spec, Request> = {
  name: 'build-image',
  spec,
  toRequest,
  main(request, tools) {
    switch (request.mode) {
      case 'build':
        return build(request, tools);
      case 'promote':
        return promotion(request, tools);
      case 'cleanup':
        return cleanup(request, tools);
    }
  },
  /** main died: its logins and secrets are still on the disk. */
  async sweep(tools) {
    const folder = tools.savedState(FOLDER);
    if (folder === undefined) return;
    const { removeConfigFolder } = await import('../../../src/adapters/docker/config-folder.ts');
    await removeConfigFolder(folder);
    tools.log.info('The logins and secrets of the build are removed');
  },
  post: () => Promise.resolve(undefined),
};

async function build(request: BuildRequest, tools: ActionTools): Promise<Report> {
  const facts = await factsOf(request, request.build.context, tools);
  const planned = planBuild(...(await withFiles(request, facts, tools)));
  if (!planned.ok) throw new InvalidInput('The inputs of build-image', planned.problems);
  const plan = planned.value;
  for (const note of plan.notes) tools.log.warning(note);
  if (request.dryRun === 'plan') {
    tools.log.verbatim('Plan', planLines(plan).join('\n'));
    return plannedReport(plan);
  }
  const { secrets, baseLine } = await openSource(request.build, await sourcePorts(tools));
  const { openPorts } = await import('../../../src/adapters/docker/open-ports.ts');
  let changed: 'yes' | 'no' = 'no';
  const { run, clock, log, signal } = tools;
  const opened = await openPorts(
    {
      ...connection(request, tools, request.repositories),
      secrets,
      // The log takes care that a line of a build is never read as a command.
      onLine: log.info,
    },
    tools,
  );
  try {
    const scanning = await openScan(request, opened, tools);
    const result = await execute(
      plan,
      {
        ...opened.ports,
        clock,
        log,
        tools: facts.tools,
        run: { repository: run.repository, runId: run.runId, attempt: run.attempt },
        scan: scanning,
        baseLine,
        onWrite() {
          changed = 'yes';
          tools.willChange();
        },
      },
      signal,
    );
    const { sha256 } = facts.tools;
    if (result.kind === 'built-only')
      return reportOf(plan, result, { evidenceFile: '', evidenceSha256: '', sarif: '', sha256, changed });
    const text = evidenceText(result.evidence);
    const evidenceFile = `${run.temp}/evidence-${request.name}.json`;
    await tools.writeFile(evidenceFile, text);
    const sarif = result.scan === undefined ? '' : `${run.temp}/scan-${request.name}.sarif`;
    const image = `${nameOf(request.repositories[0])}@${result.image.digest}`;
    const file = request.build.file ?? 'Dockerfile';
    if (result.scan !== undefined) await tools.writeFile(sarif, sarifOf(result.scan, { image, file }));
    return reportOf(plan, result, { evidenceFile, evidenceSha256: sha256(text), sarif, sha256, changed });
  } finally {
    await opened.close();
  }
}

/** What a step before has made is in the image, and in no commit. */
async function withFiles(
  request: BuildRequest,
  facts: PlanFacts,
  tools: ActionTools,
): Promise<[request: BuildRequest, facts: PlanFacts]> {
  if (request.reuse !== 'same-files') return [request, facts];
  const { systemPrograms } = await import('../../../src/adapters/system/programs.ts');
  const { uncommitted } = await import('../../../src/adapters/system/uncommitted.ts');
  const { run, signal, log } = tools;
  const context = await contextOf(request.build, await sourcePorts(tools));
  const found = await uncommitted(systemPrograms(), { workspace: run.workspace, ...context }, signal);
  switch (found.kind) {
    case 'none':
      return [request, facts];
    case 'some': {
      const { paths, sha256 } = found;
      log.info(
        `${paths.length} file(s) of the context are not those of the commit, and count as inputs: ${paths.slice(0, 5).join(', ')}${paths.length > 5 ? ', ...' : ''}`,
      );
      return [request, { ...facts, uncommitted: sha256 }];
    }
    case 'unknown':
      log.warning(
        `git cannot say which files of the context are those of the commit (${found.why}): no image is reused`,
      );
      return [{ ...request, reuse: 'never' }, facts];
  }
}

/** A repository of ECR or of GHCR; others have no way to remove what is old that many share. */
async function cleanup(request: CleanupRequest, tools: ActionTools): Promise<Report> {
  const others = request.repositories.filter(({ host }) => registryKind(host).kind === 'other');
  const problems = others.map((repository): InputProblem => ({
    input: 'repository',
    given: nameOf(repository),
    problem: 'cannot be cleaned up',
    accepted: 'a repository of ECR or of ghcr.io',
  }));
  if (problems.length > 0) throw new InvalidInput('The inputs of build-image', problems);
  const { openShelf } = await import('../../../src/adapters/docker/open-shelf.ts');
  const { openPorts } = await import('../../../src/adapters/docker/open-ports.ts');
  const opened = await openPorts(connection(request, tools, request.repositories), tools);
  try {
    const all: Cleaned[] = [];
    for (const repository of request.repositories) {
      const shelf = await openShelf(repository, opened, { ...tools, token: request.token });
      const { clock, signal, willChange } = tools;
      all.push(await cleanUp(request, { shelf, repository: nameOf(repository), clock, onWrite: willChange }, signal));
    }
    return cleanupReport(request, all);
  } finally {
    await opened.close();
  }
}

async function promotion(request: PromoteRequest, tools: ActionTools): Promise<Report> {
  const facts = await factsOf(request, '.', tools);
  const planned = planTags(request, facts);
  if (!planned.ok) throw new InvalidInput('The inputs of build-image', planned.problems);
  const plan = planned.value;
  if (plan.tags.length === 0)
    throw new InvalidInput('The inputs of build-image', [
      {
        input: 'tags',
        problem: `give no tag on ${facts.git.event} of ${facts.git.ref}`,
        accepted: 'type=raw,value=production',
      },
    ]);
  if (request.dryRun === 'plan') return plannedPromotion(request, plan);
  const { openPorts } = await import('../../../src/adapters/docker/open-ports.ts');
  const { clock, log, signal } = tools;
  const opened = await openPorts(connection(request, tools, [request.source, ...request.repositories]), tools);
  const ports = { ...opened.ports, clock, log, onWrite: tools.willChange };
  try {
    const result = await promote({ request, plan, semver: facts.tools.semver }, ports, signal);
    return promotedReport({ request, plan }, result, facts.tools.sha256);
  } finally {
    await opened.close();
  }
}

/** What every mode opens its registries with. */
const connection = (
  { token, aws }: Request,
  tools: ActionTools,
  repositories: readonly { readonly host: string }[],
) => ({
  hosts: [...new Set(repositories.map(({ host }) => host))],
  secrets: [],
  token,
  aws,
  // Before anything is in it.
  onFolder: (path: string) => tools.saveState(FOLDER, path),
  onLine: () => undefined,
});

type Scan = (repository: Repository, image: VerifiedImage, signal: AbortSignal) => Promise<ScanResult>;

/** The scanner, the accepted findings and the image to compare with: all of it read before anything is built. */
async function openScan(
  { scan: wish, token }: BuildRequest,
  opened: OpenedPorts,
  tools: ActionTools,
): Promise<Scan | undefined> {
  if (wish === undefined) return undefined;
  const { openScanner, readTrusted } = await import('../../../src/adapters/docker/open-scanner.ts');
  const { readYaml } = await import('../../../src/runtime/read-yaml.ts');
  const { clock, log, signal } = tools;
  const scanner = await openScanner(wish, opened, tools);
  const read = (path: string): Promise<string> => readTrusted(path, token, tools);
  const ignore = await ignoresOf(wish.ignoreFile, { parse: readYaml, now: clock.now(), read });
  const ports = { ...opened.ports, clock, log, onWrite: () => undefined };
  const production = wish.compareImage === undefined ? undefined : await productionOf(wish.compareImage, ports, signal);
  return (repository, { platforms }, stop) =>
    scan({ repository, platforms }, { wish, ports: { scanner, clock, log, ignore, production } }, stop);
}

/** What the run is about: the event's document, and the commit that lies in the workspace, which need not be that of the event. */
async function factsOf(
  { defaultBranch }: { readonly defaultBranch?: string },
  folder: string,
  tools: ActionTools,
): Promise<PlanFacts> {
  const [{ semverGrammar }, { sha256 }, { checkedOut }, { systemPrograms }] = await Promise.all([
    import('../../../src/adapters/versions/semver.ts'),
    import('../../../src/adapters/system/digest.ts'),
    import('../../../src/adapters/system/checkout.ts'),
    import('../../../src/adapters/system/programs.ts'),
  ]);
  const path = tools.environment('GITHUB_EVENT_PATH');
  const document: unknown = path === undefined ? {} : readJson(await tools.readFile(path, 'GITHUB_EVENT_PATH'));
  const { run, signal } = tools;
  const lies = await checkedOut(systemPrograms(), { workspace: run.workspace, folder }, signal);
  if (lies !== undefined && lies.commit !== run.commit)
    tools.log.warning(
      `The checkout is ${lies.commit}, and the run is of ${run.commit}: the image is named for what is checked out`,
    );
  const read = readEvent(document, {
    event: tools.environment('GITHUB_EVENT_NAME') ?? 'push',
    ref: tools.environment('GITHUB_REF') ?? '',
    sha: lies?.commit ?? run.commit,
    repository: run.repository,
    server: tools.environment('GITHUB_SERVER_URL') ?? 'https://github.com',
    now: tools.clock.now(),
    ...(lies === undefined ? {} : { commitDate: instant(Date.parse(lies.date)) }),
    ...(defaultBranch === undefined ? {} : { defaultBranch }),
  });
  return { ...read, tools: { semver: semverGrammar, sha256 }, environment: tools.environment };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

async function sourcePorts({ run, environment, mask }: ActionTools): Promise<SourcePorts> {
  const { leadsOut, readText, whatIs } = await import('../../../src/adapters/system/files.ts');
  return {
    leadsOut: (path) => leadsOut(run.workspace, path),
    whatIs: (path) => whatIs(run.workspace, path),
    read: (path) => readText(run.workspace, path),
    environment,
    mask,
  };
}

export const main = (): Promise<void> => runAction(definition, 'main');
export const post = (): Promise<void> => runAction(definition, 'post');
