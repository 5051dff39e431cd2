import type { Duration } from '../../../src/domain/duration.ts';
import type { Template } from '../../../src/domain/checks/document.ts';
import { HEADERS_SHAPE } from '../../../src/domain/checks/request-parts.ts';
import { appInputs, authOf, authProblems } from '../../../src/domain/approval/github-auth.ts';
import { type ApprovalDemand, approvalDemand, approvalInputs } from '../../../src/domain/approval/require.ts';
import { checkInputs, readCheckSecrets } from '../../../src/domain/checks/target-inputs.ts';
import { imageInputs, imageOf, tagOf } from '../../../src/domain/image-inputs.ts';
import {
  type Checked,
  type InputProblem,
  type InputsOf,
  bad,
  count,
  duration,
  flag,
  good,
  list,
  oneOf,
  secret,
  structure,
  text,
} from '../../../src/domain/inputs.ts';
import { awsInputs, ecsInputs, ecsWords, stageInputs } from '../../../src/domain/stage-inputs.ts';
import { HOOKS_SCHEMA, HOOKS_SHAPE, type Hook, type HookMoment, readHooks } from '../../../src/domain/shift/hooks.ts';
import type { Color } from '../../../src/domain/traffic-split.ts';
import { candidateOf, readHeaders } from './inputs/candidate.ts';
import type { Asks } from './inputs/gate.ts';
import { type PolicyRequest, policyOf } from './inputs/policy.ts';
import { type Services, serviceInputs, servicesOf } from './inputs/services.ts';
import {
  ROUTER_SCHEMA,
  ROUTER_SHAPE,
  ROUTES_SCHEMA,
  ROUTES_SHAPE,
  type RouterRequest,
  readRouter,
  readRoutes,
} from './inputs/router.ts';

export const MODES = ['run', 'prepare', 'shift', 'finish', 'rollback', 'status', 'reconcile', 'watch'] as const;
export type Mode = (typeof MODES)[number];

export const spec = {
  mode: oneOf(MODES, {
    description:
      'What to do: `run` is prepare, shift and finish in one; `status` only looks; `watch` looks after the shift of its run from a second job, and `reconcile` once after any: what a dead run left is ended by `on-stale`, and nothing else is touched. Example: `prepare`.',
    fallback: 'run',
  }),
  ...serviceInputs,
  router: structure(
    {
      description:
        'Where the traffic is decided: the load balancer by name (or the listener by ARN) with its port, and the target groups by color. `rule` is a priority, `default` or an ARN; without it, the one rule of the listener that forwards to the colors. Or weighted records of Route 53, `{ route53: { zone: example.com, record: app.example.com }, colors: { blue: blue, green: green } }`, where the colors are set identifiers. Example: `{ alb: { listener: shop-alb, port: 443 }, colors: { blue: shop-blue, green: shop-green } }`.',
      from: 'stage',
      shape: ROUTER_SCHEMA,
    },
    ROUTER_SHAPE,
    readRouter,
  ),
  routes: structure(
    {
      description:
        'Several places that move together under one verdict, each written as `router`; the record of the shift stands on the first. The `routes` output of an earlier step fits. Excludes `router`. Example: `[{ alb: { listener: shop-alb, port: 443, rule: 10 }, colors: { blue: web-blue, green: web-green } }, { alb: { listener: shop-alb, port: 443, rule: 20 }, colors: { blue: hub-blue, green: hub-green } }]`.',
      from: 'stage',
      shape: ROUTES_SCHEMA,
    },
    ROUTES_SHAPE,
    readRoutes,
  ),
  ...imageInputs,
  container: ecsInputs.container,
  policy: text({
    description:
      'Path of the policy file: steps, bake, rules. Excludes `steps`, `bake` and `rules`. Example: `production-policy.yml`.',
    from: 'stage',
  }),
  steps: text({
    description: 'Percentages of the traffic, rising, the last is 100. Without it `10,50,100`. Example: `5,25,100`.',
  }),
  bake: duration({ description: 'Judged time at each step. Without it `5m`. Example: `10m`.' }),
  rules: list({
    description:
      'Rules that judge, one a line: `METRIC > LIMIT for DURATION` or `health fails N in a row`; `warn:` before one that only warns. Example: `error-rate > 5% for 2m`.',
  }),
  checks: checkInputs.checks,
  url: checkInputs.url,
  host: checkInputs.host,
  'check-secrets': checkInputs['check-secrets'],
  'expect-version': text({
    description:
      'Version that the checks must find where they look for one. Without it the tag of the released entry of `images`. Example: `1.4.0`.',
  }),
  'candidate-url': text({
    description:
      'Base URL that reaches the candidate alone; `{color}` stands for its color, and must stand here or in `candidate-headers`. Without it `url`, when there are `candidate-headers`. Example: `https://{color}.shop.example.com`.',
    from: 'stage',
  }),
  'candidate-headers': structure(
    {
      description:
        'Headers by which a rule of the listener sends a request to the candidate alone; `{color}` stands for its color. Example: `{ X-Color: "{color}" }`.',
      from: 'stage',
      shape: HEADERS_SHAPE,
    },
    'headers as a mapping',
    readHeaders,
  ),
  'min-healthy-targets': count({
    description:
      'Healthy targets that the candidate needs before it gets traffic, counted among those of the tasks of its own deployment; the drain waits for them, too. Without it all of its tasks. Where Route 53 sees only what leads to the tasks (a health check, a URL, a load balancer behind another one), that. Example: `2`.',
    from: 'stage',
    min: 1,
    max: 1_000,
  }),
  'desired-count': count({
    description: ecsWords['desired-count'],
    from: 'stage',
    min: 1,
    max: 5_000,
  }),
  'old-color-desired': count({
    description: 'Tasks that a color keeps when it has no traffic any more. Example: `1`.',
    from: 'stage',
    fallback: '0',
    min: 0,
    max: 5_000,
  }),
  autoscaling: oneOf(['suspend', 'leave'], {
    description:
      'What becomes of Application Auto Scaling of both services while traffic moves: `suspend` holds back scaling in and scheduled changes, keeps scaling out, and gives everything back as it was at any end. Example: `leave`.',
    from: 'stage',
    fallback: 'suspend',
  }),
  drain: duration({
    description:
      'How long the old color keeps its tasks after the switch, at least as long as the stickiness of the rule, or twice the TTL. Example: `10m`.',
    from: 'stage',
    fallback: '5m',
  }),
  'drain-early': flag({
    description:
      'End the drain when the metric `requests` shows none for the old color, not before the stickiness of the rule or twice the TTL is over; one route only. An open connection (a WebSocket) makes no request and is cut. Example: `true`.',
    from: 'stage',
    fallback: 'false',
  }),
  timeout: duration({
    description: ecsWords.timeout,
    from: 'stage',
    fallback: '15m',
  }),
  'after-promote': structure(
    {
      description:
        'Commands that run when the new release has all traffic and the old color is drained: lists of words, which no shell reads, each within `timeout` (5m). One that fails is told as an error and moves no traffic. Example: `[[npm, run, purge-cache], { run: [./clean-up.sh, old], timeout: 10m }]`.',
      from: 'stage',
      shape: HOOKS_SCHEMA,
    },
    HOOKS_SHAPE,
    readHooks,
  ),
  'after-rollback': structure(
    {
      description:
        'The same when all traffic is verified to be back and the candidate is scaled down. `database: true` marks a command that changes a database. Example: `[[./flush-cache.sh]]`.',
      from: 'stage',
      shape: HOOKS_SCHEMA,
    },
    HOOKS_SHAPE,
    readHooks,
  ),
  'allow-database-hooks': flag({
    description: 'Runs commands that are marked `database: true`, too; without it they are skipped and named.',
    fallback: 'false',
  }),
  'on-stale': oneOf(['rollback', 'resume', 'fail'], {
    description:
      'What to do with a shift that a dead run left in traffic: a run of the same images, `watch` and `reconcile` ask here. `resume` goes on with the step that it found, judged anew. Example: `resume`.',
    from: 'stage',
    fallback: 'rollback',
  }),
  'begin-within': duration({
    description:
      'How long `watch` waits for the shift of its run to begin, while no other one is under way. Example: `5m`.',
    from: 'stage',
    fallback: '15m',
  }),
  'on-cancel': ecsInputs['on-cancel'],
  'to-color': oneOf(['blue', 'green'], {
    description:
      'With `mode: rollback` and no shift under way: the color that shall have all traffic, whatever went before, as long as it is healthy. For recovery in another region, and for the way back from there. Example: `green`.',
  }),
  'shift-id': text({
    description:
      'The `shift-id` output of `prepare`, so that `shift`, `finish` and `rollback` touch that shift alone. Example: `7212345678-1`.',
  }),
  ...approvalInputs,
  token: secret({
    description:
      'Token that opens the request of an approval inside the steps: needs `issues: write` and `actions: read`. Used only where the policy asks for one. Not used with `app-id`. Default: the token of the job.',
  }),
  ...appInputs,
  ...awsInputs,
  ...stageInputs,
};

export interface Request {
  readonly mode: Mode;
  readonly dryRun: 'yes' | 'no';
  readonly deploy: 'ecs' | 'none';
  /** Tag of a service that names the live color, where the weights cannot. */
  readonly colorTag: string;
  /** undefined: no service is known, so nothing is deployed and nothing scaled. */
  readonly ecs: Services | undefined;
  /** What moves together, at least one. */
  readonly routes: readonly RouterRequest[];
  /** Whole reference of the image; undefined where a mode does without. */
  readonly image: string | undefined;
  readonly container: string | undefined;
  readonly policy: PolicyRequest;
  readonly checks: string | undefined;
  readonly url: string | undefined;
  readonly host: string | undefined;
  readonly expectVersion: string | undefined;
  /** By name; they win over the environment of the step. */
  readonly checkSecrets: ReadonlyMap<string, string>;
  /** What must be shown before anything is touched; going back, looking and finishing need no grant. */
  readonly approval: ApprovalDemand;
  /** For approvals inside the steps. */
  readonly asks: Asks;
  readonly candidate: { readonly url: string; readonly headers: Readonly<Record<string, Template>> } | undefined;
  readonly minHealthy: number | 'desired';
  readonly desiredCount: number | undefined;
  readonly oldDesired: number;
  readonly autoscaling: 'suspend' | 'leave';
  readonly drain: Duration;
  /** Whether a drain may end before its time, when the old color gets no requests any more. */
  readonly drainEarly: 'yes' | 'no';
  readonly timeout: Duration;
  readonly hooks: Readonly<Record<HookMoment, readonly Hook[]>>;
  readonly databases: 'allowed' | 'untouched';
  readonly onStale: 'rollback' | 'resume' | 'fail';
  readonly beginWithin: Duration;
  readonly onCancel: 'rollback' | 'leave';
  /** The color that a rollback shall end on; undefined: the one before. */
  readonly to: Color | undefined;
  readonly shiftId: string | undefined;
  readonly region: string | undefined;
  readonly roleToAssume: string | undefined;
  readonly allowedAccountIds: readonly string[] | undefined;
}

type Values = InputsOf<typeof spec>;

/** PURE: the request, or every problem between the inputs at once. */
export function toRequest(values: Values): Checked<Request> {
  const problems: InputProblem[] = [];
  const image = imageOf(values);
  if (!image.ok) problems.push(...image.problems);
  const mustRelease = isRelease(values.mode) && values.deploy === 'ecs';
  if (image.ok && image.value === undefined && mustRelease) {
    const accepted = 'image, or images with registry';
    problems.push({ input: 'image', problem: `is missing: mode ${values.mode} releases one`, accepted });
  }
  const ecs = servicesOf(values, problems);
  const routes = routesOf(values, problems);
  const policy = policyOf(values, problems);
  const candidate = candidateOf(values, problems);
  const checkSecrets = readCheckSecrets(values['check-secrets'] ?? '');
  const approval = approvalOf(values);
  problems.push(...[checkSecrets, approval].flatMap((each) => (each.ok ? [] : each.problems)));
  problems.push(...checksProblems(values, candidate), ...toProblems(values), ...authProblems(values));
  if (problems.length > 0 || !checkSecrets.ok || !approval.ok) return bad(...problems);
  return good({
    mode: values.mode,
    dryRun: values['dry-run'] ? 'yes' : 'no',
    deploy: values.deploy,
    ecs,
    colorTag: values['color-tag'],
    routes,
    image: image.ok ? image.value : undefined,
    container: values.container,
    policy,
    checks: values.checks,
    url: values.url,
    host: values.host,
    expectVersion: values['expect-version'] ?? tagOf(values),
    checkSecrets: checkSecrets.value,
    approval: approval.value,
    asks: { auth: authOf(values), environment: values.environment, images: values.images },
    candidate,
    minHealthy: values['min-healthy-targets'] ?? 'desired',
    desiredCount: values['desired-count'],
    oldDesired: values['old-color-desired'],
    autoscaling: values.autoscaling,
    drain: values.drain,
    drainEarly: values['drain-early'] ? 'yes' : 'no',
    timeout: values.timeout,
    hooks: { 'after-promote': values['after-promote'] ?? [], 'after-rollback': values['after-rollback'] ?? [] },
    databases: values['allow-database-hooks'] ? 'allowed' : 'untouched',
    onStale: values['on-stale'],
    beginWithin: values['begin-within'],
    onCancel: values['on-cancel'],
    to: values['to-color'],
    shiftId: values['shift-id'],
    region: values.region,
    roleToAssume: values['role-to-assume'],
    allowedAccountIds: values['allowed-account-ids'],
  });
}

function routesOf({ router, routes }: Values, problems: InputProblem[]): readonly RouterRequest[] {
  const accepted = 'router, or routes for several that move together';
  if (router === undefined && routes === undefined) problems.push({ input: 'router', problem: 'is missing', accepted });
  if (router !== undefined && routes !== undefined)
    problems.push({ input: 'routes', problem: 'is given beside router', accepted: 'one of the two' });
  return routes ?? (router === undefined ? [] : [router]);
}

const toProblems = ({ 'to-color': to, mode }: Values): readonly InputProblem[] =>
  to === undefined || mode === 'rollback' || mode === 'status'
    ? []
    : [{ input: 'to-color', given: to, problem: `says nothing to mode ${mode}`, accepted: 'mode: rollback' }];

/** Checks need somewhere to go: to the candidate alone before it has traffic, and where users come in after that. */
function checksProblems({ checks, mode, url }: Values, candidate: Request['candidate']): readonly InputProblem[] {
  if (checks === undefined || candidate !== undefined) return [];
  const problem = { input: 'checks', given: checks };
  if (isRelease(mode)) {
    const accepted = 'candidate-url, or url with candidate-headers';
    return [{ ...problem, problem: 'cannot be run on the candidate before it has traffic', accepted }];
  }
  if (mode !== 'shift' || url !== undefined) return [];
  return [{ ...problem, problem: 'have no URL to go to', accepted: 'url, or candidate-url' }];
}

const isRelease = (mode: Mode): boolean => mode === 'run' || mode === 'prepare';

/** Only what brings a release nearer to users needs a grant. */
function approvalOf(values: Values): Checked<ApprovalDemand> {
  const releases = values.mode === 'run' || values.mode === 'prepare' || values.mode === 'shift';
  return releases ? approvalDemand(values) : good({ kind: 'none' });
}
