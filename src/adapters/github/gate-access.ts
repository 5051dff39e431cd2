import { Failure } from '../../domain/failure.ts';
import type { GitHubAuth } from '../../domain/approval/github-auth.ts';
import type { Clock } from '../../ports/clock.ts';
import type { CodeHost } from '../../ports/code-host.ts';
import type { IssueTracker } from '../../ports/issue-tracker.ts';
import { githubClient } from './client.ts';
import { githubCode } from './code-host.ts';
import { githubIssues } from './issue-tracker.ts';

interface Place {
  readonly run: { readonly repository: string };
  readonly clock: Clock;
  environment(name: string): string | undefined;
  mask(secret: string): void;
}

/** Issues and code of the repository of this run, as a gate needs them. */
export function gateAccess(
  auth: GitHubAuth | undefined,
  { run, clock, environment, mask }: Place,
): { readonly tracker: IssueTracker; readonly code: CodeHost } {
  const { repository } = run;
  if (repository === '')
    throw new Failure({ what: 'GITHUB_REPOSITORY is not set', why: 'people are asked only inside a workflow' });
  if (auth === undefined)
    throw new Failure({
      what: `The requests for approval in ${repository} cannot be reached`,
      why: 'there is no token',
      next: 'Give the step a token with issues: write and actions: read',
    });
  const apiUrl = environment('GITHUB_API_URL') ?? 'https://api.github.com';
  const client = githubClient({ auth, apiUrl, repository, clock, mask });
  return { tracker: githubIssues(client), code: githubCode(client) };
}
