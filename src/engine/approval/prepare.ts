import type { GateRequest } from '../../domain/approval/gate-inputs.ts';
import type { GroupRule } from '../../domain/approval/groups.ts';
import { groupApplies } from '../../domain/approval/groups.ts';
import type { RequestWords } from '../../domain/approval/request-text.ts';
import {
  type Electorate,
  type Seated,
  type Seats,
  entriesOf,
  impossibilities,
  seat,
} from '../../domain/approval/seats.ts';
import { entryText } from '../../domain/approval/approvers.ts';
import type { Person } from '../../domain/approval/tally.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { type Instant, after, formatInstant } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import { readFreezes } from '../../domain/schedule/parse.ts';
import { type Freeze, type Schedule, openingAt } from '../../domain/schedule/window.ts';
import type { Change } from '../../ports/code-host.ts';
import type { RunFacts } from '../../ports/issue-tracker.ts';
import { closedWords } from '../../domain/approval/decide.ts';
import { awaitChecks } from './await-checks.ts';
import type { Ports, RunContext } from './ports.ts';
import { allOf, resolveSeats } from './resolve-seats.ts';

/** All that is fixed before the request is opened. */
export interface Gate {
  readonly words: RequestWords;
  readonly run: RunFacts;
  readonly electorate: Electorate;
  readonly seats: Seats;
  readonly exclusions: ReadonlyMap<number, string>;
  readonly seated: Seated;
  readonly schedule: Schedule;
  readonly checks: readonly string[];
  readonly rules: unknown;
}

/** Resolves every seat and refuses a gate that nobody can pass, before anything is opened. */
export async function prepare(
  request: GateRequest,
  context: RunContext,
  ports: Ports,
  signal: AbortSignal,
): Promise<Gate> {
  const { tracker, clock } = ports;
  const deadline = after(clock.now(), request.timeout);
  const run = await tracker.runFacts(context.runId, signal);
  const whole: Electorate = { ...request, groups: request.groups };
  const looks = await allOf<unknown>(
    [
      { what: 'the owner of the token', work: () => tracker.self(signal) },
      { what: 'the approvers', work: () => resolveSeats(entriesOf(whole), tracker, signal) },
      { what: 'what is deployed', work: () => changeOf(request, run, ports, signal) },
      { what: 'the freezes', work: () => freezesOf(request, ports, signal) },
      // Of an issue right nothing is asked but that it exists: the first write would be too late to name the others.
      { what: 'the requests', work: () => tracker.openIssues(request.label, signal) },
    ],
    tracker,
  );
  const [self, seats, change, freezes] = looks as [Person | undefined, Seats, Change | undefined, readonly Freeze[]];
  const applying = appliedGroups(request.groups, change);
  const electorate: Electorate = { ...request, groups: applying.map(({ group }) => group) };
  const exclusions = exclusionsOf(request, { run, self, change });
  if (change !== undefined && change.unknownAuthors > 0 && request.exclude.length > 0)
    ports.log.warning(`${change.unknownAuthors} author(s) of commits have no account here and cannot be excluded`);
  const seated = seat(electorate, seats, exclusions);
  refuseImpossible(request, seated);
  const schedule = { windows: request.windows, freezes: [...request.freezes, ...freezes] };
  refuseOutside(request, schedule, deadline, ports);
  const checks = await awaitChecks({ request, commit: run.commit, deadline }, ports, signal);
  const rules = rulesOf(request, seats);
  const words = wordsOf({ request, context, ports }, { run, seated, rules, deadline, schedule, change, applying });
  return { words, run, electorate, seats, exclusions, seated, schedule, checks, rules };
}

/** Read only when a rule asks for it: every right that is not needed is one that need not be granted. */
async function changeOf(
  request: GateRequest,
  run: RunFacts,
  { code }: Ports,
  signal: AbortSignal,
): Promise<Change | undefined> {
  const asked = request.exclude.length > 0 || request.groups.some(({ when }) => when !== undefined);
  return asked ? code.change(run.commit, request.compareWith, signal) : undefined;
}

/** From the default branch: a commit that wants to be let in must not bring its own calendar. */
export async function freezesOf(
  request: GateRequest,
  { code, parseYaml }: Ports,
  signal: AbortSignal,
): Promise<readonly Freeze[]> {
  if (request.freezeFile === undefined) return [];
  const refused = (why: string): Failure =>
    new Failure({
      what: `The freezes of ${request.freezeFile} cannot be used`,
      why,
      now: 'No request was opened and nothing was deployed',
      next: 'Mend the file on the default branch',
    });
  const text = await code.trustedFile(request.freezeFile, signal);
  if (text === undefined) throw refused('there is no such file on the default branch');
  const read = readFreezes(parseYaml(text, request.freezeFile));
  if (!read.ok) throw refused(`it ${read.problem}`);
  return read.value;
}

interface Applying {
  readonly group: GroupRule;
  readonly because: string;
}

function appliedGroups(groups: readonly GroupRule[], change: Change | undefined): readonly Applying[] {
  const changed = change ?? { paths: [], labels: [], complete: false };
  return groups.flatMap((group) => {
    const because = groupApplies(group, changed);
    return because === undefined ? [] : [{ group, because }];
  });
}

function exclusionsOf(
  { exclude }: GateRequest,
  known: { readonly run: RunFacts; readonly self: Person | undefined; readonly change: Change | undefined },
): ReadonlyMap<number, string> {
  const { run, self, change } = known;
  const all = new Map<number, string>();
  if (exclude.includes('commit-authors'))
    for (const { id } of change?.commitAuthors ?? []) all.set(id, 'wrote a commit');
  if (exclude.includes('pull-request-authors'))
    for (const { id } of change?.pullRequestAuthors ?? []) all.set(id, 'opened the pull request');
  if (self !== undefined) all.set(self.id, 'owns the token of this gate');
  all.set(run.triggeringActor.id, 'started this run');
  all.set(run.actor.id, 'started this run');
  return all;
}

function refuseImpossible(request: GateRequest, seated: Seated): void {
  const reasons = impossibilities(seated, request.minimum);
  if (reasons.length === 0) return;
  throw new Failure({
    what: `The gate for ${request.environment} cannot be passed`,
    why: reasons.join('; '),
    now: 'No request was opened and nothing was deployed',
    next: 'Name more approvers, or let somebody else start the run',
  });
}

function refuseOutside(request: GateRequest, schedule: Schedule, deadline: Instant, { clock, log }: Ports): void {
  const window = openingAt(schedule, request.environment, clock.now());
  if (window.kind === 'open') return;
  if (request.outside === 'warn') return log.warning(`Outside of the window: ${closedWords(window)}`);
  const opens = window.next?.from;
  if (request.outside === 'wait' && opens !== undefined && opens < deadline) return;
  // Somebody who may override can still let it in: that is what the override is for.
  if (request.overrideApprovers.length > 0 && request.outside === 'wait')
    return log.warning(`Only an override can end this in time: ${closedWords(window)}`);
  throw new Failure({
    what: `${request.environment} is outside of its window`,
    why: closedWords(window),
    now: 'No request was opened and nothing was deployed',
    next:
      opens === undefined || request.outside === 'fail'
        ? 'Run it again when the window is open'
        : `This gate can wait until ${formatInstant(deadline)}: start the run by a schedule shortly before ${formatInstant(opens)}, or raise timeout as far as the job's own limit allows`,
  });
}

/** What the grant is bound to beside the images: a softer gate has another hash. Persons by id, teams by name. */
function rulesOf(request: GateRequest, seats: Seats): unknown {
  const idsOf = (entries: GateRequest['approvers']): readonly string[] =>
    entries
      .map((entry) =>
        entry.kind === 'team' ? entryText(entry).toLowerCase() : `id:${seats.get(entryText(entry))?.[0]?.id}`,
      )
      .sort();
  return {
    approvers: idsOf(request.approvers),
    minimum: request.minimum,
    groups: request.groups.map((group) => ({ ...group, approvers: idsOf(group.approvers) })),
    exclude: [...request.exclude].sort(),
    overrideApprovers: idsOf(request.overrideApprovers),
    requireChecks: [...request.requireChecks].sort(),
    code: request.code,
    windows: request.windows.map(({ text }) => text),
    freezes: request.freezes.map(({ from, to, environments }) => ({ from, to, environments })),
    freezeFile: request.freezeFile ?? null,
    outside: request.outside,
  };
}

interface Facts {
  readonly run: RunFacts;
  readonly seated: Seated;
  readonly rules: unknown;
  readonly deadline: Instant;
  readonly schedule: Schedule;
  readonly change: Change | undefined;
  readonly applying: readonly Applying[];
}

function wordsOf(
  { request, context, ports }: { readonly request: GateRequest; readonly context: RunContext; readonly ports: Ports },
  { run, seated, rules, deadline, schedule, applying }: Facts,
): RequestWords {
  const subject = {
    repository: context.repository,
    environment: request.environment,
    imagesSha256: ports.sha256(canonicalJson(request.images)),
    policySha256: ports.sha256(canonicalJson(rules)),
  };
  const id = requestId({ ...subject, runId: context.runId, attempt: run.attempt, commit: run.commit }, ports);
  const window = openingAt(schedule, request.environment, ports.clock.now());
  const diff = request.compareWith;
  return {
    id,
    subject,
    commit: run.commit,
    runUrl: context.runUrl,
    ...(diff === undefined
      ? {}
      : { diffUrl: `${context.server}/${context.repository}/compare/${encodeURIComponent(diff)}...${run.commit}` }),
    images: request.images,
    evidence: request.evidence,
    eligible: seated.eligible,
    groups: seated.groups,
    groupReasons: new Map(applying.map(({ group, because }) => [group.name, because])),
    overriders: seated.overriders,
    minimum: request.minimum,
    excluded: seated.excluded,
    deadline,
    code: request.code === 'required' ? id.slice(0, 6) : undefined,
    ...(window.kind === 'open'
      ? window.until === 'always'
        ? {}
        : { schedule: `The window is open until ${formatInstant(window.until)}.` }
      : { schedule: `Now: ${closedWords(window)}.` }),
  };
}

/** Twelve hex digits that stand for all that the votes are bound to. */
export const requestId = (
  bound: RequestWords['subject'] & { readonly runId: string; readonly attempt: number; readonly commit: string },
  { sha256 }: Pick<Ports, 'sha256'>,
): string => sha256(canonicalJson(bound)).slice(0, 12);
