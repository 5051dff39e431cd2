import { type Reply, problem } from './reply.ts';
import { neededGrant } from './routes.ts';
import type { GitHubFaultRule } from './types.ts';
import type { Caller } from './world.ts';

export type Answer = Reply | 'reset' | 'hang';

/** A right that the token of a job or an app lacks. */
export function grantProblem(call: string, caller: Caller): Reply | undefined {
  const [name, level] = neededGrant(call) ?? [];
  if (name === undefined || level === undefined || caller.grants === undefined) return undefined;
  const has = caller.grants[name];
  if (has === 'write' || has === level) return undefined;
  return problem(403, 'Resource not accessible by integration', {
    'x-accepted-github-permissions': `${name}=${level}`,
  });
}

export function faulty(fault: GitHubFaultRule): Answer {
  // A proxy's own page, with the status of success.
  if (fault.kind === 'garbage')
    return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>one moment' };
  if (fault.kind !== 'status') return fault.kind;
  return problem(fault.status ?? 502, fault.message ?? 'Server Error', fault.headers);
}
