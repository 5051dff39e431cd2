import { hours, minutes } from '../../../src/domain/duration.ts';
import { approvalDemand, approvalInputs } from '../../../src/domain/approval/require.ts';
import { checkInputs, readCheckSecrets } from '../../../src/domain/checks/target-inputs.ts';
import { ADDRESS_SHAPE, readAddressSource } from '../../../src/domain/ecs/address-source.ts';
import { steadyInputs, steadyPolicyOf } from '../../../src/domain/policy/steady-inputs.ts';
import { CONTAINERS_SHAPE, type ContainerEdits, readContainerEdits } from '../../../src/domain/ecs/container-edits.ts';
import { TASK_SHAPE, readTaskWish } from '../../../src/domain/ecs/task-wish.ts';
import { imageInputs, imageOf, tagOf } from '../../../src/domain/image-inputs.ts';
import {
  type Checked,
  type InputProblem,
  type InputsOf,
  bad,
  count,
  duration,
  good,
  matching,
  oneOf,
  structure,
  text,
} from '../../../src/domain/inputs.ts';
import { editsOf } from './inputs-containers.ts';
import type { ChecksWish, DeployRequest, Mode, Place, Request } from './request.ts';
import {
  awsInputs,
  ecsInputs,
  ecsWords,
  rolloutInputs,
  rolloutWords,
  stageInputs,
} from '../../../src/domain/stage-inputs.ts';

export type * from './request.ts';

export const MODES = ['deploy', 'rollback', 'scale', 'status', 'cleanup'] as const satisfies readonly Mode[];

export const spec = {
  mode: oneOf(MODES, {
    description:
      'What to do: `deploy` an image; `rollback` to the release before, or `to` a revision; `scale` to `desired-count`; show the `status`; `cleanup` of old revisions. Example: `rollback`.',
    fallback: 'deploy',
  }),
  cluster: ecsInputs.cluster,
  service: text({
    description: 'Name of the ECS service. Example: `production-shop-service`.',
    from: 'stage',
    required: true,
  }),
  container: ecsInputs.container,
  ...imageInputs,
  'task-definition': matching({
    description:
      'What the new revision is made from: the path of a file (JSON or YAML), a family (its newest revision), `family:number` or an ARN. Without it the revision that the service runs. With it `image` may be left out. Example: `deploy/task-definition.yml`.',
    from: 'stage',
    shape:
      /(?!.*\.\.)(?:[^\s:]+\.(?:json|ya?ml)|(?:arn:aws[a-z-]*:ecs:[a-z0-9-]+:\d{12}:task-definition\/)?[\w-]{1,255}(?::\d{1,9})?)/,
    accepts: 'a file or a task definition',
    accepted: 'a path that ends in .json, .yml or .yaml, a family, family:number, or an ARN',
  }),
  containers: structure(
    {
      description:
        'Changes by container, as YAML: `image` (an entry of `images`, or a reference), `environment`, `secrets`, `log-options`, `labels` (NAME: value; null removes one), `command` (a list), `log-driver`. What is not named stays. Example: `{ web: { image: api, environment: { LOG_LEVEL: info, OLD: null } } }`.',
      from: 'stage',
      shape: CONTAINERS_SHAPE,
    },
    'changes by container',
    readContainerEdits,
  ),
  'pre-deploy-task': structure(
    {
      description:
        'A task that is run once for an image before the service is updated to it, a database migration for one, in the network of the service: `command` (a list), `container`, `environment`, `timeout` (15m), `subnets`, `security-groups`, `assign-public-ip`, `on-unknown`. A failed one ends the release with the service as it was. Example: `{ command: [npm, run, migrate], timeout: 10m }`.',
      from: 'stage',
      shape: TASK_SHAPE,
    },
    'a task',
    readTaskWish,
  ),
  'post-deploy-task': structure(
    {
      description:
        'The same once the new revision is steady, before `checks`; a failed one counts as a failed deployment. Example: `{ command: [node, warm-up.js] }`.',
      from: 'stage',
      shape: TASK_SHAPE,
    },
    'a task',
    readTaskWish,
  ),
  to: matching({
    description:
      "Revision that `mode: rollback` goes to. Without it the release before the one that serves, by ECS's record of successful deployments. Example: `shop-task:41`.",
    shape: /\d{1,9}|(?:arn:aws[a-z-]*:ecs:[a-z0-9-]+:\d{12}:task-definition\/)?[\w-]{1,255}:\d{1,9}/,
    accepts: 'a revision',
    accepted: 'a number of the family that runs (41), family:number, or an ARN',
  }),
  'keep-revisions': count({
    description:
      'Newest revisions that `mode: cleanup` keeps in any case. Older ones stay too while a service, a task or a roll back needs them.',
    from: 'stage',
    fallback: '10',
    min: 1,
    max: 1_000,
  }),
  'desired-count': count({
    description: ecsWords['desired-count'],
    from: 'stage',
    min: 0,
    max: 5_000,
  }),
  'on-limits': oneOf(['fail', 'change'], {
    description:
      'What `mode: scale` does with a count outside of the limits of Application Auto Scaling, which would set it back: `change` widens the limits first. Example: `change`.',
    from: 'stage',
    fallback: 'fail',
  }),
  timeout: duration({
    description: ecsWords.timeout,
    from: 'stage',
    fallback: '20m',
    min: minutes(1),
    max: hours(24),
  }),
  'on-failure': rolloutInputs['on-failure'],
  'on-cancel': ecsInputs['on-cancel'],
  'on-conflict': oneOf(['fail', 'wait', 'stop'], {
    description: rolloutWords['on-conflict'],
    from: 'stage',
    fallback: 'fail',
  }),
  'on-outdated': rolloutInputs['on-outdated'],
  // Not from the stage: the checks of a stage are run by smoke-test after this action; here they are asked for.
  checks: text({
    description:
      'Path of a checks file (YAML, version 1). It is run on `url` once ECS calls the new revision steady; red checks count as a failed deployment and roll back. Example: `deploy/checks.yml`.',
  }),
  url: checkInputs.url,
  'url-from': matching({
    description:
      'The same where the host is known to AWS alone: `{load-balancer}` is the DNS name of the one in front of the service, `{stack-output:STACK/OUTPUT}` an output of a CloudFormation stack. Excludes `url`. Example: `https://{stack-output:staging-shop/LoadBalancerDNS}`.',
    from: 'stage',
    shape: ADDRESS_SHAPE,
    accepts: 'a URL whose host AWS knows',
    accepted: 'https://{load-balancer} or https://{stack-output:STACK/OUTPUT}, with a port and a path if needed',
  }),
  host: checkInputs.host,
  'check-secrets': checkInputs['check-secrets'],
  'expect-version': text({
    description:
      'Version that the checks must find where they look for one. Without it the tag of the released entry of `images`. Example: `1.4.0`.',
  }),
  ...steadyInputs,
  ...approvalInputs,
  'release-id': text({
    description:
      'Name of the release in the tags of the service, the same in every stage. Without it the image stands there. Example: `v1.4.0`.',
  }),
  ...awsInputs,
  ...stageInputs,
} as const;

type Values = InputsOf<typeof spec>;

export function toRequest(values: Values): Checked<Request> {
  const foreign = foreignInputs(values);
  const request = requestOf(values);
  if (foreign.length === 0) return request;
  return bad(...foreign, ...(request.ok ? [] : request.problems));
}

function requestOf(values: Values): Checked<Request> {
  const place = placeOf(values);
  switch (values.mode) {
    case 'deploy':
      return toDeploy(values, place);
    case 'rollback': {
      const checks = checksOf(values);
      return checks.ok ? good({ ...place, mode: 'rollback', to: values.to, checks: checks.value }) : checks;
    }
    case 'scale':
      return values['desired-count'] === undefined
        ? bad({ input: 'desired-count', problem: 'is missing: it is what mode: scale sets', accepted: '0 to 5000' })
        : good({ ...place, mode: 'scale', desired: values['desired-count'], onLimits: values['on-limits'] });
    case 'status':
      return good({ ...place, mode: 'status' });
    case 'cleanup':
      return good({ ...place, mode: 'cleanup', keep: values['keep-revisions'] });
  }
}

const placeOf = (values: Values): Place => ({
  cluster: values.cluster,
  service: values.service,
  timeout: values.timeout,
  onConflict: values['on-conflict'],
  region: values.region,
  roleToAssume: values['role-to-assume'],
  allowedAccountIds: values['allowed-account-ids'],
  dryRun: values['dry-run'] ? 'yes' : 'no',
});

/** Inputs that only some modes read; given to another one they are a misunderstanding. None of them comes from the stage. */
const READ_BY: Readonly<Partial<Record<keyof typeof spec, readonly Mode[]>>> = {
  image: ['deploy'],
  images: ['deploy'],
  to: ['rollback'],
  checks: ['deploy', 'rollback'],
  rules: ['deploy', 'rollback'],
  approval: ['deploy'],
};

function foreignInputs(values: Values): readonly InputProblem[] {
  return Object.entries(READ_BY).flatMap(([input, modes]) =>
    values[input as keyof Values] === undefined || modes.includes(values.mode)
      ? []
      : [
          {
            input,
            problem: `is not read by mode: ${values.mode}`,
            accepted: modes.map((mode) => `mode: ${mode}`).join(', '),
          },
        ],
  );
}

function toDeploy(values: Values, place: Place): Checked<DeployRequest> {
  const edits = editsOf(values);
  // Images that are given out by container need no entry for the one image.
  const byContainer = Object.values(values.containers ?? {}).some(({ image }) => image !== undefined);
  const image =
    byContainer && values['image-name'] === undefined ? imageOf({ ...values, images: undefined }) : imageOf(values);
  const approval = approvalDemand(values);
  const checks = checksOf(values);
  const problems = [image, edits, approval, checks].flatMap((each) => (each.ok ? [] : each.problems));
  const named = values['task-definition'];
  const nothing = image.ok && image.value === undefined && named === undefined && values.containers === undefined;
  if (nothing && problems.length === 0) problems.push(NOTHING_TO_DEPLOY);
  if (problems.length > 0 || !image.ok || !edits.ok || !approval.ok || !checks.ok) return bad(...problems);
  return good({
    ...place,
    mode: 'deploy',
    container: values.container,
    image: image.value,
    definition:
      named === undefined ? undefined : { kind: /\.(?:json|ya?ml)$/.test(named) ? 'file' : 'registered', name: named },
    edits: edits.value,
    release: values['release-id'] ?? image.value ?? releaseOf(edits.value, named),
    desired: values['desired-count'],
    onFailure: values['on-failure'],
    onCancel: values['on-cancel'],
    onOutdated: values['on-outdated'],
    approval: approval.value,
    checks: checks.value,
    before: values['pre-deploy-task'],
    after: values['post-deploy-task'],
  });
}

const NOTHING_TO_DEPLOY: InputProblem = {
  input: 'image',
  problem: 'is missing',
  accepted: 'image with a reference, images with the output of the build, task-definition, or containers',
};

/** A name for the tags where nobody gave one. */
const releaseOf = (edits: ContainerEdits | undefined, definition: string | undefined): string =>
  [
    ...Object.values(edits ?? {}).flatMap(({ image }) => image ?? []),
    ...(definition === undefined ? [] : [definition]),
  ].join(' ') || 'settings';

/** undefined: neither checks nor rules are asked for. */
function checksOf(values: Values): Checked<ChecksWish | undefined> {
  const secrets = readCheckSecrets(values['check-secrets'] ?? '');
  const policy = steadyPolicyOf(values);
  const from = values['url-from'] === undefined ? undefined : readAddressSource(values['url-from']);
  const problems = [secrets, policy].flatMap((each) => (each.ok ? [] : each.problems));
  if (values.url !== undefined && from !== undefined)
    problems.push({ input: 'url-from', problem: 'excludes url', accepted: 'one of the two' });
  if (values.rules !== undefined && values.url === undefined && from === undefined)
    problems.push({ input: 'rules', problem: 'need an address to measure', accepted: 'url or url-from' });
  if (problems.length > 0 || !secrets.ok || !policy.ok) return bad(...problems);
  if (values.checks === undefined && policy.value === undefined) return good(undefined);
  return good({
    file: values.checks,
    policy: policy.value,
    recheck: values.recheck,
    url: values.url,
    from,
    host: values.host,
    expectVersion: values['expect-version'] ?? tagOf(values),
    secrets: secrets.value,
  });
}
