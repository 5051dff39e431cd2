import { describe, expect, test } from '@jest/globals';
import { checkPlaceholders, fillPlaceholders } from '../../../src/domain/kubernetes/placeholders.ts';
import { fillSecrets, unfilledNames } from '../../../src/domain/kubernetes/secret-values.ts';
import { manifest, object } from './objects.ts';

describe('placeholders', () => {
  const values = new Map([['IMAGE_TAG', '1.4.0@sha256:abc']]);

  test('are replaced where they are declared, and templates in lower case stay', () => {
    const used = new Set<string>();
    const filled = fillPlaceholders(
      'image: a:{{IMAGE_TAG}} {{ IMAGE_TAG }} {{ .Values.x }} {{name}}',
      'a.yml',
      values,
      used,
    );
    expect(filled).toEqual({ ok: true, value: 'image: a:1.4.0@sha256:abc 1.4.0@sha256:abc {{ .Values.x }} {{name}}' });
    expect([...used]).toEqual(['IMAGE_TAG']);
  });

  test('without a value are named with their line and the nearest name', () => {
    const filled = fillPlaceholders('a: 1\nb: {{IMAGE_TAGS}}\n', 'a.yml', values, new Set());
    expect(!filled.ok && filled.problems).toEqual([
      expect.objectContaining({ input: 'a.yml:2', given: '{{IMAGE_TAGS}}', nearest: 'IMAGE_TAG' }),
    ]);
  });

  test.each([['a: b'], ['x\ny'], ['"'], ['#']])('may not change the YAML around them: %j', (value) => {
    expect(checkPlaceholders(new Map([['X', value]]))).toHaveLength(1);
  });
});

describe('values of Secrets', () => {
  const encode = (text: string): string => `b64(${text})`;
  const fill = (secret: object, seen: string[] = [], origin?: { readonly file: string }) =>
    fillSecrets([{ ...manifest(object('v1', 'Secret', 's', secret)), ...(origin === undefined ? {} : { origin }) }], {
      lookUp: (name) => ({ PASS: 'hunter2', USER: 'bob' })[name],
      isAsked: (name) => ['PASS', 'USER', 'GONE'].includes(name),
      encode,
      seen: (value) => seen.push(value),
    });

  test('are put in by name, one form for all, and told to be masked', () => {
    const seen: string[] = [];
    const filled = fill(
      { stringData: { url: 'db://${USER}:${PASS}@db' }, data: { p: '${PASS}', q: 'cGxhaW4=' } },
      seen,
    );
    expect(filled.ok && filled.value[0]?.object['data']).toEqual({
      p: 'b64(hunter2)',
      q: 'cGxhaW4=',
      url: 'b64(db://bob:hunter2@db)',
    });
    expect(filled.ok && filled.value[0]?.object['stringData']).toBeUndefined();
    expect(new Set(seen)).toEqual(new Set(['bob', 'hunter2']));
  });

  test('of a key that is left empty are those of its name', () => {
    const filled = fill({ stringData: { PASS: '' }, data: { USER: null } });
    expect(filled.ok && filled.value[0]?.object['data']).toEqual({ PASS: 'b64(hunter2)', USER: 'b64(bob)' });
    const none = fill({ stringData: { PASS: null } });
    expect(none.ok && none.value[0]?.object['data']).toEqual({ PASS: 'b64(hunter2)' });
  });

  test('of a key that can be no name stay empty', () => {
    const filled = fill({ stringData: { 'tls.crt': '' }, data: { 'ldap-toml': '' } });
    expect(filled.ok && filled.value[0]?.object['data']).toEqual({ 'tls.crt': 'b64()', 'ldap-toml': 'b64()' });
  });

  test('that a chart leaves empty stay so, but for those that somebody asked to fill', () => {
    const chart = { file: 'helm chart' };
    const filled = fill({ data: { password: '', PASS: '' } }, [], chart);
    expect(filled.ok && filled.value[0]?.object['data']).toEqual({ password: 'b64()', PASS: 'b64(hunter2)' });
    // What kustomize renders has no line either, and is the team's own.
    const own = fill({ data: { password: '' } }, [], { file: 'kustomize k8s' });
    expect(!own.ok && own.problems).toEqual([expect.objectContaining({ given: '${password}' })]);
    const gone = fill({ data: { GONE: '' } }, [], chart);
    expect(!gone.ok && gone.problems).toEqual([expect.objectContaining({ given: '${GONE}' })]);
  });

  test('that the application fills by itself are written with two signs', () => {
    const filled = fill({ stringData: { conf: 'user: $${DB_USER}, $${PASS} and ${PASS}' } });
    expect(filled.ok && filled.value[0]?.object['data']).toEqual({
      conf: 'b64(user: ${DB_USER}, ${PASS} and hunter2)',
    });
    const missing = fill({ stringData: { conf: '${DB_USER}' } });
    expect(!missing.ok && missing.problems[0]?.accepted).toContain('$${DB_USER} where the application fills it');
  });

  test('that are no text are refused by key and type, all at once, and never shown', () => {
    const filled = fill({
      stringData: { a: [1, 2], b: { x: 1 }, c: 4711, d: true, e: null },
      data: { f: 1.5 },
    });
    const at = (key: string) => `Secret shop/s, ${key}`;
    expect(!filled.ok && filled.problems.map(({ input, given, problem }) => [input, given, problem])).toEqual([
      ['k8s/all.yml:7', at('stringData.a'), 'expected string, got list'],
      ['k8s/all.yml:7', at('stringData.b'), 'expected string, got mapping'],
      ['k8s/all.yml:7', at('stringData.c'), 'expected string, got number'],
      ['k8s/all.yml:7', at('stringData.d'), 'expected string, got boolean'],
      ['k8s/all.yml:7', '${e}', 'in Secret shop/s, key e, has no value'],
      ['k8s/all.yml:7', at('data.f'), 'expected string, got number'],
    ]);
    expect(JSON.stringify(filled)).not.toContain('4711');
    const list = fill({ stringData: ['x'] });
    expect(!list.ok && list.problems).toEqual([
      expect.objectContaining({ given: at('stringData'), problem: 'expected a mapping, got list' }),
    ]);
  });

  test.each([['not base64!'], ['YWJj='], ['YWJ'], ['YW_j'], ['x${PASS}']])(
    'in data that are no base64 (%j) are refused before the server answers with a 500',
    (given) => {
      const filled = fill({ data: { k: given } });
      expect(!filled.ok && filled.problems).toEqual([
        expect.objectContaining({ input: 'k8s/all.yml:7', problem: 'is not base64' }),
      ]);
      expect(JSON.stringify(filled)).not.toContain(given);
    },
  );

  test('in data may be broken into lines', () => {
    expect(fill({ data: { k: 'YWJj\nYWI=\n' } })).toMatchObject({ ok: true });
  });

  test('that are missing are named with line and key', () => {
    const filled = fill({ stringData: { a: '${NOPE}' } });
    expect(!filled.ok && filled.problems[0]).toMatchObject({
      input: 'k8s/all.yml:7',
      given: '${NOPE}',
      problem: expect.stringContaining('key a'),
    });
  });

  test('stay as they are in a ConfigMap', () => {
    const map = manifest(object('v1', 'ConfigMap', 'c', { data: { a: '${PASS}' } }));
    const filled = fillSecrets([map], { lookUp: () => 'x', isAsked: () => true, encode, seen: () => undefined });
    expect(filled.ok && filled.value[0]).toBe(map);
  });
});

describe('a name that was given a secret value', () => {
  const secret = (fields: object) => manifest(object('v1', 'Secret', 's', fields as never));
  const map = (fields: object) => manifest(object('v1', 'ConfigMap', 'c', fields as never));
  const ENV = {
    spec: { template: { spec: { containers: [{ name: 'web', env: [{ name: 'P', value: '${PASS}' }] }] } } },
  };
  const SHELL = {
    spec: {
      containers: [
        {
          command: ['sh', '-c', 'psql -p ${PASS}'],
          args: ['${PASS}'],
          livenessProbe: { exec: { command: ['x', '${PASS}'] } },
        },
      ],
    },
  };
  const shell = manifest(object('v1', 'Pod', 'sh', SHELL as never));
  const pod = manifest(object('apps/v1', 'Deployment', 'web', ENV as never));
  const asIs = (written: string, where: string, why: string) => `${written} in ${where} stays as it is written: ${why}`;
  const only = 'secret-values are filled in values of Secrets only';

  test.each([
    ['and is filled says nothing', [secret({ stringData: { a: 'x${PASS}y' } })], []],
    ['and is the key of an empty value says nothing', [secret({ data: { PASS: null } })], []],
    [
      'and stands in a ConfigMap',
      [secret({ stringData: { PASS: '' } }), map({ data: { a: '${PASS} ${OTHER}' } })],
      [asIs('${PASS}', 'ConfigMap shop/c (k8s/all.yml:7), .data.a', only)],
    ],
    [
      'and stands in the environment of a container',
      [pod],
      [asIs('${PASS}', 'Deployment shop/web (k8s/all.yml:7), .spec.template.spec.containers.0.env.0.value', only)],
    ],
    [
      'and is spelt otherwise in a Secret',
      [secret({ stringData: { a: '${ PASS }', b: '$PASS', c: '${PASS}' } })],
      [
        asIs('${ PASS }', 'Secret shop/s (k8s/all.yml:7), .stringData.a', 'only ${NAME} is filled'),
        asIs('$PASS', 'Secret shop/s (k8s/all.yml:7), .stringData.b', 'only ${NAME} is filled'),
      ],
    ],
    [
      'and stands in an annotation of a Secret',
      [secret({ metadata: { name: 's', namespace: 'shop', annotations: { note: '${PASS}' } }, data: { PASS: null } })],
      [asIs('${PASS}', 'Secret shop/s (k8s/all.yml:7), .metadata.annotations.note', only)],
    ],
    [
      'and stands in a command, where a shell reads it from the environment that the Secret is, says nothing',
      [secret({ data: { PASS: null } }), shell],
      [],
    ],
    ['and stands for the application in a Secret', [secret({ stringData: { a: '$${PASS}', b: '${PASS}' } })], []],
    [
      'and stands nowhere',
      [map({ data: { a: 'PASS' } }), shell],
      ['PASS of secret-values fills nothing: it stands in no value of a Secret'],
    ],
  ])('%s', (_, manifests, warnings) => {
    expect(unfilledNames(manifests, new Set(['PASS']))).toEqual(warnings);
  });
});
