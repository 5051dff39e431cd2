import { type Instant, formatInstant } from '../duration.ts';
import type { Images } from '../images.ts';
import type { Subject } from './grant.ts';
import type { Person, Tally, VoidReason } from './tally.ts';

/** What the request says, to people. Nothing is ever read back from these texts: everybody with write access can edit them. */
export interface RequestWords {
  readonly id: string;
  readonly subject: Subject;
  readonly commit: string;
  readonly runUrl: string;
  readonly images: Images;
  readonly eligible: readonly Person[];
  readonly minimum: number;
  readonly excluded: readonly Person[];
  readonly deadline: Instant;
  readonly code: string | undefined;
}

export const titleOf = (words: RequestWords): string =>
  `Approve ${oneLine(words.subject.environment)}: ${words.commit.slice(0, 12)} (request ${words.id})`;

export function bodyOf(words: RequestWords, counted: Tally | undefined): string {
  const command = words.code === undefined ? '`approve`' : `\`approve ${words.code}\``;
  return [
    `**${words.minimum} of ${words.eligible.length}** must approve the deployment to **${escapeMarkdown(words.subject.environment)}** by ${formatInstant(words.deadline)}.`,
    '',
    `Comment ${command} or \`deny\`; \`revoke\` takes your own vote back. The word must be the first line of the comment. Edited comments do not count, one denial ends the request.`,
    '',
    '| service | image | digest |',
    '| --- | --- | --- |',
    ...Object.entries(words.images).map(
      ([service, image]) =>
        `| ${escapeMarkdown(service)} | ${escapeMarkdown(`${image.repository}${image.tag ? `:${image.tag}` : ''}`)} | \`${image.digest}\` |`,
    ),
    '',
    `Commit \`${oneLine(words.commit)}\`, [run](${words.runUrl}). Bound to images-sha256 \`${words.subject.imagesSha256}\` and policy-sha256 \`${words.subject.policySha256}\`.`,
    '',
    '| approver | vote |',
    '| --- | --- |',
    ...words.eligible.map((person) => `| ${login(person)} | ${voteOf(person, counted)} |`),
    '',
    ...(words.excluded.length === 0
      ? []
      : [`Cannot vote, because they started this run: ${words.excluded.map(login).join(', ')}.`]),
  ].join('\n');
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
    case 'not-eligible':
    case 'bot':
      return `${to} this account cannot vote on this request.`;
    case 'via-app':
      return `${to} a vote made through an app does not count. Please comment yourself.`;
    case 'code-missing':
    case 'wrong-code':
      return `${to} the vote needs the code of this request: ${word}.`;
    case 'not-understood':
      return `${to} that was not understood as a vote. The first line must be ${word}, \`deny\` or \`revoke\` and nothing else.`;
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
