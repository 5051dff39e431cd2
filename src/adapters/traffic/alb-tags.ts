import { type ElasticLoadBalancingV2Client, DescribeTagsCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { callAws } from '../aws/errors.ts';
import type { AlbPlace } from './alb-place.ts';

/** Tags of the rule, or of the listener whose default action it is. */
export async function readTags(
  client: ElasticLoadBalancingV2Client,
  place: Pick<AlbPlace, 'name' | 'arn'>,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const facts = { action: 'elasticloadbalancing:DescribeTags', what: `Could not read the tags of ${place.name}` };
  const answer = await callAws(facts, signal, () =>
    client.send(new DescribeTagsCommand({ ResourceArns: [place.arn] }), { abortSignal: signal }),
  );
  const tags = answer.TagDescriptions?.[0]?.Tags ?? [];
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key ?? '', Value ?? '']));
}
