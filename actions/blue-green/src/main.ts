import { parseGate } from '../../../src/domain/approval/gate-document.ts';
import { requireApproval } from '../../../src/domain/approval/require.ts';
import type { ResolvedChecks } from '../../../src/domain/checks/document.ts';
import { fillTargetHeaders } from '../../../src/domain/checks/load.ts';
import { withCheckSecrets } from '../../../src/domain/checks/target-inputs.ts';
import { InvalidInput } from '../../../src/domain/inputs.ts';
import { parsePolicy } from '../../../src/domain/policy/parse-policy.ts';
import { type Policy, UNJUDGED } from '../../../src/domain/policy/policy.ts';
import { type RunKey, type ShiftRecord, formatRun } from '../../../src/domain/shift/record.ts';
import { type Color, otherColor } from '../../../src/domain/traffic-split.ts';
import type { Report } from '../../../src/domain/report.ts';
import type { ClientConfig } from '../../../src/adapters/aws/client-config.ts';
import type { OpenRouter } from '../../../src/adapters/traffic/open-router.ts';
import type { Prober } from '../../../src/ports/prober.ts';
import type { Journal } from '../../../src/ports/journal.ts';
import type { ActionDefinition, ActionTools } from '../../../src/runtime/action.ts';
import { runAction } from '../../../src/runtime/run-action.ts';
import { type StaleVerdict, staleVerdict } from './decide-stale.ts';
import { whatIsLeft } from './decide-left.ts';
import { watcherOf } from './decide-watch.ts';
import type { Ports as GatePorts } from '../../../src/engine/approval/ports.ts';
import { checkGate } from '../../../src/engine/approval/prepare.ts';
import { readChecks } from '../../../src/runtime/read-checks.ts';
import { documentOf } from '../../../src/runtime/read-document.ts';
import { runPlace } from '../../../src/runtime/run-identity.ts';
import { joinRoutes, joinTargets } from '../../../src/engine/shift/join-routes.ts';
import { type Ports, type Release, execute } from './execute.ts';
import { lookOnce } from './execute-look.ts';
import { tidyAlone } from './execute-tidy.ts';
import { watchOver } from './execute-watch.ts';
import { type Address, asksPeople, candidateAddress, fingerprintOf, goalOf, needsFiles, targetOf } from './goal.ts';
import { type Request, spec, toRequest } from './inputs.ts';
import { type Gates, NO_GATES, askProblems, gatesOf } from './inputs-gate.ts';
import type { Goal } from './moves.ts';
import { planOf, stateOf } from './plan.ts';
import { lookedReport, outputsOfAddress, reportOf } from './report.ts';

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
      const seen = await lookOnce(release, ports, signal);
      const state = stateOf(seen, clock.now());
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
    const left = whatIsLeft(request, record, release.goal.me);
    if (left.says !== '') tools.log.info(left.says);
    if (left.kind === 'nothing') return undefined;
    const goal = {
      ...release.goal,
      mode: left.kind,
      expectedShift: undefined,
      because: 'its run was cancelled or died',
    } as const;
    const result = await execute({ ...release, goal }, ports, tools.signal);
    const outputs = outputsOfAddress(request, address, result.record?.candidate);
    return reportOf({ ...result, goal, router: ports.router.name, outputs });
  },
};

/** Before credentials are asked for, so before anything at all is touched. A plan is often what is asked approval for. */
async function checkApproval({ approval, dryRun }: Request, { run, clock, log }: ActionTools): Promise<void> {
  if (approval.kind === 'none' || dryRun === 'yes') return;
  const { sha256 } = await import('../../../src/adapters/system/digest.ts');
  const grant = requireApproval(approval, { repository: run.repository, now: clock.now(), sha256 });
  if (grant !== undefined) log.info(`Approved for ${grant.environment} by grant ${grant.id}, until ${grant.expiresAt}`);
}

/** Looks once, or as long as the shift of this run is under way, and ends by `on-stale` what a dead run left behind. */
async function lookAfter(request: Request, tools: ActionTools): Promise<Report> {
  const mode = request.onStale === 'resume' ? 'shift' : 'rollback';
  // Whose image it is stands in the record.
  const opened = await open({ ...request, mode, image: undefined }, tools, meOf(request, tools));
  const { ports, release } = opened;
  for (;;) {
    const verdict = await verdictOn(request, opened, tools);
    tools.log.info(verdict.says);
    if (verdict.kind === 'leave' || verdict.kind === 'fail' || request.dryRun === 'yes') {
      const mayTidy = request.mode === 'reconcile' && verdict.kind === 'leave' && request.dryRun === 'no';
      if (mayTidy) tools.willChange();
      const tidied = mayTidy ? await tidyAlone(ports, tools.signal) : undefined;
      const seen = await lookOnce(release, ports, tools.signal);
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

interface Opened {
  readonly release: Release;
  readonly ports: Ports;
  readonly address: ((color: Color) => Address) | undefined;
}

const runKeyOf = ({ run }: ActionTools): RunKey => ({
  id: run.runId === '' ? 'local' : run.runId,
  attempt: run.attempt,
});
const meOf = ({ mode }: Request, tools: ActionTools): RunKey =>
  mode === 'watch' ? watcherOf(runKeyOf(tools)) : runKeyOf(tools);

/** Everything that is wrong with files and inputs comes first, then the account, then the load balancer; nothing is written. */
async function open(request: Request, given: ActionTools, me = meOf(request, given)): Promise<Opened> {
  for (const secret of request.checkSecrets.values()) given.mask(secret);
  const tools = { ...given, environment: withCheckSecrets(given.environment, request.checkSecrets) };
  const policy = await policyOf(request, tools);
  const people = once(() => peopleOf(request, tools));
  const gates = await gatesFor(request, policy, { ...tools, people });
  const checks = await checksOf(request, tools);
  const address = addressOf(request, tools);
  let candidate: Color = 'green';
  const { metricSources } = await import('../../../src/adapters/metrics/sources.ts');
  const own = await ownTools(tools);
  const { prober } = own;
  const { clock, log, signal, environment } = tools;
  const metrics = metricSources(policy, {
    prober,
    clock,
    environment,
    address,
    colorOf: (arm) => (arm === 'candidate' ? candidate : otherColor(candidate)),
    targetGroupOf: (color) => request.routes[0]?.colors[color] ?? '',
    meterOf: (color) => meterOf(color),
    cloudWatch: once(async (region) => {
      const { cloudWatchAccess } = await import('../../../src/adapters/metrics/cloudwatch-access.ts');
      return cloudWatchAccess(region === undefined ? config : { ...config, region });
    }),
  });
  const { clientConfig: config, meterOf, ...cloud } = await cloudOf(request, { ...tools, prober });
  const { sha256 } = await import('../../../src/adapters/system/digest.ts');
  const images = fingerprintOf(request, { run: runKeyOf(tools), sha256 });
  const goal = goalOf(request, {
    me,
    images,
    policy,
    gates: gates.goal,
    checks,
    lingers: await cloud.router.lingers(signal),
  });
  const release = releaseOf(request, {
    goal,
    checks,
    address,
    gates: gates.rules,
    context: runPlace(tools),
    onCandidate: (color) => (candidate = color),
  });
  return {
    release,
    address,
    ports: {
      ...cloud,
      ...own,
      people,
      metrics,
      clock,
      log,
      willChange: tools.willChange,
      onCancel: tools.onCancel,
    },
  };
}

/** Of the machine: requests, chance, programs. */
async function ownTools({ mask }: ActionTools): Promise<Pick<Ports, 'prober' | 'random' | 'mask' | 'programs'>> {
  const { httpProber } = await import('../../../src/adapters/http/prober.ts');
  const { systemRandom } = await import('../../../src/adapters/system/random.ts');
  const { systemPrograms } = await import('../../../src/adapters/system/programs.ts');
  return { prober: httpProber(), random: systemRandom(), mask, programs: systemPrograms() };
}

function releaseOf(
  request: Request,
  {
    address,
    ...rest
  }: Pick<Release, 'goal' | 'checks' | 'gates' | 'context' | 'onCandidate'> & Pick<Opened, 'address'>,
): Release {
  const { image, container, url, host } = request;
  return {
    ...rest,
    ecs: request.ecs,
    images: image === undefined || container === undefined ? image : { [container]: image },
    desiredCount: request.desiredCount,
    candidateOf: address && ((color) => targetOf(address(color), request)),
    users: url === undefined ? undefined : targetOf({ url, host, headers: {} }, request),
    databases: request.databases,
    onCancel: request.onCancel,
  };
}

/** What it makes for a region is made once: a client keeps its connections. */
function once<T>(make: (region: string | undefined) => Promise<T>): (region?: string) => Promise<T> {
  const made = new Map<string | undefined, Promise<T>>();
  return (region) => {
    const known = made.get(region) ?? make(region);
    made.set(region, known);
    return known;
  };
}

async function policyOf(request: Request, tools: ActionTools): Promise<Policy> {
  const { policy } = request;
  if (!needsFiles(request)) return UNJUDGED;
  if (policy.kind === 'given') return policy.policy;
  return policy.kind === 'none' ? UNJUDGED : documentOf({ path: policy.path, name: 'policy' }, parsePolicy, tools);
}

/** The approvals inside the steps, where this mode gets to them: whoever can never be passed is refused before anything is touched. */
async function gatesFor(
  request: Request,
  { gates }: Policy,
  tools: ActionTools & Pick<Ports, 'people'>,
): Promise<Gates> {
  if (gates.length === 0 || !asksPeople(request)) return NO_GATES;
  const problems = askProblems(request.asks);
  if (problems.length > 0) throw new InvalidInput('The approvals inside the steps', problems);
  const rules = await Promise.all(gates.map(({ file }) => documentOf({ path: file, name: 'gate' }, parseGate, tools)));
  const opened = gatesOf(gates, rules, request.asks);
  const people = await tools.people();
  for (const each of opened.rules.values()) await checkGate(each, runPlace(tools), people, tools.signal);
  return opened;
}

async function peopleOf({ asks }: Request, tools: ActionTools): Promise<GatePorts> {
  const [{ gateAccess }, { sha256 }, { systemRandom }, { valueOfYaml }] = await Promise.all([
    import('../../../src/adapters/github/gate-access.ts'),
    import('../../../src/adapters/system/digest.ts'),
    import('../../../src/adapters/system/random.ts'),
    import('../../../src/runtime/read-yaml.ts'),
  ]);
  const { clock, log } = tools;
  return { ...gateAccess(asks.auth, tools), clock, log, sha256, random: systemRandom(), parseYaml: valueOfYaml };
}

async function checksOf(request: Request, tools: ActionTools): Promise<ResolvedChecks | undefined> {
  const { checks, expectVersion } = request;
  if (checks === undefined || !needsFiles(request) || request.mode === 'finish') return undefined;
  const { matchers } = await import('../../../src/adapters/http/matchers.ts');
  const { environment } = tools;
  return readChecks(checks, { matchers, environment, target: 'elsewhere', expectVersion }, tools);
}

function addressOf(request: Request, tools: ActionTools): ((color: Color) => Address) | undefined {
  const filled = fillTargetHeaders(request.candidate?.headers ?? {}, tools.environment);
  if (!filled.ok) throw new InvalidInput('The candidate-headers', filled.problems);
  for (const secret of filled.value.secrets) tools.mask(secret);
  return candidateAddress(request, filled.value.headers);
}

type Cloud = Pick<Ports, 'router' | 'routes' | 'targets' | 'ecs' | 'conditions' | 'autoscaling'> & {
  readonly journal: Journal<ShiftRecord>;
  readonly clientConfig: ClientConfig;
  readonly meterOf: OpenRouter['meterOf'];
};

async function cloudOf(request: Request, tools: ActionTools & { readonly prober: Prober }): Promise<Cloud> {
  const { region, roleToAssume, allowedAccountIds } = request;
  const { awsSession } = await import('../../../src/adapters/aws/session.ts');
  const session = await awsSession(
    {
      ...(region === undefined ? {} : { region }),
      ...(roleToAssume === undefined ? {} : { roleToAssume }),
      ...(allowedAccountIds === undefined ? {} : { allowedAccountIds }),
    },
    tools,
    tools.signal,
  );
  const [{ ecsOf }, { deployConditionsOf }, { autoscalingOf }, { openRouter }] = await Promise.all([
    import('../../../src/adapters/aws/ecs.ts'),
    import('../../../src/adapters/aws/deploy-conditions.ts'),
    import('../../../src/adapters/aws/autoscaling.ts'),
    import('../../../src/adapters/traffic/open-router.ts'),
  ]);
  const opened = await Promise.all(request.routes.map((route) => openRouter(session.clientConfig, route, tools)));
  for (const notice of new Set(opened.flatMap(({ notices }) => notices))) tools.log.warning(notice);
  const routes = opened.map(({ router }) => router);
  const [first] = opened;
  if (first === undefined) throw new TypeError('there is at least one route');
  return {
    router: joinRoutes(routes),
    routes,
    targets: joinTargets(opened.map(({ targets }) => targets)),
    // One record for all of them, on the first.
    journal: first.journal,
    // What users meet is measured where the first of them leads.
    meterOf: first.meterOf,
    ecs: ecsOf(session, tools.log),
    conditions: deployConditionsOf(session, tools.clock),
    autoscaling: autoscalingOf(session),
    clientConfig: session.clientConfig,
  };
}

export const main = (): Promise<void> => runAction(definition, 'main');
export const post = (): Promise<void> => runAction(definition, 'post');
