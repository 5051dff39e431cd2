import { expect, test } from '@jest/globals';
import { secretsOfKubeconfig } from '../../../src/domain/kubernetes/kubeconfig-policy.ts';

const config = (...users: object[]) => ({
  kind: 'Config',
  clusters: [{ name: 'k', cluster: { server: 'https://k', 'certificate-authority-data': 'public' } }],
  contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
  users: users.map((user, index) => ({ name: `u${index}`, user })),
});

test('what opens a door is secret, of every user, and nothing else is', () => {
  const exec = {
    command: 'aws',
    args: ['eks', 'get-token'],
    env: [{ name: 'AWS_SECRET_ACCESS_KEY', value: 'in-env' }, { name: 'EMPTY' }],
  };
  const found = secretsOfKubeconfig(
    config(
      { token: 'a-token', 'client-certificate-data': 'public', 'client-key-data': 'a-key' },
      { username: 'admin', password: 'a-password', tokenFile: '/var/token' },
      { exec },
      {
        'auth-provider': {
          name: 'oidc',
          config: { 'id-token': 'an-id', 'client-secret': 'a-secret', 'idp-issuer-url': 'https://i' },
        },
      },
    ),
  );
  expect(found).toEqual(['a-token', 'a-key', 'a-password', 'in-env', 'an-id', 'a-secret']);
});

test.each([
  ['a text', 'token'],
  ['a list', []],
  ['nothing', null],
  ['something else', { users: 'token' }],
])('%s is no kubeconfig, so nobody can say what in it is secret', (_name, value) => {
  expect(secretsOfKubeconfig(value)).toBeUndefined();
});
