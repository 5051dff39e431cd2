import type { ResolvedCheck } from '../../../../src/domain/checks/document.ts';
import { wayOf } from '../../../../src/domain/checks/result.ts';
import { oneLine, redact } from '../../../../src/domain/checks/shown-text.ts';
import { counted } from '../../../../src/domain/counted.ts';
import { formatDuration } from '../../../../src/domain/duration.ts';
import { arrivalsIn, lengthOf } from '../../../../src/domain/load/arrivals.ts';
import type { ResolvedLoad } from '../../../../src/domain/load/load.ts';
import { ruleWords } from '../../../../src/domain/load/rule.ts';
import type { Plan } from '../plan.ts';

interface Parts {
  readonly checks: readonly unknown[];
  readonly flows?: readonly unknown[];
  readonly loads?: readonly unknown[];
}

/** `3 checks, 1 flow, 1 load` */
export const partsOf = ({ checks, flows = [], loads = [] }: Parts): string =>
  Object.entries({ check: checks, flow: flows, load: loads })
    .flatMap(([what, all]) => (all.length === 0 ? [] : [counted(all.length, what)]))
    .join(', ');

/** One line for each check, without secrets: what a dry run shows. */
export function planLines({ document, target }: Plan): readonly string[] {
  const flows = (document.flows ?? []).map(({ name, steps }) => `flow ${name}: ${counted(steps.length, 'step')}`);
  return [...checkLines({ document, target }), ...flows, ...(document.loads ?? []).map(loadPlanLine)];
}

function loadPlanLine({ name, model, scenarios, rules, budget }: ResolvedLoad): string {
  const how =
    model.kind === 'closed'
      ? `${model.count === undefined ? '' : `${counted(model.count, 'run')}, `}${model.concurrency} at a time${model.duration === undefined ? '' : `, for ${formatDuration(model.duration)}`}`
      : `${arrivalsIn(model.phases)} arrivals in ${formatDuration(lengthOf(model.phases))}, at most ${model.concurrency} at a time`;
  return `load ${name}: ${how}, scenarios ${scenarios.map((each) => each.name).join(', ')}; ${rules.map(ruleWords).join(', ')}; at most ${budget} requests`;
}

function checkLines({ document, target }: Pick<Plan, 'document' | 'target'>): readonly string[] {
  return document.checks.map((check) => {
    const { name, path, retry, timeout } = check;
    const tries = retry.count === 1 ? 'one try' : `${retry.count} tries, ${formatDuration(retry.interval)} apart`;
    const where = oneLine(redact(`${target.url}${path}`, document.secrets), 200);
    return `${name}: ${wayOf(check)} ${where}, ${wantedOf(check)}; ${tries}, timeout ${formatDuration(timeout)}`;
  });
}

/** An open WebSocket has no status to expect. */
function wantedOf({ socket, expect }: ResolvedCheck): string {
  const more = Object.keys(expect).filter((part) => part !== 'status');
  if (socket === undefined) return `expects ${[`status ${expect.status?.text ?? 'any'}`, ...more].join(', ')}`;
  const turns = socket.exchanges.map(({ kind }) => kind);
  return [
    `opens it${turns.length === 0 ? '' : ` (${turns.join(', ')})`}`,
    ...(more.length === 0 ? [] : [`expects ${more.join(', ')}`]),
  ].join(', ');
}
