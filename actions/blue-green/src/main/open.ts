import type { ResolvedChecks } from '../../../../src/domain/checks/document.ts';
import { fillTargetHeaders } from '../../../../src/domain/checks/load.ts';
import { withCheckSecrets } from '../../../../src/domain/checks/target-inputs.ts';
import { InvalidInput } from '../../../../src/domain/inputs.ts';
import { parsePolicy } from '../../../../src/domain/policy/parse-policy.ts';
import { type Policy, UNJUDGED } from '../../../../src/domain/policy/policy.ts';
import type { RunKey } from '../../../../src/domain/shift/record.ts';
import { type Color, otherColor } from '../../../../src/domain/traffic-split.ts';
import type { ActionTools } from '../../../../src/runtime/action.ts';
import { watcherOf } from '../decide/left-behind/watch.ts';
import type { Meter } from '../../../../src/ports/meter.ts';
import { readChecks } from '../../../../src/runtime/read-checks.ts';
import { documentOf } from '../../../../src/runtime/read-document.ts';
import { runPlace } from '../../../../src/runtime/run-identity.ts';
import type { Ports, Release } from '../execute/acting.ts';
import { type Address, candidateAddress, fingerprintOf, goalOf, needsFiles, sendsRequests, targetOf } from '../goal.ts';
import type { Request } from '../inputs.ts';
import { isProvenByAnswer, isSentByHeaders, reachOfColors, unprovenWords } from '../decide/reach.ts';
import { type Cloud, cloudOf } from './cloud.ts';
import { gatesFor, peopleOf } from './people.ts';

export interface Opened {
  readonly release: Release;
  readonly ports: Ports;
  readonly address: ((color: Color) => Address) | undefined;
}

export const runKeyOf = ({ run }: ActionTools): RunKey => ({
  id: run.runId === '' ? 'local' : run.runId,
  attempt: run.attempt,
});
export const meOf = ({ mode }: Request, tools: ActionTools): RunKey =>
  mode === 'watch' ? watcherOf(runKeyOf(tools)) : runKeyOf(tools);

/** Everything that is wrong with files and inputs comes first, then the account, then the load balancer; nothing is written. */
export async function open(request: Request, given: ActionTools, me = meOf(request, given)): Promise<Opened> {
  for (const secret of request.checkSecrets.values()) given.mask(secret);
  const tools = { ...given, environment: withCheckSecrets(given.environment, request.checkSecrets) };
  const policy = await policyOf(request, tools);
  const people = once(() => peopleOf(request, tools));
  const gates = await gatesFor(request, policy, { ...tools, people });
  const checks = await checksOf(request, tools);
  const address = addressOf(request, tools);
  let candidate: Color | undefined;
  const candidateNow = (): Color => {
    if (candidate === undefined) throw new TypeError('nothing is measured before the shift has a candidate');
    return candidate;
  };
  const { metricSources } = await import('../../../../src/adapters/metrics/sources.ts');
  const own = await ownTools(tools);
  const { prober } = own;
  const { clock, log, signal, environment } = tools;
  // A source that cannot work is told before AWS is asked; what it asks of the cloud is opened below, before it measures.
  const metrics = metricSources(policy, {
    prober,
    clock,
    environment,
    address,
    colorOf: (arm) => (arm === 'candidate' ? candidateNow() : otherColor(candidateNow())),
    ...placesOf(request, () => meters),
    cloudWatch: once(async (region) => {
      const { cloudWatchAccess } = await import('../../../../src/adapters/metrics/cloudwatch-access.ts');
      return cloudWatchAccess(region === undefined ? config : { ...config, region });
    }),
  });
  const { clientConfig: config, meters, listened, ...cloud } = await cloudOf(request, { ...tools, prober });
  await reaches(request, { checks, address, listened, tools });
  const lingers = await cloud.router.lingers(signal);
  const goal = goalOf(request, {
    me,
    images: await imagesOf(request, tools),
    policy,
    gates: gates.goal,
    checks,
    lingers,
  });
  const release = releaseOf(request, {
    goal,
    checks,
    address,
    gates: gates.rules,
    context: runPlace(tools),
    drainEarlyAfter: request.drainEarly === 'yes' ? lingers : 'never',
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

/** Where the metrics of a color are: in every place that moves. */
function placesOf({ routes }: Request, metersOf: () => Cloud['meters']) {
  const place = ({ colors }: Request['routes'][number], index: number) => ({
    targetGroupOf: (color: Color) => colors[color],
    meterOf: (color: Color): Meter => metersOf()[index]?.(color) ?? { kind: 'none' },
  });
  const [first, ...others] = routes.map(place);
  if (first === undefined) throw new TypeError('there is at least one route');
  return { ...first, others };
}

interface Reaching extends Pick<Opened, 'address'> {
  readonly checks: ResolvedChecks | undefined;
  readonly listened: Cloud['listened'];
  readonly tools: ActionTools;
}

/** What is sent to one color by a header must reach it, or the other color would be judged in its place. */
async function reaches(request: Request, { checks, address, listened, tools }: Reaching): Promise<void> {
  const { candidate } = request;
  if (address === undefined || candidate === undefined || !sendsRequests(request)) return;
  const places = isSentByHeaders(request) ? await listened(tools.signal) : [];
  if (places.length === 0) {
    if (!isProvenByAnswer(checks)) tools.log.warning(unprovenWords(candidate));
    return;
  }
  const reach = reachOfColors(places, address);
  if (reach.kind === 'elsewhere' && !isProvenByAnswer(checks)) throw reach.failure;
  if (reach.kind !== 'alone') tools.log.warning(reach.says);
}

async function imagesOf(request: Request, tools: ActionTools): Promise<string | undefined> {
  const { sha256 } = await import('../../../../src/adapters/system/digest.ts');
  return fingerprintOf(request, { run: runKeyOf(tools), sha256 });
}

/** Of the machine: requests, chance, programs. */
async function ownTools({ mask }: ActionTools): Promise<Pick<Ports, 'prober' | 'random' | 'mask' | 'programs'>> {
  const { httpProber } = await import('../../../../src/adapters/http/prober.ts');
  const { systemRandom } = await import('../../../../src/adapters/system/random.ts');
  const { systemPrograms } = await import('../../../../src/adapters/system/programs.ts');
  return { prober: httpProber(), random: systemRandom(), mask, programs: systemPrograms() };
}

function releaseOf(
  request: Request,
  {
    address,
    ...rest
  }: Pick<Release, 'goal' | 'checks' | 'gates' | 'context' | 'drainEarlyAfter' | 'onCandidate'> &
    Pick<Opened, 'address'>,
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

async function checksOf(request: Request, tools: ActionTools): Promise<ResolvedChecks | undefined> {
  const { checks, expectVersion } = request;
  if (checks === undefined || !needsFiles(request) || request.mode === 'finish') return undefined;
  const { matchers } = await import('../../../../src/adapters/http/matchers.ts');
  const { environment } = tools;
  return readChecks(checks, { matchers, environment, target: 'elsewhere', expectVersion }, tools);
}

function addressOf(request: Request, tools: ActionTools): ((color: Color) => Address) | undefined {
  // Whoever goes back, or only looks, may lack what a request to the candidate needs; none is sent then.
  const environment = sendsRequests(request)
    ? tools.environment
    : (name: string) => tools.environment(name) ?? `\${${name}}`;
  const filled = fillTargetHeaders(request.candidate?.headers ?? {}, environment);
  if (!filled.ok) throw new InvalidInput('The candidate-headers', filled.problems);
  for (const secret of filled.value.secrets) tools.mask(secret);
  return candidateAddress(request, filled.value.headers);
}
