import { describe, expect, test } from '@jest/globals';
import { readManifests } from '../../../src/adapters/kubernetes/manifest-yaml.ts';

const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n';
const valueOf = (yaml: string): unknown => {
  const read = readManifests(`${head}data: { x: ${yaml} }\n`, 'a.yml');
  return read.ok ? (read.value[0]?.object['data'] as { x: unknown }).x : read.problems;
};

describe('a scalar is read as kubectl reads it', () => {
  test.each([
    ['0400', 256],
    ['0o400', 256],
    ['0x1F', 31],
    ['1_000', 1000],
    ['yes', true],
    ['off', false],
    ['~', null],
    ['12:30:45', '12:30:45'],
    ['2026-01-02', '2026-01-02'],
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z'],
    ['"0400"', '0400'],
    ['1e3', 1000],
  ])('%s', (written, expected) => {
    expect(valueOf(written)).toEqual(expected);
  });
});

describe('a text', () => {
  test('with several documents, comments and a list gives each object its line', () => {
    const text = `# only a comment\n---\n${head}---\n# nothing\n---\napiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Secret\n    metadata: { name: b }\n`;
    const read = readManifests(text, 'k8s/a.yml');
    expect(read.ok && read.value.map(({ object, origin }) => [object.kind, origin.line])).toEqual([
      ['ConfigMap', 3],
      ['Secret', 12],
    ]);
  });

  test('with a list in a list gives each object its line', () => {
    const inner =
      '  - apiVersion: v1\n    kind: List\n    items:\n      - apiVersion: v1\n        kind: Secret\n        metadata: { name: b }\n';
    const read = readManifests(`apiVersion: v1\nkind: List\nitems:\n${inner}`, 'a.yml');
    expect(read.ok && read.value.map(({ object, origin }) => [object.kind, origin.line])).toEqual([['Secret', 7]]);
  });

  test('keeps the names of roles', () => {
    const read = readManifests('apiVersion: v1\nkind: ClusterRole\nmetadata: { name: "system:Web.reader" }\n', 'a.yml');
    expect(read.ok && read.value[0]?.object.metadata.name).toBe('system:Web.reader');
  });

  test('expands merge keys and anchors', () => {
    const read = readManifests(`${head}x: &x { a: "1" }\ndata:\n  <<: *x\n  b: "2"\n`, 'a.yml');
    expect(read.ok && read.value[0]?.object['data']).toEqual({ a: '1', b: '2' });
  });

  test.each([
    ['a key twice', `${head}data: {}\ndata: {}\n`, 'a.yml:5', /not YAML that can be used/],
    ['no name', 'apiVersion: v1\nkind: Secret\nmetadata: {}\n', 'a.yml:1', /without metadata.name/],
    [
      'a generated name',
      'apiVersion: v1\nkind: Pod\nmetadata: { generateName: x- }\n',
      'a.yml:1',
      /another object at each run/,
    ],
    ['no kind', '\n\napiVersion: v1\n', 'a.yml:3', /has no apiVersion or no kind/],
    [
      'a name that leads elsewhere',
      'apiVersion: v1\nkind: Pod\nmetadata: { name: .. }\n',
      'a.yml:1',
      /no object can have/,
    ],
    ['a name of two parts', 'apiVersion: v1\nkind: Pod\nmetadata: { name: a/b }\n', 'a.yml:1', /no object can have/],
    [
      'a name of two lines',
      'apiVersion: v1\nkind: Pod\nmetadata: { name: "a\\nb" }\n',
      'a.yml:1',
      /"a b", which no object/,
    ],
    [
      'a namespace with a slash',
      'apiVersion: v1\nkind: Pod\nmetadata: { name: a, namespace: b/c }\n',
      'a.yml:1',
      /none can be called/,
    ],
    ['text', 'hello\n', 'a.yml:1', /is no object/],
    [
      'an annotation that is a number',
      'apiVersion: v1\nkind: Pod\nmetadata: { name: a, annotations: { x: 1 } }\n',
      'a.yml:1',
      /annotation x with a value that is no text/,
    ],
  ])('with %s is refused with its line', (_name, text, input, problem) => {
    const read = readManifests(text, 'a.yml');
    expect(!read.ok && read.problems[0]).toMatchObject({ input, problem: expect.stringMatching(problem) });
  });

  test('an alias bomb is refused', () => {
    const levels = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name, index, all) =>
      index === 0
        ? `${name}: &${name} [x,x,x,x,x,x,x,x,x]`
        : `${name}: &${name} [${Array(9)
            .fill(`*${all[index - 1]}`)
            .join(',')}]`,
    );
    expect(readManifests(`${head}${levels.join('\n')}\n`, 'a.yml').ok).toBe(false);
  });
});
