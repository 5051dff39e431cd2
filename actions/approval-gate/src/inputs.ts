import { type ApproverEntry, readApprovers } from '../../../src/domain/approval/approvers.ts';
import { type Duration, hours, minutes } from '../../../src/domain/duration.ts';
import { type Images, parseImages } from '../../../src/domain/images.ts';
import {
  type Checked,
  type InputsOf,
  bad,
  count,
  duration,
  flag,
  good,
  list,
  secret,
  structure,
  text,
} from '../../../src/domain/inputs.ts';
import { stageInputs } from '../../../src/domain/stage-inputs.ts';

export const spec = {
  environment: text({
    description:
      'Name of the environment that is approved, as the grant and the request show it. Example: `production`.',
    from: 'stage',
    required: true,
  }),
  images: structure(
    {
      description:
        'What is deployed: the `images` output of the build, JSON with one entry per service. The approval is bound to exactly these digests.',
      required: true,
    },
    'JSON object',
    (value) => {
      const checked = parseImages(value);
      if (checked.ok) return { ok: true, value: checked.value };
      const [first] = checked.problems;
      return {
        ok: false,
        problem: checked.problems.map((each) => `${each.input} ${each.problem}`).join('; '),
        ...(first?.accepted ? { accepted: first.accepted } : {}),
      };
    },
  ),
  approvers: list({
    description:
      'Who may approve: `user:LOGIN` entries, one a line. Whoever started the run is taken out. Example: `user:alice`.',
    from: 'stage',
    required: true,
  }),
  'minimum-approvals': count({
    description: 'How many different persons must approve. Example: `2`.',
    from: 'stage',
    fallback: '1',
    min: 1,
    max: 100,
  }),
  'require-code': flag({
    description:
      'With `true`, an approval must carry the code that the request shows (`approve 0a1b2c`), so that it cannot be meant for another request.',
    from: 'stage',
    fallback: 'false',
  }),
  // Not from the stage: `timeout` of a stage is that of its deployment.
  timeout: duration({
    description: 'How long the request stays open. Keep it below the limit of the job. Example: `90m`.',
    fallback: '5h30m',
    min: minutes(1),
    max: hours(24 * 5),
  }),
  'grant-valid-for': duration({
    description: 'How long a given approval may be used, from the decision on. Example: `8h`.',
    from: 'stage',
    fallback: '24h',
    min: minutes(1),
    max: hours(24 * 30),
  }),
  'settle-for': duration({
    description: 'How long a verdict must stand unchanged, and be read again, before it is final. Example: `10s`.',
    from: 'stage',
    fallback: '5s',
    max: minutes(5),
  }),
  label: text({
    description: 'Label of the request. Example: `approval`.',
    from: 'stage',
    fallback: 'sluice-approval',
  }),
  token: secret({
    description:
      'Token that opens the request: needs `issues: write` and `actions: read`. Default: the token of the job.',
    required: true,
  }),
  ...stageInputs,
} as const;

export interface Request {
  readonly environment: string;
  readonly images: Images;
  readonly approvers: readonly ApproverEntry[];
  readonly minimum: number;
  readonly code: 'required' | 'none';
  readonly timeout: Duration;
  readonly grantValidFor: Duration;
  readonly settle: Duration;
  readonly label: string;
  readonly token: string;
  readonly mode: 'run' | 'dry-run';
}

export function toRequest(values: InputsOf<typeof spec>): Checked<Request> {
  const approvers = readApprovers(values.approvers);
  if (!approvers.ok) return bad({ input: 'approvers', ...approvers });
  const persons = new Set(approvers.value.map((entry) => entry.login.toLowerCase())).size;
  if (values['minimum-approvals'] > persons) {
    return bad({
      input: 'minimum-approvals',
      given: String(values['minimum-approvals']),
      problem: `is more than the ${persons} named in approvers`,
      accepted: `1 to ${persons}`,
    });
  }
  return good({
    environment: values.environment,
    images: values.images,
    approvers: approvers.value,
    minimum: values['minimum-approvals'],
    code: values['require-code'] ? 'required' : 'none',
    timeout: values.timeout,
    grantValidFor: values['grant-valid-for'],
    settle: values['settle-for'],
    label: values.label,
    token: values.token,
    mode: values['dry-run'] ? 'dry-run' : 'run',
  });
}
