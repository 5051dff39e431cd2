import { describe, expect, test } from '@jest/globals';
import { checkPlaceholders, fillPlaceholders } from '../../../src/domain/kubernetes/placeholders.ts';
import { fillSecrets } from '../../../src/domain/kubernetes/secret-values.ts';
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
  const fill = (secret: object, seen: string[] = []) =>
    fillSecrets([manifest(object('v1', 'Secret', 's', secret))], {
      lookUp: (name) => ({ PASS: 'hunter2', USER: 'bob' })[name],
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

  test.each([[''], [null]])('of a key that is left empty (%j) are those of its name', (left) => {
    const filled = fill({ stringData: { PASS: left } });
    expect(filled.ok && filled.value[0]?.object['data']).toEqual({ PASS: 'b64(hunter2)' });
  });

  test.each([
    ['a list', [1, 2]],
    ['a map', { x: 1 }],
    ['a number', 5],
    ['a boolean', true],
  ])('that are no text are refused: %s', (name, value) => {
    const filled = fill({ stringData: { PASS: value } });
    expect(!filled.ok && filled.problems).toEqual([
      expect.objectContaining({ given: 'Secret shop/s, stringData.PASS', problem: `is ${name}` }),
    ]);
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
    const filled = fillSecrets([map], { lookUp: () => 'x', encode, seen: () => undefined });
    expect(filled.ok && filled.value[0]).toBe(map);
  });
});
