import { formatRun } from '../../../../src/domain/shift/record.ts';
import type { Report } from '../../../../src/domain/report.ts';
import type { ActionTools } from '../../../../src/runtime/action.ts';
import { type StaleVerdict, staleVerdict } from '../decide/left-behind/stale.ts';
import { execute } from '../execute.ts';
import { lookOnce } from '../execute/look-once.ts';
import { tidyAlone } from '../execute/tidy.ts';
import { watchOver } from '../execute/watch.ts';
import type { Request } from '../inputs.ts';
import type { Goal } from '../decide/goal.ts';
import { lookedReport, outputsOfAddress, reportOf } from '../report.ts';
import { type Opened, meOf, open, runKeyOf } from './open.ts';

/** Looks once, or as long as the shift of this run is under way, and ends by `on-stale` what a dead run left behind. */
export async function lookAfter(request: Request, tools: ActionTools): Promise<Report> {
  const mode = request.onStale === 'resume' ? 'shift' : 'rollback';
  // Whose image it is stands in the record.
  const opened = await open({ ...request, mode, image: undefined }, tools, meOf(request, tools));
  const { ports, release } = opened;
  for (;;) {
    const verdict = await verdictOn(request, opened, tools);
    tools.log.info(verdict.says);
    if (verdict.kind === 'leave' || verdict.kind === 'fail' || request.dryRun === 'yes') {
      const mayTidy = request.mode === 'reconcile' && verdict.kind === 'leave' && request.dryRun === 'no';
      // Whoever is refused by the look has written nothing.
      const seen = await lookOnce(release, ports, tools.signal);
      const tidied = mayTidy ? await tidyAlone(ports, tools.signal) : undefined;
      const outcome = verdict.kind === 'fail' ? 'stale' : 'nothing-to-do';
      const outputs = outputsOfAddress(request, opened.address, seen.record?.candidate);
      return lookedReport({ outcome, seen, lines: [verdict.says], router: ports.router.name, outputs, tidied });
    }
    const goal: Goal = {
      ...release.goal,
      mode: MODE_OF[verdict.kind],
      expectedShift: undefined,
      onBusy: 'leave',
      because: 'its runner is dead',
    };
    const result = await execute({ ...release, goal }, ports, tools.signal);
    // Whoever was taken for dead was at work again before anything was written: the watch goes on.
    if (request.mode === 'watch' && result.outcome.kind === 'refused' && result.changed === 'no') continue;
    const outputs = outputsOfAddress(request, opened.address, result.record?.candidate);
    return reportOf({ ...result, goal, router: ports.router.name, outputs });
  }
}

const MODE_OF = { 'roll-back': 'rollback', resume: 'shift', finish: 'finish', settle: 'settle' } as const;

async function verdictOn(request: Request, { ports, release }: Opened, tools: ActionTools): Promise<StaleVerdict> {
  if (request.mode === 'reconcile')
    return staleVerdict(await ports.journal.read(tools.signal), request, tools.clock.now());
  const run = runKeyOf(tools);
  const watch = { run, expectedShift: request.shiftId, beginWithin: request.beginWithin, onStale: request.onStale };
  tools.log.info(`Watching over the traffic of ${ports.router.name} as ${formatRun(release.goal.me)}`);
  const end = await watchOver(watch, ports, tools.signal);
  return end.kind === 'stale' ? end.verdict : { kind: 'leave', says: end.says };
}
