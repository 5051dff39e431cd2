import { expect, test } from '@jest/globals';
import { unprovenText } from '../../../src/engine/k8s-rollout/unproven.ts';
import { DEPLOYMENTS } from '../../../src/domain/kubernetes/resource.ts';
import { deployment } from '../../domain/kubernetes/objects.ts';

const web = (replicas: number) => ({ resource: DEPLOYMENTS, object: deployment('web', {}, { replicas }) });

test.each([
  ['nothing, where all is proven', [web(2)], [], undefined],
  ['what has no pods', [web(0)], [], 'no pod of it runs, so nothing is proven of Deployment shop/web: 0 replicas'],
  [
    'what no controller looked at, once',
    [web(2)],
    ['Shop shop/x (nobody set a status within 30s)', 'Shop shop/x (nobody set a status within 30s)'],
    'nothing is proven of Shop shop/x (nobody set a status within 30s)',
  ],
])('a good release leaves %s unproven', (_name, applied, untold, said) => {
  expect(unprovenText(applied, untold)).toBe(said);
});
