import { type ApproverEntry, entryText } from './approvers.ts';
import type { GroupRule } from './groups.ts';
import type { Ballot, GroupQuorum, Person } from './tally.ts';

/** Who stands behind each entry (by its text), as the server said. */
export type Seats = ReadonlyMap<string, readonly Person[]>;

/** Why somebody who is named may not vote, by user id. */
export type Exclusions = ReadonlyMap<number, string>;

/** Whom a gate asks: the entries of `approvers`, the groups that apply, and who may override. */
export interface Electorate {
  readonly approvers: readonly ApproverEntry[];
  readonly minimum: number;
  readonly groups: readonly GroupRule[];
  readonly overrideApprovers: readonly ApproverEntry[];
}

export interface Seated {
  readonly eligible: readonly Person[];
  readonly groups: readonly GroupQuorum[];
  readonly overriders: readonly Person[];
  readonly excluded: readonly { readonly person: Person; readonly because: string }[];
}

export const entriesOf = ({ approvers, groups, overrideApprovers }: Electorate): readonly ApproverEntry[] => {
  const all = [...approvers, ...groups.flatMap((group) => group.approvers), ...overrideApprovers];
  return [...new Map(all.map((entry) => [entryText(entry), entry])).values()];
};

/** Persons, not logins: who is named twice, or by himself and by a team, has one seat. */
export function seat(electorate: Electorate, seats: Seats, exclusions: Exclusions): Seated {
  const named = (entries: readonly ApproverEntry[]): readonly Person[] => [
    ...new Map(
      entries.flatMap((entry) => (seats.get(entryText(entry)) ?? []).map((person) => [person.id, person] as const)),
    ).values(),
  ];
  const allowed = (people: readonly Person[]): readonly Person[] => people.filter(({ id }) => !exclusions.has(id));
  const voters = named([...electorate.approvers, ...electorate.groups.flatMap(({ approvers }) => approvers)]);
  const overriders = named(electorate.overrideApprovers);
  const everybody = new Map([...voters, ...overriders].map((person) => [person.id, person]));
  return {
    eligible: allowed(voters),
    groups: electorate.groups.map(({ name, approvers, minimum }) => ({
      name,
      members: allowed(named(approvers)),
      minimum,
    })),
    overriders: allowed(overriders),
    excluded: [...everybody.values()].flatMap((person) => {
      const because = exclusions.get(person.id);
      return because === undefined ? [] : [{ person, because }];
    }),
  };
}

/** Why nobody could ever pass this gate, each as a clause that names who is missing; none when it can be passed. */
export function impossibilities(seated: Seated, minimum: number): readonly string[] {
  const out =
    seated.excluded.map(({ person, because }) => `${person.login} ${because}`).join(', ') || 'nobody is excluded';
  const all = seated.eligible.length + seated.excluded.length;
  const whole =
    seated.eligible.length < Math.max(1, minimum)
      ? [`it needs ${minimum} approvals and only ${seated.eligible.length} of the ${all} approvers may vote (${out})`]
      : [];
  return [
    ...whole,
    ...seated.groups
      .filter(({ members, minimum: wanted }) => members.length < wanted)
      .map(
        ({ name, members, minimum: wanted }) =>
          `group ${name} needs ${wanted} and has ${members.map(({ login }) => login).join(', ') || 'nobody'} who may vote (${out})`,
      ),
  ];
}

/** The part of a ballot that is left when seats were resolved again: whoever was not there at both times has no vote. */
export function stillSeated(
  atOpening: Seated,
  now: Seated,
): Pick<Ballot, 'eligible' | 'groups'> & { readonly overriders: readonly Person[] } {
  const both = (before: readonly Person[], after: readonly Person[]): readonly Person[] =>
    before.filter(({ id }) => after.some((person) => person.id === id));
  return {
    eligible: both(atOpening.eligible, now.eligible),
    groups: atOpening.groups.map((group) => ({
      ...group,
      members: both(group.members, now.groups.find(({ name }) => name === group.name)?.members ?? []),
    })),
    overriders: both(atOpening.overriders, now.overriders),
  };
}
