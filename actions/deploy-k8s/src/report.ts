import { type Duration, formatDuration } from '../../../src/domain/duration.ts';
import { type ObjectChange, describePlan } from '../../../src/domain/kubernetes/diff.ts';
import type { InputProblem } from '../../../src/domain/inputs.ts';
import { type Ref, describeObject, describeRef, numberAt } from '../../../src/domain/kubernetes/object.ts';
import type { ReleaseRecord } from '../../../src/domain/kubernetes/release-record.ts';
import type { Readiness } from '../../../src/domain/kubernetes/readiness.ts';
import type { KubeObject } from '../../../src/domain/kubernetes/object.ts';
import type { Annotation, Report, Section } from '../../../src/domain/report.ts';
import type { Request } from './request.ts';

/** Every output is written in every mode, so that none is left over from an earlier step of the same id. */
export const NO_OUTPUTS = {
  release: '',
  revision: '',
  'previous-revision': '',
  objects: '',
  created: '',
  configured: '',
  unchanged: '',
  'plan-sha256': '',
  'rollout-seconds': '',
  backup: '',
} as const;

/** What a mode that changes things came to, as the engine says it. */
export interface Outcome {
  readonly outcome: string;
  readonly reason: string;
  readonly changed: boolean;
  readonly objects: readonly { readonly ref: Ref; readonly done: string; readonly note?: string }[];
  readonly revision?: number;
  readonly release?: string;
  readonly previousRevision?: number;
  readonly causes: readonly {
    readonly text: string;
    readonly origin?: { readonly file: string; readonly line?: number };
  }[];
  readonly diagnosis: readonly string[];
  readonly plan: readonly ObjectChange[];
}

const MOST_ANNOTATIONS = 10;
const LONGEST_OUTPUT = 100_000;

interface Told {
  readonly took: Duration;
  readonly hash?: string;
  /** `post` ends what main began. */
  readonly by?: 'post';
}

/** PURE: outcome -> outputs, summary and the verdict in one line. */
export function reportOf(result: Outcome, request: Request, told: Told): Report {
  const { took, hash } = told;
  const { outcome, reason, revision, release, previousRevision, objects } = result;
  const good =
    outcome === 'succeeded' || outcome === 'unchanged' || (outcome === 'rolled-back' && request.mode === 'rollback');
  const word = isGivenUp(outcome, request, told)
    ? 'could not be rolled back, and what was to be left serves again'
    : wordFor(outcome, request);
  const headline = `${request.app} ${word} after ${formatDuration(took)}: ${reason.replace(/[.\s]+$/, '')}.`;
  const counted = (done: string): string => String(objects.filter((each) => each.done === done).length);
  const listed = JSON.stringify(objects.map(({ ref, done }) => ({ ...ref, done })));
  return {
    conclusion: good ? 'success' : 'failure',
    outcome,
    headline,
    changed: result.changed,
    outputs: {
      ...NO_OUTPUTS,
      release: release ?? '',
      revision: revision === undefined ? '' : String(revision),
      'previous-revision': previousRevision === undefined ? '' : String(previousRevision),
      objects: listed.length > LONGEST_OUTPUT ? '' : listed,
      created: counted('created'),
      configured: counted('configured'),
      unchanged: counted('unchanged'),
      'plan-sha256': hash ?? '',
      'rollout-seconds': String(Math.round(took / 100) / 10),
    },
    summary: summaryOf(result, request, headline),
    annotations: annotationsOf(result.causes),
  };
}

/** Who asked for a roll back that post gives up reads that what was to be left serves again, not that all is well. */
const isGivenUp = (outcome: string, { mode }: Request, { by }: Told): boolean =>
  by === 'post' && mode === 'rollback' && outcome === 'rolled-back';

const wordFor = (outcome: string, { mode }: Request): string =>
  outcome === 'succeeded' && (mode === 'scale' || mode === 'restore') ? `is ${mode}d` : (WORDS[outcome] ?? outcome);

const WORDS: Readonly<Record<string, string>> = {
  succeeded: 'is released',
  unchanged: 'is unchanged',
  refused: 'was refused',
  'rolled-back': 'was rolled back',
  'rollback-failed': 'could not be rolled back',
  failed: 'failed',
  superseded: 'was overtaken',
  'timed-out': 'did not become ready',
};

type Located = Pick<Outcome, 'causes'>['causes'];

function annotationsOf(causes: Located): readonly Annotation[] {
  return causes
    .flatMap(({ text, origin }) =>
      origin?.line === undefined
        ? []
        : [{ level: 'error', title: 'deploy-k8s', message: text, file: origin.file, line: origin.line } as const],
    )
    .slice(0, MOST_ANNOTATIONS);
}

function summaryOf({ objects, plan, diagnosis }: Outcome, request: Request, headline: string): readonly Section[] {
  const rows = objects.map(({ ref, done, note }) => [
    ref.kind,
    ref.namespace ?? '',
    ref.name,
    note === undefined ? done : `${done} (${note})`,
  ]);
  const changes = describePlan(plan.filter(({ kind }) => kind !== 'unchanged'));
  return [
    { kind: 'heading', text: `Kubernetes: ${request.app}` },
    { kind: 'text', text: headline },
    ...(diagnosis.length === 0 ? [] : [{ kind: 'verbatim', text: diagnosis.join('\n') } as const]),
    ...(rows.length === 0 ? [] : [{ kind: 'table', columns: ['kind', 'namespace', 'name', ''], rows } as const]),
    ...(changes.length === 0 ? [] : [{ kind: 'verbatim', text: changes.join('\n') } as const]),
  ];
}

export interface ShownPlan {
  readonly plan: readonly ObjectChange[];
  readonly hash: string;
  readonly problems: readonly InputProblem[];
}

/** The plan of `mode: diff`, or of a dry run. */
export function planReport(
  { plan, hash, problems }: ShownPlan,
  request: Request,
  start = '',
): Report & { readonly lines: readonly string[] } {
  const refused = problems.map(
    ({ input, given, problem, accepted }) =>
      `${input}: ${given === undefined ? '' : `${given} `}${problem}${accepted === undefined ? '' : `. Accepted: ${accepted}`}`,
  );
  const changing = plan.filter(({ kind }) => kind !== 'unchanged').length;
  const what =
    refused.length > 0 ? `would be refused: ${refused[0] ?? ''}` : `${changing} of ${plan.length} objects would change`;
  const lines = [...refused.map((line) => `! ${line}`), ...describePlan(plan)];
  return {
    conclusion: refused.length > 0 ? 'failure' : 'success',
    outcome: request.mode === 'diff' && refused.length === 0 ? 'diff' : 'planned',
    headline: `${request.app}: ${start}${what}; nothing was changed.`,
    changed: false,
    outputs: { ...NO_OUTPUTS, 'plan-sha256': hash },
    lines,
    summary: [
      { kind: 'heading', text: `Kubernetes: plan for ${request.app}` },
      { kind: 'text', text: `${changing} of ${plan.length} objects would change. Hash of the plan: ${hash}` },
      ...(lines.length === 0 ? [] : [{ kind: 'verbatim', text: lines.join('\n') } as const]),
    ],
    annotations: annotationsOf(problems.map((problem, index) => located(problem, refused[index] ?? ''))),
  };
}

function located({ input }: InputProblem, text: string): Located[number] {
  const [, file = '', line] = /^(.+):(\d+)$/.exec(input) ?? [];
  return line === undefined ? { text } : { text, origin: { file, line: Number(line) } };
}

/** A dry run of a mode that has a line for a plan. */
export const lineReport = (lines: readonly string[], request: Request, start: string): Report => ({
  conclusion: start.startsWith('Refuse') ? 'failure' : 'success',
  outcome: 'planned',
  headline: `${request.app}: ${start}; nothing was changed.`,
  changed: false,
  outputs: NO_OUTPUTS,
  summary: [
    { kind: 'heading', text: `Kubernetes: plan for ${request.app}` },
    { kind: 'verbatim', text: lines.join('\n') },
  ],
});

export const rolesReport = (yaml: string, roles: readonly KubeObject[], request: Request): Report => ({
  conclusion: 'success',
  outcome: 'rbac',
  headline: `${request.app} needs ${roles.map(describeObject).join(' and ')}; nothing was changed.`,
  changed: false,
  outputs: NO_OUTPUTS,
  summary: [
    { kind: 'heading', text: `Kubernetes: rights for ${request.app}` },
    { kind: 'verbatim', text: yaml },
  ],
});

export interface ShownStatus {
  readonly serving: ReleaseRecord | undefined;
  readonly unfinished: ReleaseRecord | undefined;
  readonly left: ReleaseRecord | undefined;
  readonly answers: 'yes' | 'no' | 'unknown';
  readonly records: readonly ReleaseRecord[];
  readonly objects: readonly {
    readonly object: KubeObject;
    readonly live: KubeObject | undefined;
    readonly state: Readiness | { readonly kind: 'missing' };
    readonly differs?: string;
  }[];
}

/** The first thing to know at night: what serves, whether it is that, and whether somebody left something half done. */
function statusLine({ serving, unfinished, left, answers, objects }: ShownStatus, { app }: Request): string {
  const bad = objects.filter(({ state }) => state.kind !== 'ready');
  const differing = objects.flatMap(({ object, differs }) =>
    differs === undefined ? [] : [`${describeObject(object)}: ${differs}`],
  );
  const standing = objects.filter(({ state }) => state.kind !== 'missing').map(({ object }) => describeObject(object));
  const parts = [
    serving === undefined
      ? noneText({ app, standing, of: objects.length }, unfinished ?? left)
      : `${app} serves release ${serving.release} (revision ${serving.revision}), ${bad.length === 0 ? 'all ready' : `${bad.length} of ${objects.length} objects not ready`}`,
  ];
  if (differing.length > 0)
    parts.push(`${differing.length} of ${objects.length} objects differ from it (${differing.join('; ')})`);
  if (unfinished !== undefined) {
    const { release, revision, phase, run } = unfinished;
    const name = `release ${release} (revision ${revision})`;
    parts.push(
      answers === 'yes'
        ? `${name} is ${phase} by run ${run}`
        : `${name} is unfinished (${phase}): ${answers === 'no' ? `its run ${run} does not answer; the next deploy or mode: rollback takes it back or ends it` : `whether its run ${run} goes on is not known`}`,
    );
  }
  if (left !== undefined) {
    const way =
      serving === undefined
        ? '; mode: rollback takes it away; or release a set that is good'
        : `; mode: rollback goes back to ${serving.release}`;
    parts.push(`release ${left.release} (revision ${left.revision}) failed and stands${way}`);
  }
  return parts.join('; ');
}

/** Of a first release that did not come up something may stand all the same. */
function noneText(
  { app, standing, of }: { readonly app: string; readonly standing: readonly string[]; readonly of: number },
  first: ReleaseRecord | undefined,
): string {
  if (first === undefined) return `${app} has no release here`;
  const named = standing.length === 0 ? '' : ` (${standing.join(', ')})`;
  return `${app} has no release here that came up: of ${first.release} ${standing.length} of ${of} objects stand${named}`;
}

export function statusReport(status: ShownStatus, request: Request): Report & { readonly lines: readonly string[] } {
  const { serving, records, objects } = status;
  const first = statusLine(status, request);
  const lines = [
    first,
    ...objects.flatMap(({ object, live, state }) => lineOf(object, live, state)),
    ...records.map(
      ({ revision, release, phase, run, startedAt }) =>
        `revision ${revision}: ${release}, ${phase}, run ${run}, ${startedAt}`,
    ),
  ];
  return {
    conclusion: 'success',
    outcome: 'status',
    headline: `${first}.`,
    changed: false,
    lines,
    outputs: {
      ...NO_OUTPUTS,
      release: serving?.release ?? '',
      revision: serving === undefined ? '' : String(serving.revision),
      objects: JSON.stringify(
        objects.map(({ object: { apiVersion, kind, metadata }, state }) => ({
          apiVersion,
          kind,
          namespace: metadata.namespace,
          name: metadata.name,
          state: state.kind,
        })),
      ),
    },
    summary: [
      { kind: 'heading', text: `Kubernetes: ${request.app}` },
      { kind: 'verbatim', text: lines.join('\n') },
    ],
  };
}

function lineOf(
  object: KubeObject,
  live: KubeObject | undefined,
  state: Readiness | { readonly kind: 'missing' },
): readonly string[] {
  const name = describeRef({
    kind: object.kind,
    name: object.metadata.name,
    ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
  });
  const replicas = numberAt(live, 'spec', 'replicas');
  const count =
    replicas === undefined ? '' : ` (${numberAt(live, 'status', 'readyReplicas') ?? 0} of ${replicas} pods ready)`;
  switch (state.kind) {
    case 'ready':
      return count === '' && state.note === undefined
        ? []
        : [`${name} is ready${count}${state.note === undefined ? '' : `: ${state.note}`}`];
    case 'waiting':
      return [`${name} waits for ${state.for}${count}`];
    case 'bad':
      return [`${name}: ${state.why}${count}`];
    case 'superseded':
      return [`${name}: ${state.by}`];
    case 'missing':
      return [`${name} is missing`];
  }
}
