// A module of its own, so that the bundle holds these names of the SDK alone and loads them when they are needed.
export { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
