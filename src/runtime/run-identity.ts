import { tmpdir } from 'node:os';
import type { RunIdentity } from './action.ts';

/** Facts of the workflow run from the runner's variables. Outside of a runner the names are `local`, never empty: they end up in tags. */
export function runIdentity(environment: Readonly<Record<string, string | undefined>>): RunIdentity {
  const given = (name: string, otherwise: string): string => environment[name] || otherwise;
  const attempt = Number(environment['GITHUB_RUN_ATTEMPT']);
  return {
    repository: given('GITHUB_REPOSITORY', 'local/local'),
    runId: given('GITHUB_RUN_ID', 'local'),
    attempt: Number.isSafeInteger(attempt) && attempt > 0 ? attempt : 1,
    job: given('GITHUB_JOB', 'local'),
    // Of a re-run the one who pressed the button, not the author of the first run.
    actor: given('GITHUB_TRIGGERING_ACTOR', given('GITHUB_ACTOR', 'local')),
    commit: given('GITHUB_SHA', 'local'),
    workspace: given('GITHUB_WORKSPACE', process.cwd()),
    temp: given('RUNNER_TEMP', tmpdir()),
  };
}

/** Where people find this run. */
export function runPlace({
  run: { repository, runId },
  environment,
}: {
  readonly run: RunIdentity;
  environment(name: string): string | undefined;
}): { readonly repository: string; readonly server: string; readonly runId: string; readonly runUrl: string } {
  const server = environment('GITHUB_SERVER_URL') ?? 'https://github.com';
  return { repository, server, runId, runUrl: `${server}/${repository}/actions/runs/${runId}` };
}
