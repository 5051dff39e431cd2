import { type Instant, instant } from '../duration.ts';
import type { RepositoryFacts } from '../image-build/labels.ts';
import type { GitContext } from './context.ts';

/** What the runner says of the run, beside the event's own document. */
export interface RunFacts {
  readonly event: string;
  readonly ref: string;
  readonly sha: string;
  /** `owner/name` */
  readonly repository: string;
  readonly server: string;
  readonly now: Instant;
  /** By git, where there is a checkout. */
  readonly commitDate?: Instant;
  /** Of the input. */
  readonly defaultBranch?: string;
}

/** The event's document and the runner's variables -> what tags and labels are made of. A document of another shape only says less. */
export function readEvent(
  document: unknown,
  facts: RunFacts,
): { readonly git: GitContext; readonly repository: RepositoryFacts } {
  const payload = recordOf(document);
  const repository = recordOf(payload['repository']);
  const pull = recordOf(payload['pull_request']);
  const number = pull['number'] ?? payload['number'];
  // The base's own workflow runs with the ref of the base; the image is that of the pull request.
  const ref =
    facts.event === 'pull_request_target' && typeof number === 'number' ? `refs/pull/${number}/merge` : facts.ref;
  const pushed = textOf(payload['base_ref'])?.replace(/^refs\/heads\//, '');
  const baseRef = textOf(recordOf(pull['base'])['ref']) ?? (ref.startsWith('refs/tags/') ? pushed : undefined);
  const defaultBranch = facts.defaultBranch ?? textOf(repository['default_branch']);
  const committed = facts.commitDate ?? dateOf(recordOf(payload['head_commit'])['timestamp']);
  const description = textOf(repository['description']);
  const license = textOf(recordOf(repository['license'])['spdx_id']);
  return {
    git: {
      event: facts.event,
      ref,
      sha: facts.sha,
      now: facts.now,
      ...(defaultBranch === undefined ? {} : { defaultBranch }),
      ...(baseRef === undefined ? {} : { baseRef }),
      ...(committed === undefined ? {} : { commitDate: committed }),
    },
    repository: {
      name: textOf(repository['name']) ?? facts.repository.split('/').at(-1) ?? facts.repository,
      url: textOf(repository['html_url']) ?? `${facts.server}/${facts.repository}`,
      ...(description === undefined ? {} : { description }),
      ...(license === undefined || license === 'NOASSERTION' ? {} : { license }),
    },
  };
}

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

function dateOf(value: unknown): Instant | undefined {
  const read = Date.parse(textOf(value) ?? '');
  return Number.isNaN(read) ? undefined : instant(read);
}
