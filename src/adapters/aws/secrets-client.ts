// A module of its own, so that the bundle holds these names of the SDK alone and loads them when they are needed.
export { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
