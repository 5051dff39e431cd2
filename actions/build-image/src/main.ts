import { Failure } from '../../../src/domain/failure.ts';
import { evidenceText } from '../../../src/domain/image-build/evidence.ts';
import { InvalidInput, type InputProblem } from '../../../src/domain/inputs.ts';
import type { Report } from '../../../src/domain/report.ts';
import { readEvent } from '../../../src/domain/tags/event.ts';
import { type Instant, instant } from '../../../src/domain/duration.ts';
import type { ActionDefinition, ActionTools } from '../../../src/runtime/action.ts';
import { runAction } from '../../../src/runtime/run-action.ts';
import { execute } from './execute.ts';
import { promote } from './execute-promote.ts';
import { type BuildRequest, type PromoteRequest, type Request, spec, toRequest } from './inputs.ts';
import { type PlanFacts, planBuild, planLines, planTags } from './plan.ts';
import { plannedReport, reportOf } from './report.ts';
import { plannedPromotion, promotedReport } from './report-promote.ts';

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
        throw new Failure({ what: 'mode cleanup is not in this release yet' });
    }
  },
  /** main died: its logins and secrets are still on the disk. */
  async post(_request, tools) {
    const folder = tools.savedState(FOLDER);
    if (folder === undefined) return undefined;
    const { removeConfigFolder } = await import('../../../src/adapters/docker/config-folder.ts');
    await removeConfigFolder(folder);
    tools.log.info('The logins and secrets of the build are removed');
    return undefined;
  },
};

async function build(request: BuildRequest, tools: ActionTools): Promise<Report> {
  const facts = await factsOf(request, tools);
  const planned = planBuild(request, facts);
  if (!planned.ok) throw new InvalidInput('The inputs of build-image', planned.problems);
  const plan = planned.value;
  for (const note of plan.notes) tools.log.warning(note);
  if (request.dryRun === 'plan') {
    tools.log.verbatim('Plan', planLines(plan).join('\n'));
    return plannedReport(plan);
  }
  const secrets = await openSecrets(request, tools);
  const { openPorts } = await import('../../../src/adapters/docker/open-ports.ts');
  let changed: 'yes' | 'no' = 'no';
  const { run, clock, log, signal } = tools;
  const opened = await openPorts(
    {
      hosts: [...new Set(request.repositories.map(({ host }) => host))],
      secrets,
      token: request.token,
      aws: request.aws,
      // Before anything is in it.
      onFolder: (path) => tools.saveState(FOLDER, path),
      // The log takes care that a line of a build is never read as a command.
      onLine: log.info,
    },
    tools,
  );
  try {
    const result = await execute(
      plan,
      {
        ...opened.ports,
        clock,
        log,
        tools: facts.tools,
        run: { repository: run.repository, runId: run.runId, attempt: run.attempt },
        scan: undefined,
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
    return reportOf(plan, result, { evidenceFile, evidenceSha256: sha256(text), sarif: '', sha256, changed });
  } finally {
    await opened.close();
  }
}

async function promotion(request: PromoteRequest, tools: ActionTools): Promise<Report> {
  const facts = await factsOf(request, tools);
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
  const opened = await openPorts(
    {
      hosts: [...new Set([request.source, ...request.repositories].map(({ host }) => host))],
      secrets: [],
      token: request.token,
      aws: request.aws,
      onFolder: (path) => tools.saveState(FOLDER, path),
      onLine: () => undefined,
    },
    tools,
  );
  const ports = { ...opened.ports, clock, log, onWrite: tools.willChange };
  try {
    const result = await promote({ request, plan, semver: facts.tools.semver }, ports, signal);
    return promotedReport({ request, plan }, result, facts.tools.sha256);
  } finally {
    await opened.close();
  }
}

/** What the run is about: the event's document, and the date of the commit by git where the event has none. */
async function factsOf({ defaultBranch }: { readonly defaultBranch?: string }, tools: ActionTools): Promise<PlanFacts> {
  const [{ semverGrammar }, { sha256 }] = await Promise.all([
    import('../../../src/adapters/versions/semver.ts'),
    import('../../../src/adapters/system/digest.ts'),
  ]);
  const path = tools.environment('GITHUB_EVENT_PATH');
  const document: unknown = path === undefined ? {} : readJson(await tools.readFile(path, 'GITHUB_EVENT_PATH'));
  const committed = await commitDate(tools);
  const { run } = tools;
  const read = readEvent(document, {
    event: tools.environment('GITHUB_EVENT_NAME') ?? 'push',
    ref: tools.environment('GITHUB_REF') ?? '',
    sha: run.commit,
    repository: run.repository,
    server: tools.environment('GITHUB_SERVER_URL') ?? 'https://github.com',
    now: tools.clock.now(),
    ...(committed === undefined ? {} : { commitDate: committed }),
    ...(defaultBranch === undefined ? {} : { defaultBranch }),
  });
  return { ...read, tools: { semver: semverGrammar, sha256 } };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

async function commitDate({ run, signal }: ActionTools): Promise<Instant | undefined> {
  const { systemPrograms } = await import('../../../src/adapters/system/programs.ts');
  const args = ['-c', 'safe.directory=*', 'show', '-s', '--format=%cI', run.commit];
  const { code, stdout } = await systemPrograms().run('git', { args, cwd: run.workspace }, signal);
  const read = code === 0 ? Date.parse(stdout.trim()) : Number.NaN;
  return Number.isNaN(read) ? undefined : instant(read);
}

/** Read and masked before anything else is done; one that is empty is an error, never a build without it. */
async function openSecrets(
  { build: { secrets } }: BuildRequest,
  tools: ActionTools,
): Promise<readonly { readonly id: string; readonly content: string }[]> {
  const problems: InputProblem[] = [];
  const opened: { id: string; content: string }[] = [];
  for (const { id, from } of secrets) {
    const content =
      from.kind === 'value'
        ? from.value
        : from.kind === 'environment'
          ? (tools.environment(from.name) ?? '')
          : await tools.readFile(from.path, 'secret-files');
    const input = from.kind === 'environment' ? 'secret-envs' : 'secret-files';
    if (content.trim() === '') {
      const what = from.kind === 'environment' ? `${from.name} is not set or empty` : 'the file is empty';
      problems.push({ input, problem: `${id}: ${what}`, accepted: 'a secret with a value' });
    }
    tools.mask(content);
    opened.push({ id, content });
  }
  if (problems.length > 0) throw new InvalidInput('The secrets of the build', problems);
  return opened;
}

export const main = (): Promise<void> => runAction(definition, 'main');
export const post = (): Promise<void> => runAction(definition, 'post');
