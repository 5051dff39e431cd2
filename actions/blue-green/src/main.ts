import type { Failure } from '../../../src/domain/failure.ts';
import { isJudged } from '../../../src/domain/shift/record.ts';
import type { ActionDefinition } from '../../../src/runtime/action.ts';
import { checkApproval } from '../../../src/runtime/check-approval.ts';
import { runAction } from '../../../src/runtime/run-action.ts';
import { whatIsLeft } from './decide/left-behind/left.ts';
import { execute } from './execute.ts';
import { isOnStable, lookOnce } from './execute/look-once.ts';
import { type Request, spec, toRequest } from './inputs.ts';
import { planOf, stateOf } from './plan.ts';
import { lookedReport, outputsOfAddress, reportOf } from './report.ts';
import { lookAfter } from './main/look-after.ts';
import { meOf, open } from './main/open.ts';

const definition: ActionDefinition<typeof spec, Request> = {
  name: 'blue-green',
  spec,
  toRequest,
  async main(request, tools) {
    await checkApproval(request, tools);
    if (request.mode === 'reconcile' || request.mode === 'watch') return lookAfter(request, tools);
    const { release, ports, address } = await open(request, tools);
    const { log, clock, signal } = tools;
    const router = ports.router.name;
    if (request.mode === 'status' || request.dryRun === 'yes') {
      const faults: Failure[] = [];
      const seen = await lookOnce(release, ports, signal, request.mode === 'status' ? faults : undefined);
      const state = [...stateOf(seen, clock.now()), ...faults.map(({ message }) => `Fault: ${message}`)];
      for (const { message } of faults) log.warning(message);
      const plan = request.mode === 'status' ? [] : planOf(release.goal, seen, clock.now());
      log.verbatim(request.mode === 'status' ? 'Status' : 'Plan', [...state, ...plan].join('\n'));
      const outcome = request.mode === 'status' ? 'status' : 'planned';
      return lookedReport({
        outcome,
        seen,
        lines: [...state, ...plan],
        router,
        outputs: outputsOfAddress(request, address, seen.record?.candidate),
      });
    }
    const result = await execute(release, ports, signal);
    const outputs = outputsOfAddress(request, address, result.record?.candidate);
    return reportOf({ ...result, goal: release.goal, router, outputs });
  },
  /** main was cancelled or died: what it left in traffic, or at weight 0, is taken back. */
  async post(request, tools) {
    if (request.mode === 'status') return undefined;
    const { release, ports, address } = await open({ ...request, mode: 'rollback' }, tools, meOf(request, tools));
    const record = await ports.journal.read(tools.signal);
    const isBack = record !== undefined && isJudged(record.phase) && (await isOnStable(record, ports, tools.signal));
    const left = whatIsLeft(request, { record, traffic: isBack ? 'on-stable' : 'elsewhere' }, release.goal.me);
    if (left.says !== '') tools.log.info(left.says);
    if (left.kind === 'nothing') return undefined;
    const goal = {
      ...release.goal,
      mode: left.kind,
      expectedShift: undefined,
      onBusy: 'leave',
      because: 'its run was cancelled or died',
    } as const;
    const result = await execute({ ...release, goal }, ports, tools.signal);
    const outputs = outputsOfAddress(request, address, result.record?.candidate);
    return reportOf({ ...result, goal, router: ports.router.name, outputs });
  },
};

export const main = (): Promise<void> => runAction(definition, 'main');
export const post = (): Promise<void> => runAction(definition, 'post');
