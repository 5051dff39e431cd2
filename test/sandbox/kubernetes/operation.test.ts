import { expect, test } from '@jest/globals';
import { operationOf } from '../../../sandbox/kubernetes/faults/operation.ts';

test.each([
  ['GET', '/apis', 'discover /apis', false],
  ['GET', '/apis/apps/v1', 'discover /apis/apps/v1', false],
  ['GET', '/api/v1/namespaces/shop', 'get namespaces/shop', false],
  ['GET', '/api/v1/namespaces', 'list namespaces', false],
  ['PATCH', '/api/v1/namespaces/shop?fieldManager=x', 'patch namespaces/shop', true],
  ['PATCH', '/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=x', 'patch deployments/web', true],
  ['PATCH', '/apis/apps/v1/namespaces/shop/deployments/web?dryRun=All', 'dry-run deployments/web', false],
  ['GET', '/api/v1/namespaces/shop/pods?watch=1', 'watch pods', false],
  ['GET', '/api/v1/namespaces/shop/pods/web-6f9-x2x/log?previous=true', 'get pods/*/log', false],
  ['PUT', '/apis/apps/v1/namespaces/shop/deployments/web/scale', 'update deployments/web/scale', true],
  ['POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', 'create selfsubjectaccessreviews', false],
  ['POST', '/api/v1/namespaces/shop/secrets', 'create secrets', true],
  ['DELETE', '/api/v1/namespaces/shop/configmaps/settings', 'delete configmaps/settings', true],
])('%s %s is %s', (method, url, name, mutating) => {
  expect(operationOf(method, url)).toMatchObject({ name, mutating });
});
