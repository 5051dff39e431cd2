// A module of its own, so that the bundle holds these names of the SDK alone and loads them when they are needed.
export {
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
