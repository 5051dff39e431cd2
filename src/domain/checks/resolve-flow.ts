import { describeProblem } from '../inputs.ts';
import type { Load, ResolvedLoad, ResolvedScenario } from '../load/load.ts';
import type { Capture, Check, FilledStep, Flow, FlowStep, ResolvedFlow, ResolvedStep, StepValues } from './document.ts';
import { type Filling, fillIn, newFilling } from './fill-in.ts';
import { resolveCheck } from './resolve-check.ts';
import { namesIn } from './template.ts';

/** A flow whose steps are filled in one by one, when their turn comes. What never changes is filled in here, once. */
export function resolveFlow(filling: Filling, flow: Flow): ResolvedFlow {
  const secret = new Set(flow.steps.flatMap((step) => (step.kind === 'request' ? usedAsSecrets(step.check) : [])));
  return {
    name: flow.name,
    at: flow.at,
    weight: flow.weight,
    steps: flow.steps.map((step) => resolveStep(filling, step, secret)),
  };
}

const SECRET_HEADERS = /authorization|cookie|token|secret|api-?key|password/;

/** Captured names that stand where secrets stand: they are masked even where the file does not say so. */
const usedAsSecrets = ({ bearer, headers }: Check): readonly string[] =>
  [
    ...(bearer === undefined ? [] : [bearer]),
    ...Object.entries(headers).flatMap(([name, value]) => (SECRET_HEADERS.test(name) ? [value] : [])),
  ].flatMap((template) => namesIn(template, 'variable'));

function resolveStep(filling: Filling, step: FlowStep, secret: ReadonlySet<string>): ResolvedStep {
  if (step.kind === 'think') return step;
  const [path] = step.check.paths;
  const label = `${step.check.socket === undefined ? step.check.method : 'open'} ${path?.text ?? ''}`;
  const check = withSecrets({ ...step.check, name: label }, secret);
  const before = filling.byTurn.count;
  const [fixed] = resolveCheck(filling, check);
  const changes = filling.byTurn.count > before;
  return {
    kind: 'request',
    name: label,
    at: check.at,
    answers: answersOf(check),
    fill: (values) => (changes || fixed === undefined ? fillStep(filling, check, values) : { ok: true, check: fixed }),
  };
}

/** Each of the addresses of a name answers, and how many there are is known when it is asked for. */
const answersOf = ({ addresses, socket }: Pick<Check, 'addresses' | 'socket'>): number =>
  addresses === 'every' ? Number.POSITIVE_INFINITY : 1 + (socket?.exchanges.length ?? 0);

function fillStep({ environment, variables }: Filling, check: Check, values: StepValues): FilledStep {
  const turn = newFilling(environment, variables, values);
  const [filled] = resolveCheck(turn, check);
  if (filled !== undefined && turn.problems.length === 0) return { ok: true, check: filled };
  return { ok: false, problem: turn.problems.map((problem) => describeProblem(problem)).join('; ') };
}

function withSecrets(check: Check, secret: ReadonlySet<string>): Check {
  const masked = (captures: readonly Capture[]): readonly Capture[] =>
    captures.map((capture) => (secret.has(capture.name) ? { ...capture, secret: 'masked' } : capture));
  const { socket } = check;
  if (socket === undefined) return { ...check, captures: masked(check.captures) };
  const exchanges = socket.exchanges.map((exchange) => ({ ...exchange, captures: masked(exchange.captures) }));
  return { ...check, captures: masked(check.captures), socket: { ...socket, exchanges } };
}

/** A load with its scenarios: flows, checks and its own request are all lists of steps. */
export function resolveLoad(filling: Filling, load: Load, flows: readonly Flow[]): ResolvedLoad {
  const scenarios = load.scenarios.flatMap((scenario): readonly ResolvedScenario[] => {
    if (scenario.kind === 'flow') {
      const flow = flows.find(({ name }) => name === scenario.name);
      return flow === undefined ? [] : [resolveFlow(filling, flow)];
    }
    const { check, weight } = scenario;
    return resolveCheck(filling, check).map((resolved) => ({
      name: resolved.name,
      at: check.at,
      weight,
      steps: [
        {
          kind: 'request',
          name: resolved.name,
          at: resolved.at,
          answers: answersOf(check),
          fill: always(resolved),
        },
      ],
    }));
  });
  const { scenarios: _scenarios, stable, ...same } = load;
  const stableUrl = stable === undefined ? {} : { stable: fillIn(filling, stable, { path: [...load.at, 'stable'] }) };
  return { ...same, ...stableUrl, scenarios };
}

function always(check: Extract<FilledStep, { ok: true }>['check']): (values: StepValues) => FilledStep {
  const filled: FilledStep = { ok: true, check };
  return () => filled;
}
