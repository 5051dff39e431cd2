import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '../../../src/domain/kubernetes/object.ts';
import { referencesOutside } from '../../../src/domain/kubernetes/references.ts';
import { deployment, manifest, object } from './objects.ts';

describe('what is not there yet', () => {
  const from = (secret: string): KubeObject => ({
    ...deployment('web', {}),
    spec: { template: { spec: { containers: [{ name: 'app', envFrom: [{ secretRef: { name: secret } }] }] } } },
  });
  const pod = (spec: object): KubeObject => ({ ...deployment('web', {}), spec: { template: { spec } } });
  const ingress = (service: object, annotations: object = {}): KubeObject => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'i', namespace: 'shop', annotations: annotations as Record<string, string> },
    spec: { rules: [{ http: { paths: [{ backend: { service } }] } }] },
  });
  const tls = object('networking.k8s.io/v1', 'Ingress', 'i', { spec: { tls: [{ secretName: 'db' }] } });
  const maker = (apiVersion: string, kind: string, name: string, spec: object = {}) => [
    object(apiVersion, kind, name, { spec }),
    from('db'),
  ];
  const claim = { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'db' } }] };
  const binding = object('rbac.authorization.k8s.io/v1', 'RoleBinding', 'b', { roleRef: { kind: 'Role', name: 'db' } });
  const operated = object('postgresql.cnpg.io/v1', 'Cluster', 'main');

  test.each<[string, readonly KubeObject[], readonly string[]]>([
    ['a certificate that is made for an Ingress comes', [tls], ['db comes']],
    ['one that pods read too does not', [tls, from('db')], ['db stops']],
    [
      'a Secret that an ExternalSecret is told to make is there',
      maker('external-secrets.io/v1', 'ExternalSecret', 'x', { target: { name: 'db' } }),
      [],
    ],
    ['one by its own name is there', maker('external-secrets.io/v1', 'ExternalSecret', 'db', { target: {} }), []],
    ['one of another name is not that one', maker('external-secrets.io/v1', 'ExternalSecret', 'x'), ['db comes']],
    ['a sealed one is there', maker('bitnami.com/v1alpha1', 'SealedSecret', 'db'), []],
    [
      'a sealed one is there by the name of its template',
      maker('bitnami.com/v1alpha1', 'SealedSecret', 'x', { template: { metadata: { name: 'db' } } }),
      [],
    ],
    ['that of a Certificate is there', maker('cert-manager.io/v1', 'Certificate', 'x', { secretName: 'db' }), []],
    [
      'that of a vault is there',
      maker('secrets.hashicorp.com/v1beta1', 'VaultStaticSecret', 'x', { destination: { name: 'db' } }),
      [],
    ],
    [
      'what a driver keeps in step is there',
      maker('secrets-store.csi.x-k8s.io/v1', 'SecretProviderClass', 'x', { secretObjects: [{ secretName: 'db' }] }),
      [],
    ],
    [
      'what an operator of the set may make comes',
      [operated, from('main-app'), pod(claim)],
      ['main-app comes', 'db comes'],
    ],
    ['no operator makes a role', [operated, binding], ['db stops']],
    ['what watches pods makes them nothing', maker('monitoring.coreos.com/v1', 'ServiceMonitor', 'x'), ['db stops']],
    ['nor does a route', maker('gateway.networking.k8s.io/v1', 'HTTPRoute', 'x'), ['db stops']],
    ['without anybody who makes it, it stops', [from('db')], ['db stops']],
    ['kubelet pulls without a Secret for it', [pod({ imagePullSecrets: [{ name: 'pull' }] })], ['pull comes']],
    [
      'the certificate of the cluster is everywhere',
      [pod({ volumes: [{ configMap: { name: 'kube-root-ca.crt' } }] })],
      [],
    ],
    [
      'that of a mesh comes',
      [pod({ volumes: [{ configMap: { name: 'istio-ca-root-cert' } }] })],
      ['istio-ca-root-cert comes'],
    ],
    [
      'a redirect of a load balancer is no Service',
      [ingress({ name: 'ssl-redirect', port: { name: 'use-annotation' } })],
      [],
    ],
    [
      'nor is what an annotation describes',
      [ingress({ name: 'r' }, { 'alb.ingress.kubernetes.io/actions.r': '{}' })],
      [],
    ],
    ['any other Service stops', [ingress({ name: 'r' }, { 'alb.ingress.kubernetes.io/actions.s': '{}' })], ['r stops']],
  ])('%s', (_name, objects, expected) => {
    const found = referencesOutside(objects.map((each) => manifest(each)));
    expect(found.map(({ ref, missing }) => `${ref.name} ${missing}`)).toEqual(expected);
  });
});
