import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  DescribeLoadBalancersCommand,
  DescribeTagsCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { World } from '../../../sandbox/cloud.ts';
import { aCloud } from './a-cloud.ts';

const cloud = aCloud('real');
let world: World;
beforeAll(async () => {
  world = await cloud().createWorld();
});

interface Raw {
  readonly service: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** These services have no SDK client in this package; moto and the front ask for no signature. */
const call = async ({ service, path = '/', method = 'POST', headers = {}, body }: Raw) => {
  const authorization = `AWS4-HMAC-SHA256 Credential=${world.env['AWS_ACCESS_KEY_ID']}/20260101/us-west-2/${service}/aws4_request, SignedHeaders=host, Signature=0`;
  const answer = await fetch(`${cloud().url}${path}`, {
    method,
    headers: { authorization, ...headers },
    ...(body === undefined ? {} : { body }),
  });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
};
const json = (service: string, target: string, input: unknown) =>
  call({
    service,
    headers: { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' },
    body: JSON.stringify(input),
  });
const form = (service: string, fields: Record<string, string>) =>
  call({
    service,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  });

describe('services that moto plays', () => {
  test('Parameter Store keeps a lock: the second writer is refused', async () => {
    const put = () =>
      json('ssm', 'AmazonSSM.PutParameter', { Name: '/lock', Value: 'a', Type: 'String', Overwrite: false });
    const [first, second] = [await put(), await put()];
    expect(first.status).toBe(200);
    expect(second.status).toBe(400);
    expect(second.text).toContain('ParameterAlreadyExists');
    expect(world.calls().at(-1)).toMatchObject({ operation: 'ssm:PutParameter', ordinal: 2, mutating: true });
    expect(world.calls().at(-1)?.result).toMatchObject({ kind: 'error', code: 'ParameterAlreadyExists' });
  });

  test('S3 keeps objects, and says their size without their body', async () => {
    const place =
      '<CreateBucketConfiguration><LocationConstraint>us-west-2</LocationConstraint></CreateBucketConfiguration>';
    await call({ service: 's3', method: 'PUT', path: '/evidence', body: place });
    await call({ service: 's3', method: 'PUT', path: '/evidence/a.json?x-id=PutObject', body: '{"a":1}' });
    const read = await call({ service: 's3', method: 'GET', path: '/evidence/a.json' });
    const head = await call({ service: 's3', method: 'HEAD', path: '/evidence/a.json' });
    expect(read.text).toBe('{"a":1}');
    expect(head.headers.get('content-length')).toBe('7');
    expect(world.calls().some(({ operation }) => operation === 's3:PutObject')).toBe(true);
  });

  test('ECR gives an image the hash of its manifest', async () => {
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      layers: [],
    });
    const digest = `sha256:${createHash('sha256').update(manifest).digest('hex')}`;
    const ecr = (operation: string, input: object) =>
      json('ecr', `AmazonEC2ContainerRegistry_V20150921.${operation}`, input);
    await ecr('CreateRepository', { repositoryName: 'shop' });
    const put = await ecr('PutImage', { repositoryName: 'shop', imageTag: '1', imageManifest: manifest });
    const wrong = {
      repositoryName: 'shop',
      imageTag: '2',
      imageManifest: manifest,
      imageDigest: `sha256:${'0'.repeat(64)}`,
    };
    expect(put.text).toContain(digest);
    expect((await ecr('PutImage', wrong)).text).toContain('ImageDigestDoesNotMatchException');
  });
});

describe('a CloudFormation stack', () => {
  const template = async () => {
    const { subnets } = await world.network();
    return JSON.stringify({
      Resources: {
        Balancer: {
          Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
          Properties: { Name: 'stacked', Subnets: subnets.slice(0, 2) },
        },
      },
      Outputs: { Address: { Value: { 'Fn::GetAtt': ['Balancer', 'DNSName'] } } },
    });
  };

  test('gives outputs, and its load balancer is one of the API and can be tagged', async () => {
    const created = await form('cloudformation', {
      Action: 'CreateStack',
      StackName: 'web',
      TemplateBody: await template(),
    });
    const described = await form('cloudformation', { Action: 'DescribeStacks', StackName: 'web' });
    const elb = new ElasticLoadBalancingV2Client(world.client());
    const { LoadBalancers = [] } = await elb.send(new DescribeLoadBalancersCommand({ Names: ['stacked'] }));
    const arn = LoadBalancers[0]?.LoadBalancerArn ?? '';
    expect(created.status).toBe(200);
    expect(described.text).toContain(`<OutputValue>${LoadBalancers[0]?.DNSName}</OutputValue>`);
    await expect(elb.send(new DescribeTagsCommand({ ResourceArns: [arn] }))).resolves.toBeDefined();
  });

  test('with an ECS service is refused, because moto alone would have it', async () => {
    const TemplateBody = JSON.stringify({ Resources: { S: { Type: 'AWS::ECS::Service', Properties: {} } } });
    const refused = await form('cloudformation', { Action: 'CreateStack', StackName: 'bad', TemplateBody });
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('does not make AWS::ECS::Service from a template');
  });
});
