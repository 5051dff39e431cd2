import { formatDuration, formatInstant } from '../../../src/domain/duration.ts';
import type { Person, Standing } from '../../../src/domain/approval/tally.ts';
import { canonicalJson } from '../../../src/domain/canonical-json.ts';
import type { Grant } from '../../../src/domain/approval/grant.ts';
import type { RequestWords } from '../../../src/domain/approval/request-text.ts';
import type { Annotation, Report, Section } from '../../../src/domain/report.ts';
import type { SealedRecord } from '../../../src/domain/approval/record.ts';
import { type Outcome, closedWords, missingWords } from '../../../src/domain/approval/decide.ts';
import type { Request } from './inputs.ts';

/** What the report is made of; execute's result fits it. */
export interface Ending {
  readonly outcome: Outcome | { readonly kind: 'planned' };
  readonly gate: { readonly words: RequestWords };
  readonly issue: { readonly number: number; readonly url: string } | undefined;
  readonly grant: Grant | undefined;
  readonly record: SealedRecord | undefined;
  /** Opened by an emergency. */
  readonly review: { readonly number: number; readonly url: string } | undefined;
}

const logins = (people: readonly Person[]): string => people.map((person) => person.login).join(', ');
const voters = (votes: readonly Standing[]): string => logins(votes.map((vote) => vote.person));

function headlineOf(ending: Ending, request: Request): string {
  const { outcome, gate } = ending;
  const environment = gate.words.subject.environment;
  switch (outcome.kind) {
    case 'planned':
      return `Would ask ${logins(gate.words.eligible)} for ${gate.words.minimum} approval(s) of ${environment}, open for ${formatDuration(request.timeout)}`;
    case 'approved':
      return `${environment} approved by ${voters(outcome.by)} (${outcome.by.length} of ${gate.words.minimum} needed)`;
    case 'overridden':
      return `${environment} let in by the emergency override of ${outcome.override.person.login}: ${outcome.override.reason}`;
    case 'outside-window':
      return `${environment} not let in: ${outcome.why}; nothing was deployed`;
    case 'denied':
      return `${environment} denied by ${outcome.by.login}; nothing was deployed`;
    case 'expired':
      return `${environment} not approved by ${formatInstant(gate.words.deadline)}: ${missingWords(outcome)} needed; nothing was deployed`;
    case 'error':
      return `${environment} neither approved nor denied: ${outcome.why} Nothing was deployed; re-run the job to ask again`;
  }
}

/** Success means approved and nothing else: a plan, a fault and a silence are not. */
export function reportOf(ending: Ending, request: Request): Report {
  const { outcome, gate, issue, grant, record, review } = ending;
  const headline = headlineOf(ending, request);
  return {
    conclusion: ['approved', 'overridden', 'planned'].includes(outcome.kind) ? 'success' : 'failure',
    outcome: outcome.kind,
    headline,
    changed: issue !== undefined,
    outputs: {
      approval: grant === undefined ? '' : JSON.stringify(grant),
      'approved-by': approversOf(outcome),
      override: String(outcome.kind === 'overridden'),
      'review-url': review?.url ?? '',
      record: record === undefined ? '' : canonicalJson(record.record),
      'record-sha256': record?.sha256 ?? '',
      notice: '',
      'issue-number': issue === undefined ? '' : String(issue.number),
      'issue-url': issue?.url ?? '',
      'request-id': gate.words.id,
      'images-sha256': gate.words.subject.imagesSha256,
      'policy-sha256': gate.words.subject.policySha256,
    },
    summary: summaryOf(ending, headline),
    annotations: annotationsOf(outcome),
  };
}

function approversOf(outcome: Ending['outcome']): string {
  if (outcome.kind === 'overridden') return outcome.override.person.login;
  return outcome.kind === 'approved' ? outcome.by.map((vote) => vote.person.login).join(',') : '';
}

/** What nobody should overlook although the step is green. */
function annotationsOf(outcome: Ending['outcome']): readonly Annotation[] {
  const warn = (message: string): Annotation => ({ level: 'warning', title: 'approval-gate', message });
  if (outcome.kind === 'overridden')
    return [warn(`Emergency override by ${outcome.override.person.login}: a review is due within 24 h`)];
  if (outcome.kind === 'approved' && outcome.window.kind === 'closed')
    return [warn(`Approved outside of the window: ${closedWords(outcome.window)}`)];
  return [];
}

function summaryOf({ gate, issue, grant }: Ending, headline: string): readonly Section[] {
  const { words } = gate;
  const rows = Object.entries(words.images).map(([service, image]) => [
    service,
    `${image.repository}${image.tag ? `:${image.tag}` : ''}`,
    image.digest,
  ]);
  return [
    { kind: 'heading', text: `Approval of ${words.subject.environment}` },
    { kind: 'text', text: headline },
    { kind: 'table', columns: ['service', 'image', 'digest'], rows },
    ...evidenceOf(words),
    {
      kind: 'table',
      columns: ['request', 'may vote', 'needed', 'cannot vote', 'valid until'],
      rows: [
        [
          issue?.url ?? words.id,
          logins(words.eligible),
          String(words.minimum),
          words.excluded.map(({ person, because }) => `${person.login} (${because})`).join(', ') || 'nobody',
          grant?.expiresAt ?? '-',
        ],
      ],
    },
  ];
}

/** What the approvers were shown: of a build its base images, SBOM and scan; of a smoke test its verdict. */
function evidenceOf({ evidence }: RequestWords): readonly Section[] {
  if (evidence.length === 0) return [];
  const rows = evidence.map(({ name, verdict, summary, sha256, url }) => [
    url === undefined ? name : `${name} (${url})`,
    verdict,
    summary,
    sha256?.slice(0, 12) ?? '-',
  ]);
  return [{ kind: 'table', columns: ['evidence', 'verdict', 'found', 'sha256'], rows }];
}
