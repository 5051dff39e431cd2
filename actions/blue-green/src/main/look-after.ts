import { Failure } from '../../../../src/domain/failure.ts';
import { CloudFailure, mayPass } from '../../../../src/domain/retry-policy.ts';
import { formatRun } from '../../../../src/domain/shift/record.ts';
import type { Report } from '../../../../src/domain/report.ts';
import type { ActionTools } from '../../../../src/runtime/action.ts';
import { type StaleVerdict, staleVerdict } from '../decide/left-behind/stale.ts';
import { execute } from '../execute.ts';
import { lookOnce } from '../execute/look-once.ts';
import { openAgain } from '../execute/open-again.ts';
import { tidyAlone } from '../execute/tidy.ts';
import { watchOver } from '../execute/watch.ts';
import type { Request } from '../inputs.ts';
import type { Goal } from '../decide/goal.ts';
import { lookedReport, outputsOfAddress, reportOf } from '../report.ts';
import { type Opened, meOf, open, runKeyOf } from './open.ts';

/** Looks once, or as long as the shift of this run is under way, and ends by `on-stale` what a dead run left behind. */
export async function lookAfter(request: Request, tools: ActionTools): Promise<Report> {
  // Whose image it is stands in the record. Looking and going back need no files and no inputs of a release: whatever is
  // missing there must not keep a dead run's candidate in traffic.
  const opened = await open({ ...request, mode: 'rollback', image: undefined }, tools, meOf(request, tools));
  for (;;) {
    const verdict = await verdictOn(request, opened, tools);
    tools.log.info(verdict.says);
    if (verdict.kind === 'leave' || verdict.kind === 'fail' || request.dryRun === 'yes')
      return leftAlone(verdict, { request, opened, tools });
    const { ports, release, address, mode } = await openedFor(verdict.kind, { request, opened, tools });
    const goal: Goal = {
      ...release.goal,
      mode,
      expectedShift: undefined,
      onBusy: 'leave',
      because: 'its runner is dead',
    };
    const result = await execute({ ...release, goal }, ports, tools.signal);
    // Whoever was taken for dead was at work again before anything was written: the watch goes on.
    if (request.mode === 'watch' && result.outcome.kind === 'refused' && result.changed === 'no') continue;
    const outputs = outputsOfAddress(request, address, result.record?.candidate);
    return reportOf({ ...result, goal, router: ports.router.name, outputs });
  }
}

interface Looking {
  readonly request: Request;
  readonly opened: Opened;
  readonly tools: ActionTools;
}

async function leftAlone(verdict: StaleVerdict, { request, opened, tools }: Looking): Promise<Report> {
  const { ports, release, address } = opened;
  const mayTidy = request.mode === 'reconcile' && verdict.kind === 'leave' && request.dryRun === 'no';
  // Whoever is refused by the look has written nothing.
  const seen = await lookOnce(release, ports, tools.signal);
  const tidied = mayTidy ? await tidyAlone(ports, tools.signal) : undefined;
  const outcome = verdict.kind === 'fail' ? 'stale' : 'nothing-to-do';
  const outputs = outputsOfAddress(request, address, seen.record?.candidate);
  return lookedReport({ outcome, seen, lines: [verdict.says], router: ports.router.name, outputs, tidied });
}

const MODE_OF = { 'roll-back': 'rollback', resume: 'shift', finish: 'finish', settle: 'settle' } as const;

/** To go on takes all that a shift takes. Where that is not there, users must not be left on a split that nobody judges. */
async function openedFor(
  verdict: keyof typeof MODE_OF,
  { request, opened, tools }: Looking,
): Promise<Opened & { readonly mode: (typeof MODE_OF)[keyof typeof MODE_OF] }> {
  if (verdict !== 'resume') return { ...opened, mode: MODE_OF[verdict] };
  const resumed: Request = { ...request, mode: 'shift', image: undefined };
  const again = await openAgain(
    () => open(resumed, tools, meOf(request, tools)),
    { ...tools, mayPass: await passing() },
    tools.signal,
  );
  if (!(again instanceof Failure)) return { ...again, mode: 'shift' };
  tools.log.warning(`The shift cannot be gone on with, so its traffic goes back: ${again.message}`);
  return { ...opened, mode: 'rollback' };
}

/** Whether an answer of AWS, or of GitHub for the approvals, may come in a moment. */
async function passing(): Promise<(thrown: Failure) => boolean> {
  const github = await import('../../../../src/adapters/github/faults.ts');
  return (thrown) =>
    thrown instanceof CloudFailure
      ? mayPass(thrown.kind)
      : github.mayPass(thrown.cause as Parameters<typeof github.mayPass>[0]);
}

async function verdictOn(request: Request, { ports, release }: Opened, tools: ActionTools): Promise<StaleVerdict> {
  if (request.mode === 'reconcile')
    return staleVerdict(await ports.journal.read(tools.signal), request, tools.clock.now());
  const run = runKeyOf(tools);
  const watch = { run, expectedShift: request.shiftId, beginWithin: request.beginWithin, onStale: request.onStale };
  tools.log.info(`Watching over the traffic of ${ports.router.name} as ${formatRun(release.goal.me)}`);
  const end = await watchOver(watch, ports, tools.signal);
  return end.kind === 'stale' ? end.verdict : { kind: 'leave', says: end.says };
}
