import { Failure } from '../../../src/domain/failure.ts';
import { type ActionDefinition, type ActionTools } from '../../../src/runtime/action.ts';
import { runAction } from '../../../src/runtime/run-action.ts';
import { runPlace } from '../../../src/runtime/run-identity.ts';
import { execute } from './execute.ts';
import { executeNotices } from './execute/notices.ts';
import type { Ports } from './execute/ports.ts';
import { type Request, spec, toRequest } from './inputs.ts';
import { noticesReport } from './report/notices.ts';
import { reportOf } from './report.ts';

const definition: ActionDefinition<typeof spec, Request> = {
  name: 'approval-gate',
  spec,
  toRequest,
  async main(request, tools) {
    const ports = await portsOf(request, tools);
    if (request.mode === 'notices') return noticesReport(await executeNotices(request, ports, tools.signal));
    return reportOf(await execute(request, runPlace(tools), ports, tools.signal), request);
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
  const [{ gateAccess }, { sha256 }, { systemRandom }, { valueOfYaml }] = await Promise.all([
    import('../../../src/adapters/github/gate-access.ts'),
    import('../../../src/adapters/system/digest.ts'),
    import('../../../src/adapters/system/random.ts'),
    import('../../../src/runtime/read-yaml.ts'),
  ]);
  const { clock, log } = tools;
  return {
    ...gateAccess(request.auth, tools),
    clock,
    log,
    sha256,
    random: systemRandom(),
    parseYaml: valueOfYaml,
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
