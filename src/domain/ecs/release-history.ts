import type { ServiceDeployment } from './service.ts';

/**
 * The revisions that a person means by "the one before", from ECS's record of successful deployments: the last entry is
 * what serves, the entry below it is where a roll back leads. Going back takes an entry off, as the back button of a
 * browser does; so two roll backs in a row lead two releases back and never to the one that was bad.
 */
export function releaseStack(newestFirst: readonly ServiceDeployment[]): readonly string[] {
  const stack: string[] = [];
  for (const { status, taskDefinition } of newestFirst.toReversed()) {
    if (status !== 'SUCCESSFUL' || taskDefinition === undefined) continue;
    const known = stack.indexOf(taskDefinition);
    if (known >= 0) stack.length = known + 1;
    else stack.push(taskDefinition);
  }
  return stack;
}
