import type { State } from '../../core/types.ts';
import { Refused } from '../refused.ts';
import { type Input, needText, refuse, tagList, tagsIn, textsIn } from './input.ts';
import type { EcsContext } from './types.ts';

type Output = Readonly<Record<string, unknown>>;

export function tagResource(input: Input, context: EcsContext): Output {
  const resourceArn = needText(input, 'resourceArn', 'resourceArn cannot be empty.');
  const before = tagsOf(context.state(), resourceArn);
  const tags = tagsIn(input);
  if (Object.keys({ ...before, ...tags }).length > 50) refuse('A resource has at most 50 tags');
  context.apply({ kind: 'tagged', resourceArn, tags, removed: [] });
  return {};
}

export function untagResource(input: Input, context: EcsContext): Output {
  const resourceArn = needText(input, 'resourceArn', 'resourceArn cannot be empty.');
  tagsOf(context.state(), resourceArn);
  context.apply({ kind: 'tagged', resourceArn, tags: {}, removed: textsIn(input, 'tagKeys') ?? [] });
  return {};
}

export function listTagsForResource(input: Input, context: EcsContext): Output {
  const resourceArn = needText(input, 'resourceArn', 'resourceArn cannot be empty.');
  return { tags: tagList(tagsOf(context.state(), resourceArn)) };
}

function tagsOf(state: State, arn: string): Readonly<Record<string, string>> {
  const service = state.services[arn];
  if (service?.status === 'INACTIVE') {
    refuse('The specified service is inactive. Specify an active service and try again.');
  }
  const task = Object.values(state.tasks).find((one) => one.arn === arn);
  const cluster = Object.values(state.clusters).find((one) => one.arn === arn);
  const found = service ?? task ?? cluster;
  if (found === undefined)
    throw new Refused('ResourceNotFoundException', `The specified resource was not found: ${arn}`);
  return found.tags;
}
