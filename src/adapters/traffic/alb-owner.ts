import { type ElasticLoadBalancingV2Client, DescribeTagsCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { callAws } from '../aws/errors.ts';
import type { AlbPlace } from './alb-place.ts';

const STACK = 'aws:cloudformation:stack-name';
const LOGICAL_ID = 'aws:cloudformation:logical-id';

/** A stack that made the rule would set its own weights back with its next update, in the middle of a shift or after it. */
export async function albNotices(
  client: ElasticLoadBalancingV2Client,
  place: AlbPlace,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const arns = [...new Set([place.arn, listenerOf(place.arn)])];
  const facts = { action: 'elasticloadbalancing:DescribeTags', what: `Could not read the tags of ${place.name}` };
  const answer = await callAws(facts, signal, () =>
    client.send(new DescribeTagsCommand({ ResourceArns: arns }), { abortSignal: signal }),
  );
  for (const { Tags = [] } of answer.TagDescriptions ?? []) {
    const tag = (key: string): string | undefined => Tags.find(({ Key }) => Key === key)?.Value;
    const stack = tag(STACK);
    if (stack !== undefined) return [noticeOf(place.name, stack, tag(LOGICAL_ID))];
  }
  return [];
}

function noticeOf(place: string, stack: string, logicalId: string | undefined): string {
  const resource = `LogicalResourceId/${logicalId ?? '<id of the listener or rule>'}`;
  const rule = { Effect: 'Deny', Action: 'Update:*', Principal: '*', Resource: resource };
  return `${place} belongs to the CloudFormation stack ${stack}: an update of it would set the weights back. Nothing was touched. Keep updates away from it by a stack policy with the statement ${JSON.stringify(rule)}, or leave the weights and the tags that begin with sluice: out of the template (Terraform: lifecycle ignore_changes = [action, tags, tags_all] of a rule, [default_action, tags, tags_all] of a listener, or ignore_tags { key_prefixes = ["sluice:"] } of the provider for the tags)`;
}

/** `...:listener-rule/app/<lb>/<id>/<listener>/<rule>` -> the ARN of its listener; that of a listener stays. */
export const listenerOf = (arn: string): string =>
  arn.includes(':listener-rule/')
    ? arn.replace(':listener-rule/', ':listener/').split('/').slice(0, -1).join('/')
    : arn;
