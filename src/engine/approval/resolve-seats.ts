import { type ApproverEntry, entryText } from '../../domain/approval/approvers.ts';
import type { Seats } from '../../domain/approval/seats.ts';
import type { Person } from '../../domain/approval/tally.ts';
import { Failure } from '../../domain/failure.ts';
import type { IssueTracker } from '../../ports/issue-tracker.ts';

/** Who is behind every entry. Whatever cannot be looked up is an error: a gate that guesses admits strangers. */
export async function resolveSeats(
  entries: readonly ApproverEntry[],
  tracker: IssueTracker,
  signal: AbortSignal,
): Promise<Seats> {
  const resolved = await allOf(
    entries.map((entry) => ({
      what: entryText(entry),
      work: async () => [entryText(entry), await personsOf(entry, tracker, signal)] as const,
    })),
    tracker,
  );
  return new Map(resolved);
}

async function personsOf(entry: ApproverEntry, tracker: IssueTracker, signal: AbortSignal): Promise<readonly Person[]> {
  if (entry.kind === 'team') {
    const members = await tracker.team(entry, signal);
    return members.filter(({ isBot }) => !isBot).map(({ id, login }) => ({ id, login }));
  }
  const account = await tracker.user(entry.login, signal);
  if (account.isBot)
    throw new Failure({ what: `approvers names ${entry.login}`, why: 'this account is a bot', next: 'Name a person' });
  if ((await tracker.permission(account.login, signal)) === 'none')
    throw new Failure({
      what: `approvers names ${account.login}`,
      why: `this account does not see ${tracker.name} and could not vote`,
      now: 'No request was opened and nothing was deployed',
      next: 'Give the account read access, or name somebody else',
    });
  return [{ id: account.id, login: account.login }];
}

/**
 * The same at the decision: teams are read anew, persons by their id (whoever took over a login is somebody else). An
 * account that is gone, or does not see the repository any more, is not there.
 */
export async function resolveSeatsAgain(
  entries: readonly ApproverEntry[],
  before: Seats,
  { tracker, voters }: { readonly tracker: IssueTracker; readonly voters: ReadonlySet<number> },
  signal: AbortSignal,
): Promise<Seats> {
  const resolved = await Promise.all(
    entries.map(async (entry) => {
      const known = before.get(entryText(entry)) ?? [];
      // Who has not voted changes nothing: only those whose votes are about to count are looked at.
      if (!known.some(({ id }) => voters.has(id))) return [entryText(entry), known] as const;
      if (entry.kind === 'team') return [entryText(entry), await personsOf(entry, tracker, signal)] as const;
      const there = await Promise.all(
        known.map(async (person) => ((await isThere(person.id, tracker, signal)) ? [person] : [])),
      );
      return [entryText(entry), there.flat()] as const;
    }),
  );
  return new Map(resolved);
}

async function isThere(id: number, tracker: IssueTracker, signal: AbortSignal): Promise<boolean> {
  const account = await tracker.account(id, signal);
  if (account === undefined || account.isBot) return false;
  return (await tracker.permission(account.login, signal)) !== 'none';
}

interface Part<T> {
  readonly what: string;
  readonly work: () => Promise<T>;
}

/** Does all of it and, when rights are missing, names them all at once: one message instead of a re-run per right. */
export async function allOf<T>(parts: readonly Part<T>[], tracker: IssueTracker): Promise<readonly T[]> {
  const settled = await Promise.allSettled(parts.map(({ work }) => work()));
  const lacking = settled.flatMap((result, index) => {
    const right = result.status === 'rejected' ? rightsOf(result.reason, tracker) : [];
    return right.length === 0 ? [] : right.map((each) => ({ right: each, what: parts[index]?.what ?? '' }));
  });
  if (lacking.length > 0) throw new MissingRights(lacking, tracker.name);
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

const rightsOf = (thrown: unknown, tracker: IssueTracker): readonly string[] => {
  if (thrown instanceof MissingRights) return thrown.lacking.map(({ right }) => right);
  const right = tracker.missingRight(thrown);
  return right === undefined ? [] : [right];
};

class MissingRights extends Failure {
  override readonly name = 'MissingRights';
  readonly lacking: readonly { readonly right: string; readonly what: string }[];

  constructor(lacking: readonly { readonly right: string; readonly what: string }[], where: string) {
    const rights = [...new Set(lacking.map(({ right }) => right))];
    super({
      what: `The token lacks rights in ${where}`,
      why: [...new Set(lacking.map(({ right, what }) => `${right} for ${what}`))].join('; '),
      now: 'No request was opened and nothing was deployed',
      next: rights.some((right) => right.startsWith('members'))
        ? `Grant ${rights.join(', ')}; the token of a job never reads teams: pass app-id and private-key of an App that may`
        : `Grant the job ${rights.map((right) => right.replace('=', ': ').replaceAll('_', '-')).join(', ')}`,
    });
    this.lacking = lacking;
  }
}
