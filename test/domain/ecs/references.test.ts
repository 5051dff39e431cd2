import { expect, test } from '@jest/globals';
import { ecrImageOf, referencesOf, targetOf } from '../../../src/domain/ecs/references.ts';

const ARN = 'arn:aws:secretsmanager:us-west-2:111122223333:secret:db-AbCdEf';

test('secrets, options of the log driver and the credentials of a registry are found with their places', () => {
  const body = {
    containerDefinitions: [
      {
        name: 'web',
        secrets: [{ name: 'DB', valueFrom: `${ARN}:password::` }],
        logConfiguration: { logDriver: 'splunk', secretOptions: [{ name: 'splunk-token', valueFrom: '/log/token' }] },
        repositoryCredentials: { credentialsParameter: ARN },
      },
      { name: 'proxy' },
    ],
  };
  expect(referencesOf(body)).toEqual([
    { place: 'web.secrets.DB', valueFrom: `${ARN}:password::` },
    { place: 'web.logConfiguration.secretOptions.splunk-token', valueFrom: '/log/token' },
    { place: 'web.repositoryCredentials', valueFrom: ARN },
  ]);
  expect(referencesOf({})).toEqual([]);
});

test.each([
  { from: ARN, is: { kind: 'secret', arn: ARN, region: 'us-west-2' } },
  { from: `${ARN}:key:AWSCURRENT:`, is: { kind: 'secret', arn: ARN, region: 'us-west-2' } },
  { from: '/shop/db', is: { kind: 'parameter', name: '/shop/db' } },
  {
    from: 'arn:aws:ssm:eu-west-1:111122223333:parameter/shop/db',
    is: { kind: 'parameter', name: 'arn:aws:ssm:eu-west-1:111122223333:parameter/shop/db', region: 'eu-west-1' },
  },
  { from: 'arn:aws:s3:::bucket', is: { kind: 'none', why: 's3 is neither secretsmanager nor ssm' } },
])('$from is looked for where it is', ({ from, is }) => {
  expect(targetOf(from)).toEqual(is);
});

test.each([
  { image: 'docker.io/library/nginx:1', is: undefined },
  { image: '111122223333.dkr.ecr.us-west-2.amazonaws.com/shop/web', is: undefined },
  {
    image: '111122223333.dkr.ecr.us-west-2.amazonaws.com/shop/web:1.4',
    is: { registryId: '111122223333', region: 'us-west-2', repository: 'shop/web', id: { imageTag: '1.4' } },
  },
  {
    image: `111122223333.dkr.ecr.us-west-2.amazonaws.com/shop/web:1.4@sha256:${'a'.repeat(64)}`,
    is: {
      registryId: '111122223333',
      region: 'us-west-2',
      repository: 'shop/web',
      id: { imageDigest: `sha256:${'a'.repeat(64)}` },
    },
  },
])('the registry is asked for $image by its parts', ({ image, is }) => {
  expect(ecrImageOf(image)).toEqual(is);
});
