import { inspect } from 'node:util';
import { type Instant, formatInstant } from '../domain/duration.ts';
import { Cancelled, Failure, messageOf } from '../domain/failure.ts';
import { InvalidInput, describeProblem } from '../domain/inputs.ts';
import type { Annotation, Report, Section } from '../domain/report.ts';
import { unreachable } from '../domain/unreachable.ts';
import type { Restored, Stop } from './cancellation.ts';

/** How the work of an action came to its end. */
export type End =
  | { readonly kind: 'reported'; readonly report: Report }
  | { readonly kind: 'threw'; readonly thrown: unknown; readonly restored: Restored }
  | { readonly kind: 'stopped'; readonly stop: Stop; readonly restored: Restored; readonly alsoThrown?: unknown };

export interface EndingContext {
  readonly action: string;
  /** Whether something outside was changed, or may have been; of a Report its own word counts. */
  readonly changing: 'yes' | 'no';
  /** What goes on without a cancelled run, as a sentence; absent: nobody said. */
  readonly left?: string;
  readonly startedAt: Instant;
  readonly finishedAt: Instant;
  /** What looks after a stopped run: the action's own post step, or only the next run. */
  readonly followedBy: 'post' | 'next-run';
  /** Where bugs are reported; absent when the runner does not say whose action this is. */
  readonly issues?: string;
}

/** All that the runtime says and writes at the end, as a value. */
export interface Ending {
  readonly exitCode: number;
  /** False when `post` has something to look after: the run was stopped or broke. */
  readonly endedByItself: boolean;
  readonly lines: readonly string[];
  readonly debug: readonly string[];
  readonly annotations: readonly Annotation[];
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: readonly Section[];
}

/** PURE: what to say and which exit code to leave with. */
export function endingOf(end: End, context: EndingContext): Ending {
  switch (end.kind) {
    case 'reported':
      return ofReport(end.report, context);
    case 'threw':
      if (end.thrown instanceof InvalidInput) return ofInvalidInput(end.thrown, context);
      if (end.thrown instanceof Failure) return ofFailure(end.thrown, context);
      return ofBug(end.thrown, end.restored, context);
    case 'stopped':
      if (end.stop.kind === 'crashed') return ofBug(end.stop.thrown, end.restored, context);
      return ofCancel(end.stop, end, context);
    default:
      return unreachable(end);
  }
}

function ofReport(report: Report, context: EndingContext): Ending {
  const failed = report.conclusion === 'failure';
  const verdict: Annotation = {
    level: 'error',
    title: `${context.action}: ${report.outcome}`,
    message: report.headline,
  };
  return {
    exitCode: failed ? 1 : 0,
    endedByItself: true,
    lines: failed ? [] : [report.headline],
    debug: [],
    annotations: [...(report.annotations ?? []), ...(failed ? [verdict] : [])],
    // The runtime's own four last: an action cannot give them another meaning.
    outputs: { ...report.outputs, ...ownOutputs(report.outcome, report.changed ? 'yes' : 'no', context) },
    summary: report.summary,
  };
}

function ofInvalidInput(error: InvalidInput, context: EndingContext): Ending {
  const rows = error.problems.map((problem) => [
    problem.input,
    describeProblem(problem).slice(problem.input.length + 2),
  ]);
  return {
    exitCode: 1,
    endedByItself: true,
    lines: [],
    debug: [],
    annotations: [{ level: 'error', title: `${context.action}: unusable input`, message: error.message }],
    outputs: ownOutputs('invalid-input', 'no', context),
    summary: [
      { kind: 'heading', text: `${context.action}: unusable input, nothing was touched` },
      { kind: 'table', columns: ['Input', 'Problem'], rows },
    ],
  };
}

function ofFailure(failure: Failure, context: EndingContext): Ending {
  return {
    exitCode: 1,
    endedByItself: true,
    lines: [],
    debug: failure.cause === undefined ? [] : [`Caused by ${inspect(failure.cause)}`],
    annotations: [{ level: 'error', title: context.action, message: failure.message }],
    outputs: ownOutputs('failed', context.changing, context),
    summary: [
      { kind: 'heading', text: `${context.action}: failed` },
      { kind: 'verbatim', text: failure.message },
    ],
  };
}

function ofBug(thrown: unknown, restored: Restored, context: EndingContext): Ending {
  const where = context.issues === undefined ? '' : ` at ${context.issues}`;
  const message = [
    `Unexpected error in ${context.action}: ${messageOf(thrown)}.`,
    ...safeState(restored, context),
    `This is a bug in Sluice, not in your workflow: please report it${where}; a re-run with debug logging shows the stack.`,
  ].join(' ');
  return {
    exitCode: 1,
    endedByItself: false,
    lines: [],
    debug: [inspect(thrown)],
    annotations: [{ level: 'error', title: `${context.action}: bug`, message }],
    outputs: ownOutputs('failed', context.changing, context),
    summary: [
      { kind: 'heading', text: `${context.action}: failed by a bug` },
      { kind: 'verbatim', text: message },
    ],
  };
}

function ofCancel(
  stop: Extract<Stop, { kind: 'cancelled' }>,
  { restored, alsoThrown }: { readonly restored: Restored; readonly alsoThrown?: unknown },
  context: EndingContext,
): Ending {
  const message = [`Cancelled by ${stop.by}.`, ...safeState(restored, context)].join(' ');
  const title = `${context.action}: cancelled`;
  const level = restored.kind === 'not-restored' ? 'error' : 'warning';
  const failed = alsoThrown instanceof Failure && !isAbort(alsoThrown);
  return {
    exitCode: stop.exitCode,
    endedByItself: false,
    lines: [],
    debug: alsoThrown === undefined || failed ? [] : [`While it was cancelled: ${inspect(alsoThrown)}`],
    annotations: [
      { level, title, message },
      ...(failed ? [{ level: 'error', title, message: alsoThrown.message } as const] : []),
    ],
    outputs: ownOutputs('cancelled', context.changing, context),
    summary: [
      { kind: 'heading', text: title },
      { kind: 'verbatim', text: failed ? `${message}\n${alsoThrown.message}` : message },
    ],
  };
}

/** Whether an error only says that its call was aborted, at whatever depth of causes. */
function isAbort(thrown: unknown): boolean {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 10; error = error.cause, depth++) {
    if (error instanceof Cancelled || error.name === 'AbortError') return true;
  }
  return false;
}

/** What is true after the restoring call, and who looks after it next. */
function safeState(restored: Restored, { followedBy, changing, left }: EndingContext): readonly string[] {
  const next = followedBy === 'post' ? 'The post step' : 'The next run';
  switch (restored.kind) {
    case 'nothing-to-restore':
      return changing === 'no'
        ? ['Nothing was changed.']
        : [left ?? `No call was due to restore a safe state. ${next} goes on from what is true then.`];
    case 'restored':
      return [`${restored.said.replace(/[.\s]+$/, '')}.`, `${next} verifies it.`];
    case 'not-restored':
      return [
        `The call that restores a safe state failed: ${restored.why.replace(/[.\s]+$/, '')}.`,
        `${next} tries again.`,
      ];
    default:
      return unreachable(restored);
  }
}

function ownOutputs(
  outcome: string,
  changed: 'yes' | 'no',
  { startedAt, finishedAt }: EndingContext,
): Readonly<Record<string, string>> {
  return {
    outcome,
    changed: changed === 'yes' ? 'true' : 'false',
    'started-at': formatInstant(startedAt),
    'finished-at': formatInstant(finishedAt),
  };
}
