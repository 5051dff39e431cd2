import { readEvidence } from '../../../src/domain/approval/evidence.ts';
import { type GateRequest, gateInputs, gateRules } from '../../../src/domain/approval/gate-inputs.ts';
import { type GitHubAuth, appInputs, authOf, authProblems } from '../../../src/domain/approval/github-auth.ts';
import { approvalInputs } from '../../../src/domain/approval/require.ts';
import { type Duration, hours, minutes } from '../../../src/domain/duration.ts';
import { imagesInput } from '../../../src/domain/image-inputs.ts';
import {
  type Checked,
  type InputProblem,
  type InputsOf,
  bad,
  duration,
  good,
  oneOf,
  secret,
  structure,
  text,
} from '../../../src/domain/inputs.ts';
import { stageInputs } from '../../../src/domain/stage-inputs.ts';

export const spec = {
  mode: oneOf(['wait', 'notices'], {
    description:
      'What to do: `wait` opens a request and waits for the verdict; `notices`, run by a schedule, tells people one week, 24 hours and one hour before a window opens, each once.',
    fallback: 'wait',
  }),
  environment: text({
    description: approvalInputs.environment.description,
    from: 'stage',
    required: true,
  }),
  images: imagesInput(
    'What is deployed: the `images` output of the build, JSON with one entry per service. The approval is bound to exactly these digests. Needed to `wait`.',
  ),
  ...gateInputs,
  'compare-with': text({
    description:
      'Commit or branch that runs now: the request links what is different, and groups and authors are judged by it instead of by pull request. Example: `4f2a9c1`.',
  }),
  evidence: structure(
    {
      description:
        'What earlier jobs found, for the request and the record. Example: `[{ name: scan, verdict: pass, summary: "0 critical, 2 high", sha256: ... }]`.',
    },
    'list of evidence',
    readEvidence,
  ),
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
  'record-file': text({
    description:
      'File of the workspace to which the record of this gate is appended, one line each, chained by hashes. Example: `approvals.jsonl`.',
  }),
  token: secret({
    description:
      'Token that opens the request: needs `issues: write` and `actions: read`. Not used with `app-id`. Default: the token of the job.',
    required: true,
  }),
  ...appInputs,
  ...stageInputs,
} as const;

export interface Request extends GateRequest {
  readonly mode: 'wait' | 'notices';
  readonly grantValidFor: Duration;
  readonly recordFile: string | undefined;
  readonly auth: GitHubAuth;
  readonly dryRun: 'plan' | 'act';
}

export function toRequest(values: InputsOf<typeof spec>): Checked<Request> {
  const rules = gateRules(values);
  const problems: InputProblem[] = [
    ...(rules.ok ? [] : rules.problems),
    ...modeProblems(values),
    ...authProblems(values),
    ...refProblems(values['compare-with']),
  ];
  if (problems.length > 0 || !rules.ok) return bad(...problems);
  return good({
    ...rules.value,
    mode: values.mode,
    environment: values.environment,
    images: values.images ?? {},
    compareWith: values['compare-with'],
    evidence: values.evidence ?? [],
    timeout: values.timeout,
    grantValidFor: values['grant-valid-for'],
    recordFile: values['record-file'],
    auth: authOf(values) ?? { kind: 'token', token: values.token },
    dryRun: values['dry-run'] ? 'plan' : 'act',
  });
}

function modeProblems(values: InputsOf<typeof spec>): readonly InputProblem[] {
  if (values.mode === 'wait' && values.images === undefined)
    return [{ input: 'images', problem: 'is required to wait', accepted: 'the images output of the build' }];
  if (values.mode === 'notices' && (values.windows ?? []).length === 0)
    return [{ input: 'windows', problem: 'is required for notices', accepted: 'the windows that are announced' }];
  return [];
}

/** It becomes a part of an address. */
function refProblems(given: string | undefined): readonly InputProblem[] {
  if (given === undefined || (/^[\w][\w./-]*$/.test(given) && !given.includes('..'))) return [];
  return [
    { input: 'compare-with', given, problem: 'is not a commit or branch', accepted: 'a commit SHA, branch or tag' },
  ];
}
