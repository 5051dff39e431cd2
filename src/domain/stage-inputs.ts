import { flag, listMatching, matching, text } from './inputs.ts';

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
