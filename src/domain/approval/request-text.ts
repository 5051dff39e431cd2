import { type Instant, formatInstant } from '../duration.ts';
import type { Images } from '../images.ts';
import type { Evidence } from './evidence.ts';
import type { Subject } from './grant.ts';
import type { Seated } from './seats.ts';
import type { Person, Tally, VoidReason } from './tally.ts';

/** What the request says, to people. Nothing is ever read back from these texts: everybody with write access can edit them. */
export interface RequestWords extends Omit<Seated, 'overriders'> {
  readonly id: string;
  readonly subject: Subject;
  readonly commit: string;
  readonly runUrl: string;
  /** Of what is different from what runs now. */
  readonly diffUrl?: string;
  readonly images: Images;
  readonly evidence: readonly Evidence[];
  readonly minimum: number;
  /** Why a group takes part, by name. */
  readonly groupReasons: ReadonlyMap<string, string>;
  readonly overriders: readonly Person[];
  readonly deadline: Instant;
  readonly code: string | undefined;
  /** When the deployment may begin, in words; absent: at any time. */
  readonly schedule?: string;
  /** How it ended; the request is closed then. */
  readonly ending?: string;
}

/** GitHub takes 65,536 characters of a body. */
const LONGEST_BODY = 65_000;

export const titleOf = (words: RequestWords): string =>
  `Approve ${oneLine(words.subject.environment)}: ${words.commit.slice(0, 12)} (request ${words.id})`.slice(0, 250);

export function bodyOf(words: RequestWords, counted: Tally | undefined): string {
  const command = words.code === undefined ? '`approve`' : `\`approve ${words.code}\``;
  const text = [
    ...(words.ending === undefined ? [] : [`> ${words.ending}`, '']),
    `**${words.minimum} of ${words.eligible.length}** must approve the deployment to **${escapeMarkdown(words.subject.environment)}** by ${formatInstant(words.deadline)}.`,
    '',
    `Comment ${command} or \`deny\`; \`revoke\` takes your own vote back. The word must be the first line of the comment. Edited and e-mailed comments do not count, one denial ends the request.`,
    ...(words.schedule === undefined ? [] : ['', escapeMarkdown(words.schedule)]),
    '',
    '| service | image | digest |',
    '| --- | --- | --- |',
    ...Object.entries(words.images).map(
      ([service, image]) =>
        `| ${escapeMarkdown(service)} | ${escapeMarkdown(`${image.repository}${image.tag ? `:${image.tag}` : ''}`)} | \`${image.digest}\` |`,
    ),
    '',
    `Commit \`${oneLine(words.commit)}\`, [run](${words.runUrl})${words.diffUrl === undefined ? '' : `, [what is different](${words.diffUrl})`}. Bound to images-sha256 \`${words.subject.imagesSha256}\` and policy-sha256 \`${words.subject.policySha256}\`.`,
    ...evidenceLines(words.evidence),
    '',
    '| approver | vote |',
    '| --- | --- |',
    ...words.eligible.map((person) => `| ${login(person)} | ${voteOf(person, counted)} |`),
    '',
    ...groupLines(words, counted),
    ...(words.excluded.length === 0
      ? []
      : [`Cannot vote: ${words.excluded.map(({ person, because }) => `${login(person)} (${because})`).join(', ')}.`]),
    ...(words.overriders.length === 0
      ? []
      : [
          '',
          `Emergency: ${words.overriders.map(login).join(', ')} may comment \`/override ${words.id.slice(0, 6)} REASON\`. It is marked in the record, and a review is due within 24 h.`,
        ]),
  ].join('\n');
  return text.length <= LONGEST_BODY ? text : `${text.slice(0, LONGEST_BODY)}\n\n(cut: too long for an issue)`;
}

function evidenceLines(evidence: readonly Evidence[]): readonly string[] {
  if (evidence.length === 0) return [];
  return [
    '',
    '| evidence | verdict | |',
    '| --- | --- | --- |',
    ...evidence.map(({ name, verdict, summary, sha256, url }) => {
      const shown = url === undefined ? escapeMarkdown(name) : `[${escapeMarkdown(name)}](${url})`;
      const hash = sha256 === undefined ? '' : ` \`${sha256.slice(0, 12)}\``;
      return `| ${shown} | **${verdict}** | ${escapeMarkdown(summary)}${hash} |`;
    }),
  ];
}

function groupLines(words: RequestWords, counted: Tally | undefined): readonly string[] {
  if (words.groups.length === 0) return [];
  return [
    '| group | needed | who | because |',
    '| --- | --- | --- | --- |',
    ...words.groups.map(({ name, members, minimum }) => {
      const approved = members.filter((person) => voteOf(person, counted) === 'approved').length;
      return `| ${escapeMarkdown(name)} | ${approved} of ${minimum} | ${members.map(login).join(', ')} | ${escapeMarkdown(words.groupReasons.get(name) ?? '')} |`;
    }),
    '',
  ];
}

function voteOf(person: Person, counted: Tally | undefined): string {
  const standing = counted?.standing.find((entry) => entry.person.id === person.id);
  return standing === undefined ? 'waiting' : standing.vote === 'approve' ? 'approved' : 'denied';
}

/** The one hint that a comment gets which looks like a vote and is none. */
export function hintOf(person: string, reason: VoidReason, code: string | undefined): string {
  const word = code === undefined ? '`approve`' : `\`approve ${code}\``;
  const to = `${escapeMarkdown(person)}:`;
  switch (reason) {
    case 'edited':
      return `${to} that comment was edited, so it does not count. Please comment anew.`;
    case 'by-email':
      return `${to} a vote by e-mail does not count, for its sender cannot be known. Please comment on this page.`;
    case 'not-eligible':
    case 'bot':
      return `${to} this account cannot vote on this request.`;
    case 'not-override':
      return `${to} this account cannot override this request.`;
    case 'via-app':
      return `${to} a vote made through an app does not count. Please comment yourself.`;
    case 'code-missing':
    case 'wrong-code':
      return `${to} the vote needs the code of this request${code === undefined ? '' : `: ${word}`}.`;
    case 'not-understood':
      return `${to} that was not understood as a vote. The first line must be ${word}, \`deny\` or \`revoke\` and nothing else. Please write a new comment: an edited one does not count.`;
  }
}

/** Logins are shown without `@`: the request itself mentions each approver once by assigning him. */
const login = (person: Person): string => escapeMarkdown(person.login);
const oneLine = (text: string): string => text.replace(/[\r\n]+/g, ' ');

/** Text from inputs must not become a mention, a link, a table cell or HTML. */
export const escapeMarkdown = (text: string): string =>
  oneLine(text)
    .replace(/[\\`*_{}[\]<>()#!|~]/g, (sign) => `\\${sign}`)
    .replaceAll('@', '@\u200b');

/** Logins and teams, shown so that GitHub tells them; anything that is neither is shown as text. */
export const mentions = (notify: readonly string[]): readonly string[] =>
  notify.length === 0
    ? []
    : ['', notify.map((each) => (/^[\w-]+(?:\/[\w.-]+)?$/.test(each) ? `@${each}` : escapeMarkdown(each))).join(' ')];
