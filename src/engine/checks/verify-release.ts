import type { ResolvedChecks } from '../../domain/checks/document.ts';
import { counted } from '../../domain/counted.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { type SteadyRules, judgeSteady } from './judge-steady.ts';
import { type ChecksTarget, type ChecksTools, runChecks } from './run-checks.ts';
import type { Verification } from './verification.ts';

/** Checks and rules that are ready to be made. */
export interface Checking extends Pick<ChecksTools, 'prober' | 'random' | 'mask'> {
  readonly document: ResolvedChecks | undefined;
  readonly rules: SteadyRules | undefined;
  readonly target: ChecksTarget;
}

interface Tools {
  readonly clock: Clock;
  readonly log: Log;
}

/** What a rollout that is steady is held to: the checks first, then the rules for their time. */
export async function verifyRelease(checking: Checking, tools: Tools, signal: AbortSignal): Promise<Verification> {
  const checked = await check(checking, tools, signal);
  return checked.kind === 'bad' || checking.rules === undefined ? checked : judgeSteady(checking.rules, tools, signal);
}

async function check(
  { document, target, ...given }: Checking,
  { clock, log }: Tools,
  signal: AbortSignal,
): Promise<Verification> {
  if (document === undefined) return { kind: 'good' };
  log.info(`${counted(document.checks.length, 'check')} against ${target.url}`);
  const { verdict, checks } = await runChecks({ document, target }, { ...given, clock, log }, signal);
  if (verdict !== 'fail') return { kind: 'good' };
  const failed = checks.filter((each) => each.verdict === 'fail');
  const names = failed.map(({ name }) => name).join(', ');
  const reason = `${failed.length} of ${checks.length} checks failed after the deployment: ${names}`;
  const lines = failed.map(({ name, reasons }) => `Check ${name}: ${reasons.join('; ')}`);
  return { kind: 'bad', reason, lines };
}
