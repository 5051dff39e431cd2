import { type ApproverEntry, readApprovers } from '../../../src/domain/approval/approvers.ts';
import { type Evidence, readEvidence } from '../../../src/domain/approval/evidence.ts';
import { type GroupRule, GROUPS_SCHEMA, readGroups } from '../../../src/domain/approval/groups.ts';
import { approvalInputs } from '../../../src/domain/approval/require.ts';
import { type Duration, hours, minutes } from '../../../src/domain/duration.ts';
import { imagesInput } from '../../../src/domain/image-inputs.ts';
import type { Images } from '../../../src/domain/images.ts';
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
import { FREEZES_SCHEMA, WINDOWS_SCHEMA, readFreezes, readWindows } from '../../../src/domain/schedule/parse.ts';
import type { Freeze, WindowRule } from '../../../src/domain/schedule/window.ts';
import { stageInputs } from '../../../src/domain/stage-inputs.ts';

const EXCLUDABLE = ['commit-authors', 'pull-request-authors'] as const;
export type Excludable = (typeof EXCLUDABLE)[number];

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
  approvers: list({
    description:
      'Who may approve: `user:LOGIN` and `team:ORG/SLUG` entries, one a line. Whoever started the run is taken out. Example: `user:alice`.',
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
  groups: structure(
    {
      description:
        'Groups with a quorum of their own, which may apply by changed paths or pull request labels. Example: `[{ name: security, approvers: [team:acme/security], minimum: 1, when: { paths: [infra/**], labels: [security] } }]`.',
      from: 'stage',
      shape: GROUPS_SCHEMA,
    },
    'list of groups',
    readGroups,
  ),
  exclude: list({
    description:
      'Who cannot approve beside whoever started the run: `commit-authors`, `pull-request-authors`. Example: `commit-authors`.',
    from: 'stage',
  }),
  'require-code': flag({
    description:
      'With `true`, an approval must carry the code that the request shows (`approve 0a1b2c`), so that it cannot be meant for another request.',
    from: 'stage',
    fallback: 'false',
  }),
  'require-checks': list({
    description:
      'Names of check runs of the commit that must be green before the request is opened, and still at the decision; `NAME@APP` takes only those of one app. Example: `unit@github-actions`.',
    from: 'stage',
  }),
  'override-approvers': list({
    description:
      'Who may end the request alone in an emergency, by `/override CODE REASON`: `user:` and `team:` entries. It is marked in the record and opens a review that is due in 24 hours. Example: `user:oncall`.',
    from: 'stage',
  }),
  windows: structure(
    {
      description:
        'When a deployment may begin. Example: `[{ weekday: sun, nth: 2, at: "02:00", tz: America/New_York, duration: 2h }]`, or with `cron: "0 2 * * sun#2"` instead of the day.',
      from: 'stage',
      shape: WINDOWS_SCHEMA,
    },
    'list of windows',
    readWindows,
  ),
  freezes: structure(
    {
      description:
        'When nothing may be deployed, whatever the windows say. Example: `[{ from: 2026-12-20, to: 2027-01-02, tz: Europe/Berlin, reason: Christmas }]`.',
      from: 'stage',
      shape: FREEZES_SCHEMA,
    },
    'list of freezes',
    readFreezes,
  ),
  'freeze-file': text({
    description:
      'YAML file with more freezes, read from the default branch, so that a commit cannot bring its own. Example: `.github/freezes.yml`.',
    from: 'stage',
  }),
  'outside-window': oneOf(['wait', 'fail', 'warn'], {
    description:
      'What to do outside of the windows: wait for the next one that opens within `timeout`, fail, or only warn.',
    from: 'stage',
    fallback: 'wait',
  }),
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
  notify: list({
    description: 'Logins and teams that notices and emergencies mention, without `@`. Example: `acme/on-call`.',
    from: 'stage',
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
  'app-id': text({
    description:
      'Id of a GitHub App whose token is used instead, and renewed while waiting; it can read teams. Needs `private-key`. Example: `123456`.',
  }),
  'private-key': secret({ description: 'The private key of the App, the whole .pem file.' }),
  ...stageInputs,
} as const;

export interface Request {
  readonly mode: 'wait' | 'notices';
  readonly environment: string;
  readonly images: Images;
  readonly approvers: readonly ApproverEntry[];
  readonly minimum: number;
  readonly groups: readonly GroupRule[];
  readonly exclude: readonly Excludable[];
  readonly code: 'required' | 'none';
  readonly requireChecks: readonly string[];
  readonly overrideApprovers: readonly ApproverEntry[];
  readonly windows: readonly WindowRule[];
  readonly freezes: readonly Freeze[];
  readonly freezeFile: string | undefined;
  readonly outside: 'wait' | 'fail' | 'warn';
  readonly compareWith: string | undefined;
  readonly evidence: readonly Evidence[];
  readonly timeout: Duration;
  readonly grantValidFor: Duration;
  readonly settle: Duration;
  readonly label: string;
  readonly notify: readonly string[];
  readonly recordFile: string | undefined;
  readonly auth:
    | { readonly kind: 'token'; readonly token: string }
    | { readonly kind: 'app'; readonly appId: string; readonly privateKey: string };
  readonly dryRun: 'plan' | 'act';
}

export function toRequest(values: InputsOf<typeof spec>): Checked<Request> {
  const approvers = readApprovers(values.approvers);
  const overriders =
    values['override-approvers'] === undefined ? undefined : readApprovers(values['override-approvers']);
  const exclude = values.exclude ?? [];
  const problems: InputProblem[] = [
    ...(approvers.ok ? [] : [{ input: 'approvers', ...approvers }]),
    ...(overriders === undefined || overriders.ok ? [] : [{ input: 'override-approvers', ...overriders }]),
    ...(approvers.ok ? minimumProblems(values, approvers.value) : []),
    ...exclude.flatMap((each) => (isExcludable(each) ? [] : [notExcludable(each)])),
    ...modeProblems(values),
    ...authProblems(values),
    ...refProblems(values['compare-with']),
  ];
  if (problems.length > 0 || !approvers.ok) return bad(...problems);
  return good({
    mode: values.mode,
    environment: values.environment,
    images: values.images ?? {},
    approvers: approvers.value,
    minimum: values['minimum-approvals'],
    groups: values.groups ?? [],
    exclude: exclude.filter(isExcludable),
    code: values['require-code'] ? 'required' : 'none',
    requireChecks: values['require-checks'] ?? [],
    overrideApprovers: overriders?.ok === true ? overriders.value : [],
    windows: values.windows ?? [],
    freezes: values.freezes ?? [],
    freezeFile: values['freeze-file'],
    outside: values['outside-window'],
    compareWith: values['compare-with'],
    evidence: values.evidence ?? [],
    timeout: values.timeout,
    grantValidFor: values['grant-valid-for'],
    settle: values['settle-for'],
    label: values.label,
    notify: values.notify ?? [],
    recordFile: values['record-file'],
    auth:
      values['app-id'] === undefined
        ? { kind: 'token', token: values.token }
        : { kind: 'app', appId: values['app-id'], privateKey: values['private-key'] ?? '' },
    dryRun: values['dry-run'] ? 'plan' : 'act',
  });
}

/** With a team among them, only the server knows how many there are; the gate counts them before it opens anything. */
function minimumProblems(values: InputsOf<typeof spec>, approvers: readonly ApproverEntry[]): readonly InputProblem[] {
  const minimum = values['minimum-approvals'];
  const all = [...approvers, ...(values.groups ?? []).flatMap((group) => group.approvers)];
  const persons = new Set(all.flatMap((entry) => (entry.kind === 'user' ? [entry.login.toLowerCase()] : []))).size;
  if (minimum <= persons || all.some(({ kind }) => kind === 'team')) return [];
  return [
    {
      input: 'minimum-approvals',
      given: String(minimum),
      problem: `is more than the ${persons} named in approvers`,
      accepted: `1 to ${persons}`,
    },
  ];
}

const isExcludable = (given: string): given is Excludable => EXCLUDABLE.some((each) => each === given);
const notExcludable = (given: string): InputProblem => ({
  input: 'exclude',
  given,
  problem: 'is nobody who could be excluded',
  accepted: EXCLUDABLE.join(', '),
});

function modeProblems(values: InputsOf<typeof spec>): readonly InputProblem[] {
  if (values.mode === 'wait' && values.images === undefined)
    return [{ input: 'images', problem: 'is required to wait', accepted: 'the images output of the build' }];
  if (values.mode === 'notices' && (values.windows ?? []).length === 0)
    return [{ input: 'windows', problem: 'is required for notices', accepted: 'the windows that are announced' }];
  return [];
}

function authProblems(values: InputsOf<typeof spec>): readonly InputProblem[] {
  const [id, key] = [values['app-id'], values['private-key']];
  if ((id === undefined) === (key === undefined)) return [];
  return [
    id === undefined
      ? { input: 'app-id', problem: 'is missing beside private-key', accepted: 'the id of the App' }
      : { input: 'private-key', problem: 'is missing beside app-id', accepted: 'the .pem file of the App' },
  ];
}

/** It becomes a part of an address. */
function refProblems(given: string | undefined): readonly InputProblem[] {
  if (given === undefined || (/^[\w][\w./-]*$/.test(given) && !given.includes('..'))) return [];
  return [
    { input: 'compare-with', given, problem: 'is not a commit or branch', accepted: 'a commit SHA, branch or tag' },
  ];
}
