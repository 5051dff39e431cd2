import { flag, listMatching, matching, oneOf, text } from './inputs.ts';

/** Inputs that every action has, in the same words. Spread them first into the action's spec. */
export const stageInputs = {
  config: text({
    description:
      'Path of the configuration file, from the workspace. Without it `sluice.yml` is used when it is there. Example: `deploy/sluice.yml`.',
  }),
  stage: text({
    description:
      'Name of a stage in the configuration file. Values that are not given as inputs are taken from it. Example: `production`.',
  }),
  'dry-run': flag({
    description: 'Reads and plans, prints every resolved value with its origin and the plan, and changes nothing.',
    fallback: 'false',
  }),
};

const CLUSTER = 'Name or ARN of the ECS cluster. Example: `production-shop-cluster`.';

/**
 * Inputs of every action that deploys to ECS, in the same words: a key stands once in a stage, whoever reads it, so it
 * means one thing.
 */
export const ecsInputs = {
  cluster: text({
    description: CLUSTER,
    from: 'stage',
    required: true,
  }),
  container: text({
    description:
      'Name of the container in the task definition that gets the image; needed when it has several. Example: `web`.',
    from: 'stage',
  }),
  'on-cancel': oneOf(['rollback', 'leave'], {
    description:
      'What happens to a release in flight when the job is cancelled or its process dies: `rollback` takes it back, the traffic by one write; `leave` lets it stand as it is. Example: `leave`.',
    from: 'stage',
    fallback: 'rollback',
  }),
};

/** Their words where only the choices differ. */
export const rolloutWords = {
  'on-conflict':
    "What happens when somebody else's deployment is in flight: it is refused (`fail`) or awaited (`wait`); deploy-ecs can also have ECS roll it back first (`stop`), but for `mode: scale`, which waits. One of the same image is followed in any case.",
};

/** Inputs of every action that rolls a release out, in the same words. */
export const rolloutInputs = {
  'on-failure': oneOf(['rollback', 'leave'], {
    description:
      'What happens to a deployment that failed or timed out: `rollback` takes the last good revision back and waits for it.',
    from: 'stage',
    fallback: 'rollback',
  }),
  'on-conflict': oneOf(['fail', 'wait'], {
    description: rolloutWords['on-conflict'],
    from: 'stage',
    fallback: 'fail',
  }),
  'on-outdated': oneOf(['fail', 'continue'], {
    description:
      'What happens when a later workflow run has released to this service already, so that this one would put an older release over it (a re-run of an old run, or one that waited).',
    from: 'stage',
    fallback: 'fail',
  }),
};

/** Their words where only the limits, or whether they are asked for, differ. */
export const ecsWords = {
  cluster: CLUSTER,
  'desired-count':
    'Tasks of the service, or of the candidate of a blue/green release. Without it as many as run now, and autoscaling keeps its say. Example: `3`.',
  timeout:
    'How long the new revision, or the candidate, may take to be steady and healthy. deploy-ecs has 15m more for the way back: keep the limit of the job above both. Example: `15m`.',
};

/** Inputs of every action that talks to AWS, in the same words and with the same behaviour. */
export const awsInputs = {
  region: matching({
    description: 'AWS region. Without it the variable AWS_REGION of the job is used. Example: `us-west-2`.',
    from: 'stage',
    shape: /[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}/,
    accepts: 'an AWS region',
    accepted: 'a region code such as us-west-2',
  }),
  'role-to-assume': matching({
    description:
      "IAM role that is assumed with the job's OIDC token and refreshed while waiting; needs `id-token: write`. Without it the credentials of the environment are used. Example: `arn:aws:iam::123456789012:role/deploy-production`.",
    from: 'stage',
    shape: /arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,576}/,
    accepts: 'a role ARN',
    accepted: 'arn:aws:iam::ACCOUNT:role/NAME with a 12-digit account id',
  }),
  'allowed-account-ids': listMatching({
    description:
      'AWS account ids that may be changed; credentials of any other account are refused before the first change. Example: `123456789012`.',
    from: 'stage',
    shape: /\d{12}/,
    accepts: 'account ids',
    accepted: '12-digit account ids, one a line or separated by commas; in YAML a list',
  }),
};
