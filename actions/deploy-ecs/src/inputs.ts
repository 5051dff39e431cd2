import { hours, minutes } from '../../../src/domain/duration.ts';
import { approvalInputs } from '../../../src/domain/approval/require.ts';
import { checkInputs } from '../../../src/domain/checks/target-inputs.ts';
import { ADDRESS_SHAPE } from '../../../src/domain/ecs/address-source.ts';
import { steadyInputs } from '../../../src/domain/policy/steady-inputs.ts';
import { CONTAINERS_SHAPE, readContainerEdits } from '../../../src/domain/ecs/container-edits.ts';
import { ROLE_ACCEPTED, ROLE_ARN } from '../../../src/domain/ecs/roles.ts';
import { SETTINGS_SHAPE, readServiceSettings } from '../../../src/domain/ecs/service-settings.ts';
import { TASK_SHAPE, readTaskWish } from '../../../src/domain/ecs/task-wish.ts';
import { imageInputs } from '../../../src/domain/image-inputs.ts';
import {
  type Checked,
  type GivenInputs,
  type InputsOf,
  bad,
  count,
  duration,
  good,
  matching,
  oneOf,
  structure,
  text,
  type InputField,
} from '../../../src/domain/inputs.ts';
import { addressOf, checksOf } from './inputs/checks.ts';
import { placeOf, toDeploy, toGroup } from './inputs/deploy.ts';
import { notReadIn } from './inputs/modes.ts';
import { DEFINITION, DEFINITION_ACCEPTED, GROUP_SHAPE, readGroup } from './inputs/group.ts';
import type { Mode, Place, Request } from './request.ts';
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

/** They have variables in them, and not every secret is given as one; the plan shows them with those hidden that look secret. */
const discreet = <T>(field: InputField<T>): InputField<T> => ({ ...field, shown: 'presence' });

const addressSource = {
  ...matching({
    description:
      'The same where the host is known to AWS alone: `{load-balancer}` is the DNS name of the one in front of the service, `{stack-output:STACK/OUTPUT}` an output of a CloudFormation stack. Excludes `url`. Example: `https://{stack-output:staging-shop/LoadBalancerDNS}`.',
    from: 'stage',
    shape: ADDRESS_SHAPE,
    accepts: 'a URL whose host AWS knows',
    accepted: 'https://{load-balancer} or https://{stack-output:STACK/OUTPUT}, with a port and a path if needed',
  }),
  insteadOf: ['url'],
} as const;

export const spec = {
  mode: oneOf(MODES, {
    description:
      'What to do: `deploy` an image; `rollback` to the release before, or `to` a revision; `scale` to `desired-count`; show the `status`; `cleanup` of old revisions. Example: `rollback`.',
    fallback: 'deploy',
  }),
  cluster: ecsInputs.cluster,
  service: text({
    description:
      'Name of the ECS service; not read where `service-group` is deployed. Example: `production-shop-service`.',
    from: 'stage',
  }),
  'service-group': discreet(
    structure(
      {
        description:
          'Several services that `mode: deploy` releases as one, as a YAML list: `service`, `image` (an entry of `images`, or a reference), `container`, `task-definition`, `containers`, `task-role-arn`, `execution-role-arn`, `service-settings`, `pre-deploy-task`, `post-deploy-task`, `depends-on` (services of the list that serve before). When one fails, all go back. Example: `[{ service: shop-api, image: api }, { service: shop-web, image: web, depends-on: [shop-api] }]`.',
        from: 'stage',
        shape: GROUP_SHAPE,
      },
      'a list of services',
      readGroup,
    ),
  ),
  container: ecsInputs.container,
  ...imageInputs,
  'task-definition': matching({
    description:
      'What the new revision is made from: the path of a file (JSON or YAML), a family (its newest revision), `family:number` or an ARN. Without it the revision that the service runs. With it `image` may be left out. Example: `deploy/task-definition.yml`.',
    from: 'stage',
    shape: DEFINITION,
    accepts: 'a file or a task definition',
    accepted: DEFINITION_ACCEPTED,
  }),
  containers: discreet(
    structure(
      {
        description:
          'Changes by container, as YAML: `image` (an entry of `images`, or a reference), `environment`, `secrets`, `log-options`, `labels` (NAME: value; null removes one), `command` (a list), `environment-files` (ARNs in S3, a list), `log-driver`. What is not named stays. Example: `{ web: { image: api, environment: { LOG_LEVEL: info, OLD: null } } }`.',
        from: 'stage',
        shape: CONTAINERS_SHAPE,
      },
      'changes by container',
      readContainerEdits,
    ),
  ),
  'task-role-arn': matching({
    description:
      'Role of the tasks, in place of that of the task definition: what the application itself may do. Example: `arn:aws:iam::123456789012:role/shop-task`.',
    from: 'stage',
    shape: ROLE_ARN,
    accepts: 'the ARN of a role',
    accepted: ROLE_ACCEPTED,
  }),
  'execution-role-arn': matching({
    description:
      'Role by which ECS pulls the image, reads the secrets and writes the logs, in place of that of the task definition. Example: `arn:aws:iam::123456789012:role/shop-execution`.',
    from: 'stage',
    shape: ROLE_ARN,
    accepts: 'the ARN of a role',
    accepted: ROLE_ACCEPTED,
  }),
  'service-settings': structure(
    {
      description:
        'What the deployment changes of the service beside its revision, as YAML: `volumes` (EBS volumes by name: `role-arn`, `size-gib` or `snapshot`, `type`, ...), `propagate-tags` (`service`, `task-definition`, `none`), `enable-ecs-managed-tags`. What is not named is not sent, and stays. Example: `{ propagate-tags: service, volumes: { data: { role-arn: "arn:aws:iam::123456789012:role/ecs-volumes", size-gib: 20 } } }`.',
      from: 'stage',
      shape: SETTINGS_SHAPE,
    },
    'settings of the service',
    readServiceSettings,
  ),
  'pre-deploy-task': discreet(
    structure(
      {
        description:
          'A task that is run once for an image before the service is updated to it, a database migration for one, in the network of the service: `command` (a list), `container`, `environment`, `timeout` (15m), `subnets`, `security-groups`, `assign-public-ip`, `launch-type`, `capacity-providers`, `platform-version`, `volumes`, `propagate-tags`, `enable-ecs-managed-tags`, `tags`, `on-unknown`. A failed one ends the release with the service as it was. Example: `{ command: [npm, run, migrate], timeout: 10m }`.',
        from: 'stage',
        shape: TASK_SHAPE,
      },
      'a task',
      readTaskWish,
    ),
  ),
  'post-deploy-task': discreet(
    structure(
      {
        description:
          'The same once the new revision is steady, before `checks`; a failed one counts as a failed deployment. Example: `{ command: [node, warm-up.js] }`.',
        from: 'stage',
        shape: TASK_SHAPE,
      },
      'a task',
      readTaskWish,
    ),
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
  url: { ...checkInputs.url, insteadOf: ['url-from'] },
  'url-from': addressSource,
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
      'Name of the release in the tags of the service, the same in every stage. Without it the image stands there, with a fingerprint of what else is given. Example: `v1.4.0`.',
  }),
  ...awsInputs,
  ...stageInputs,
} as const;

export type Values = InputsOf<typeof spec>;

export function toRequest(values: Values, given: GivenInputs): Checked<Request> {
  const foreign = notReadIn(values.mode, given);
  const request = requestOf(values);
  if (foreign.length === 0) return request;
  return bad(...foreign, ...(request.ok ? [] : request.problems));
}

function requestOf(values: Values): Checked<Request> {
  const { service, 'service-group': group } = values;
  if (values.mode === 'deploy' && group !== undefined) return toGroup(values, group);
  const request = requestFor(values, { ...placeOf(values), service: service ?? '' });
  if (service !== undefined) return request;
  const accepted = `text, or a key of the stage${values.mode === 'deploy' ? '; service-group for several' : ''}`;
  const problem = group === undefined ? 'is required' : 'is required: service-group is read by mode: deploy alone';
  return bad({ input: 'service', problem, accepted }, ...(request.ok ? [] : request.problems));
}

function requestFor(values: Values, place: Place): Checked<Request> {
  switch (values.mode) {
    case 'deploy':
      return toDeploy(values, place);
    case 'rollback': {
      const checks = checksOf(values);
      if (!checks.ok) return checks;
      return good({ ...place, mode: 'rollback', to: values.to, checks: checks.value, address: addressOf(values) });
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
