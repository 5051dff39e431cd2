import { Failure } from '../../../src/domain/failure.ts';
import { type ActionDefinition, type ActionTools } from '../../../src/runtime/action.ts';
import { runAction } from '../../../src/runtime/run-action.ts';
import { execute } from './execute.ts';
import { executeNotices } from './execute-notices.ts';
import type { Ports } from './execute-ports.ts';
import { type Request, spec, toRequest } from './inputs.ts';
import { noticesReport } from './report-notices.ts';
import { reportOf } from './report.ts';

const definition: ActionDefinition<typeof spec, Request> = {
  name: 'approval-gate',
  spec,
  toRequest,
  async main(request, tools) {
    const ports = await portsOf(request, tools);
    if (request.mode === 'notices') return noticesReport(await executeNotices(request, ports, tools.signal));
    const { run } = tools;
    const server = tools.environment('GITHUB_SERVER_URL') ?? 'https://github.com';
    const runUrl = `${server}/${run.repository}/actions/runs/${run.runId}`;
    const context = { repository: run.repository, server, runId: run.runId, runUrl };
    return reportOf(await execute(request, context, ports, tools.signal), request);
  },
  /** main was killed or cancelled: its request is closed, so that nobody votes into the void. */
  async post(request, tools) {
    const issue = Number(tools.savedState('issue') ?? '');
    if (!(issue > 0)) return undefined;
    const { tracker } = await portsOf(request, tools);
    if ((await tracker.issue(issue, tools.signal)).state === 'open') {
      await tracker.comment(issue, 'The run ended before there was a verdict: not approved.', tools.signal);
      await tracker.close(issue, 'not_planned', tools.signal);
      tools.log.info(`Request ${issue} is closed: the run ended before there was a verdict`);
    }
    return undefined;
  },
};

async function portsOf(request: Request, tools: ActionTools): Promise<Ports> {
  const [{ githubClient }, { githubIssues }, { githubCode }] = await Promise.all([
    import('../../../src/adapters/github/client.ts'),
    import('../../../src/adapters/github/issue-tracker.ts'),
    import('../../../src/adapters/github/code-host.ts'),
  ]);
  const { sha256 } = await import('../../../src/adapters/system/digest.ts');
  const { systemRandom } = await import('../../../src/adapters/system/random.ts');
  const { readYaml } = await import('../../../src/runtime/read-yaml.ts');
  const { run, clock, log } = tools;
  if (run.repository === '')
    throw new Failure({ what: 'GITHUB_REPOSITORY is not set', why: 'the gate runs only inside a workflow' });
  const apiUrl = tools.environment('GITHUB_API_URL') ?? 'https://api.github.com';
  const client = githubClient({ auth: request.auth, apiUrl, repository: run.repository, clock, mask: tools.mask });
  return {
    tracker: githubIssues(client),
    code: githubCode(client),
    clock,
    log,
    sha256,
    random: systemRandom(),
    parseYaml(text, path) {
      const read = readYaml(text, path);
      if (read.ok) return read.value.value;
      throw new Failure({
        what: `${path} cannot be used`,
        why: read.problems.map(({ problem }) => problem).join('; '),
      });
    },
    recordFile: request.recordFile === undefined ? undefined : await recordFileOf(request.recordFile, tools),
    onOpened: (issue) => {
      tools.willChange();
      tools.saveState('issue', String(issue));
    },
  };
}

async function recordFileOf(path: string, tools: ActionTools): Promise<Ports['recordFile']> {
  const { readText } = await import('../../../src/adapters/system/files.ts');
  return {
    async read() {
      const file = await readText(tools.run.workspace, path);
      if (file.kind === 'unreadable') throw new Failure({ what: `Could not read ${path}`, why: file.why });
      return file.kind === 'missing' ? undefined : file.text;
    },
    write: (text) => tools.writeFile(path, text),
  };
}

export const main = (): Promise<void> => runAction(definition, 'main');
export const post = (): Promise<void> => runAction(definition, 'post');
