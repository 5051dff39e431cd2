import { describe, expect, test } from '@jest/globals';
import { formatImage, isPinned, parseImage, pinnedReference } from '../../src/domain/image-reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('an image reference', () => {
  test.each([
    {
      name: 'by digest',
      text: `registry.example.com/team/api@${DIGEST}`,
      value: { registry: 'registry.example.com', repository: 'team/api', digest: DIGEST },
    },
    {
      name: 'by tag',
      text: 'registry.example.com/api:v1',
      value: { registry: 'registry.example.com', repository: 'api', tag: 'v1' },
    },
    {
      name: 'by tag and digest',
      text: `r.example.com/api:v1@${DIGEST}`,
      value: { registry: 'r.example.com', repository: 'api', tag: 'v1', digest: DIGEST },
    },
    {
      name: 'with the port of its registry',
      text: 'localhost:5000/api:v1',
      value: { registry: 'localhost:5000', repository: 'api', tag: 'v1' },
    },
    { name: 'of the default registry', text: 'team/api:v1', value: { repository: 'team/api', tag: 'v1' } },
    { name: 'of one word', text: 'nginx:1.29', value: { repository: 'nginx', tag: '1.29' } },
  ])('is read $name and written back the same', ({ text, value }) => {
    expect(parseImage(text)).toEqual({ ok: true, value });
    expect(formatImage(value)).toBe(text);
  });

  test.each([
    { name: 'without tag and digest', text: 'registry.example.com/api', problem: 'has neither a digest nor a tag' },
    { name: 'with a port but no tag', text: 'localhost:5000/api', problem: 'has neither a digest nor a tag' },
    {
      name: 'with a short digest',
      text: 'api@sha256:abc',
      problem: 'has a digest that is not sha256: and 64 hexadecimal digits',
    },
    { name: 'with two digests', text: `api@${DIGEST}@${DIGEST}`, problem: 'has more than one @' },
    {
      name: 'with spaces',
      text: 'x y z:1',
      problem: 'has a repository that no registry accepts (lower case, parts separated by /)',
    },
    {
      name: 'in capitals',
      text: 'example.com/Team/Api:v1',
      problem: 'has a repository that no registry accepts (lower case, parts separated by /)',
    },
    { name: 'with an empty tag', text: 'example.com/api:', problem: 'has a tag that no registry accepts' },
    { name: 'with nothing in it', text: '', problem: 'has neither a digest nor a tag' },
  ])('is refused $name', ({ text, problem }) => {
    expect(parseImage(text)).toEqual({ ok: false, problems: [expect.objectContaining({ input: 'image', problem })] });
  });

  test('names the same bytes for ever only by digest', () => {
    expect(isPinned(`api:v1@${DIGEST}`)).toBe(true);
    expect(isPinned('api:v1')).toBe(false);
  });
});

test('an entry of images becomes a reference by digest under the registry of the stage', () => {
  expect(pinnedReference({ repository: 'team/api', digest: DIGEST }, 'r.example.com')).toBe(
    `r.example.com/team/api@${DIGEST}`,
  );
});
