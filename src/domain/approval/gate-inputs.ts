import type { Duration } from '../duration.ts';
import { minutes } from '../duration.ts';
import type { Images } from '../images.ts';
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
  structure,
  text,
} from '../inputs.ts';
import { FREEZES_SCHEMA, WINDOWS_SCHEMA, readFreezes, readWindows } from '../schedule/parse.ts';
import type { Freeze, WindowRule } from '../schedule/window.ts';
import { type ApproverEntry, readApprovers } from './approvers.ts';
import type { Evidence } from './evidence.ts';
import { type GroupRule, GROUPS_SCHEMA, readGroups } from './groups.ts';

export const EXCLUDABLE = ['commit-authors', 'pull-request-authors'] as const;
export type Excludable = (typeof EXCLUDABLE)[number];

/** The rules of a gate, as a stage of sluice.yml, the inputs of a step and a file of their own say them. */
export const gateInputs = {
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
} as const;

/** Who may let something in, and when. */
export interface GateRules {
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
  readonly settle: Duration;
  readonly label: string;
  readonly notify: readonly string[];
}

/** Percent of the traffic that the release has and would get. */
export interface StepOfShift {
  readonly shift: string;
  readonly from: number;
  readonly to: number;
}

/** What people are asked for. */
export interface GateRequest extends GateRules {
  readonly environment: string;
  readonly images: Images;
  readonly compareWith: string | undefined;
  readonly evidence: readonly Evidence[];
  /** How long the request stays open. */
  readonly timeout: Duration;
  /** Of a shift, which people let in; undefined: they let the whole deployment in. */
  readonly step?: StepOfShift;
}

type GateValues = InputsOf<typeof gateInputs>;

/** PURE: the rules, or every problem between them at once. */
export function gateRules(values: GateValues): Checked<GateRules> {
  const approvers = readApprovers(values.approvers);
  const overriders =
    values['override-approvers'] === undefined ? undefined : readApprovers(values['override-approvers']);
  const exclude = values.exclude ?? [];
  const problems: InputProblem[] = [
    ...(approvers.ok ? [] : [{ input: 'approvers', ...approvers }]),
    ...(overriders === undefined || overriders.ok ? [] : [{ input: 'override-approvers', ...overriders }]),
    ...(approvers.ok ? minimumProblems(values, approvers.value) : []),
    ...exclude.flatMap((each) => (isExcludable(each) ? [] : [notExcludable(each)])),
  ];
  if (problems.length > 0 || !approvers.ok) return bad(...problems);
  return good({
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
    settle: values['settle-for'],
    label: values.label,
    notify: values.notify ?? [],
  });
}

/** With a team among them, only the server knows how many there are; the gate counts them before it opens anything. */
function minimumProblems(values: GateValues, approvers: readonly ApproverEntry[]): readonly InputProblem[] {
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
