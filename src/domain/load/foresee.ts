import { type DocumentProblem, formatPath } from '../checks/place.ts';
import { defaultMinSamples } from '../policy/metric.ts';
import { arrivalsIn } from './arrivals.ts';
import { limitOf, samplesFor } from './judge-load.ts';
import { isPairable } from './judge-paired.ts';
import type { ResolvedLoad, ResolvedScenario } from './load.ts';
import type { Measured } from './measured.ts';
import type { LoadParts } from './result.ts';
import type { LoadRule } from './rule.ts';

/** The loads of an earlier result file, by name; undefined when none is given. What is wrong with it is told elsewhere. */
export type Baseline = ReadonlyMap<string, LoadParts> | 'unreadable' | undefined;

/**
 * PURE. What a load cannot show however well the system does: with too few answers for a rule, with nothing to compare
 * with, or with a budget that ends it before its plan does. It is known before the first request, so it is said then.
 */
export function foreseenProblems(load: ResolvedLoad, baseline: Baseline): readonly DocumentProblem[] {
  const ofRules = load.rules.flatMap((rule) => problemOf(rule, load, baseline) ?? []);
  return [...ofRules, ...budgetProblems(load)];
}

function problemOf(rule: LoadRule, load: ResolvedLoad, baseline: Baseline): DocumentProblem | undefined {
  const at = { path: rule.at, input: formatPath(rule.at), given: `${rule.level}: ${rule.text}` };
  const pair = load.stable !== undefined && isPairable(rule);
  if (rule.limit.kind === 'stable' && load.stable === undefined) {
    const earlier = earlierOf(rule, load, baseline);
    if (typeof earlier === 'string')
      return {
        ...at,
        problem: `is compared with the stable release, and ${earlier}`,
        accepted:
          '`stable: URL` in the load, or the result file of an earlier run with this load as the input baseline',
      };
  }
  const needed = pair ? neededOfPair(rule) : neededAlone(rule, load, baseline);
  const planned = plannedAnswers(load, rule, pair ? 'fewer' : 'own');
  if (planned === undefined || planned.answers >= needed) return undefined;
  const of = rule.scenario === undefined ? '' : ` of ${rule.scenario}`;
  const side = load.stable === undefined ? '' : ' of each side';
  const users = planned.ofUser === 0 ? undefined : Math.ceil(needed / planned.ofUser);
  const more = load.model.kind === 'closed' ? `a count of ${users} or more` : `${users} arrivals or more`;
  return {
    ...at,
    problem: `cannot be shown by this load: it needs ${needed} answers${of}${side}, and ${planned.answers} are planned`,
    accepted: `${users === undefined ? 'a scenario that asks for something' : more}, or a rule that claims less`,
  };
}

/** What the rule is compared with, or why there is nothing. */
function earlierOf(rule: LoadRule, load: ResolvedLoad, baseline: Baseline): Measured | string | undefined {
  if (baseline === undefined) return 'nothing says what that did';
  if (baseline === 'unreadable') return undefined;
  const parts = baseline.get(load.name);
  if (parts === undefined) return `the baseline has no load ${load.name}`;
  const { scenario } = rule;
  const part = scenario === undefined ? parts.all : parts.scenarios.find(({ name }) => name === scenario);
  if (part === undefined) return `the load ${load.name} of the baseline has no scenario ${scenario}`;
  return part.requests === 0 ? `the load ${load.name} of the baseline measured nothing` : part;
}

/** Errors of two sides are counted exactly; what they need depends on how many there are. */
const neededOfPair = ({ metric }: LoadRule): number => (metric === 'error-rate' ? 1 : defaultMinSamples(metric));

function neededAlone(rule: LoadRule, load: ResolvedLoad, baseline: Baseline): number {
  const earlier =
    rule.limit.kind === 'fixed' || load.stable !== undefined ? undefined : earlierOf(rule, load, baseline);
  const limit = limitOf(rule, typeof earlier === 'string' ? undefined : earlier);
  return limit === undefined ? 1 : samplesFor(rule, limit);
}

interface Planned {
  /** At most. */
  readonly answers: number;
  /** How many one user gives, on the average. */
  readonly ofUser: number;
}

/** undefined: time alone ends the load, and nobody knows how much the system answers in it. */
function plannedAnswers(load: ResolvedLoad, { scenario }: LoadRule, side: 'own' | 'fewer'): Planned | undefined {
  const users = usersOf(load);
  if (users === undefined) return undefined;
  const sides = load.stable === undefined ? 1 : 2;
  const round = side === 'own' ? Math.ceil : Math.floor;
  const weights = load.scenarios.reduce((sum, each) => sum + each.weight, 0);
  let [answers, ofUser] = [0, 0];
  for (const each of load.scenarios) {
    const own = answersOf(each);
    if ((scenario !== undefined && each.name !== scenario) || own === 0) continue;
    answers += round(turnsOf(each, load.scenarios, users).most / sides) * own;
    ofUser += (each.weight / weights / sides) * own;
  }
  return { answers, ofUser };
}

const usersOf = ({ model }: ResolvedLoad): number | undefined =>
  model.kind === 'closed' ? model.count : arrivalsIn(model.phases);

const answersOf = ({ steps }: ResolvedScenario): number =>
  steps.reduce((sum, step) => sum + (step.kind === 'request' ? step.answers : 0), 0);

/** Scenarios have their turns by weight, and none is more than one turn away from its share. */
function turnsOf(
  { weight }: ResolvedScenario,
  all: readonly ResolvedScenario[],
  users: number,
): { readonly least: number; readonly most: number } {
  if (all.length === 1) return { least: users, most: users };
  const share = (users * weight) / all.reduce((sum, each) => sum + each.weight, 0);
  return { least: Math.max(0, Math.floor(share) - 1), most: Math.ceil(share) + 1 };
}

function budgetProblems(load: ResolvedLoad): readonly DocumentProblem[] {
  const { budget, model, scenarios, at } = load;
  const users = usersOf(load);
  if (users === undefined || (model.kind === 'closed' && model.duration !== undefined)) return [];
  const planned = scenarios.reduce((sum, each) => {
    const answers = answersOf(each);
    const known = Number.isFinite(answers) ? answers : 1;
    return sum + turnsOf(each, scenarios, users).least * known;
  }, 0);
  if (planned <= budget) return [];
  return [
    {
      path: at,
      input: formatPath(at),
      problem: `plans ${planned} requests, and its budget of ${budget} ends it before`,
      accepted: `max-requests: ${planned} or more, or a smaller load`,
    },
  ];
}
