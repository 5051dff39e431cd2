import { describe, expect, test } from '@jest/globals';
import { type spec, toRequest } from '../../../actions/deploy-ecs/src/inputs.ts';
import { minutes } from '../../../src/domain/duration.ts';
import type { InputsOf } from '../../../src/domain/inputs.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
type Values = InputsOf<typeof spec>;
const values = (given: Partial<Values> = {}): Values =>
  ({
    cluster: 'shop',
    service: 'web',
    image: `r.example.com/web@${DIGEST}`,
    timeout: minutes(20),
    'on-failure': 'rollback',
    'on-cancel': 'rollback',
    'on-conflict': 'fail',
    'dry-run': false,
    ...given,
  }) as Values;
const built = { api: { repository: 'team/api', digest: DIGEST }, web: { repository: 'team/web', digest: DIGEST } };

describe('the request', () => {
  const images = [
    { name: 'image', given: {}, image: `r.example.com/web@${DIGEST}` },
    {
      name: 'the only entry of images',
      given: { image: undefined, images: { api: built.api }, registry: 'r.example.com' },
      image: `r.example.com/team/api@${DIGEST}`,
    },
    {
      name: 'the entry of images that is named',
      given: { image: undefined, images: built, registry: 'localhost:5000', 'image-name': 'web' },
      image: `localhost:5000/team/web@${DIGEST}`,
    },
  ];
  test.each(images)('takes its image from $name', ({ given, image }) => {
    expect(toRequest(values(given as Partial<Values>))).toMatchObject({
      ok: true,
      value: { image, release: image, mode: 'deploy' },
    });
  });

  test('keeps a desired count of zero apart from none', () => {
    expect(toRequest(values({ 'desired-count': 0 }))).toMatchObject({ value: { desired: 0 } });
    expect(toRequest(values())).toMatchObject({ value: { desired: undefined } });
  });

  test('plans when it is a dry run, and is named by the release when there is one', () => {
    expect(toRequest(values({ 'dry-run': true, 'release-id': 'v1' }))).toMatchObject({
      value: { mode: 'plan', release: 'v1' },
    });
  });
});

describe('inputs that do not fit', () => {
  const rows = [
    { name: 'no image at all', given: { image: undefined }, input: 'image', problem: 'is missing' },
    { name: 'two of them', given: { images: built }, input: 'image', problem: 'excludes images' },
    {
      name: 'an image without digest or tag',
      given: { image: 'r.example.com/web' },
      input: 'image',
      problem: 'has neither a digest nor a tag',
    },
    {
      name: 'images without a registry',
      given: { image: undefined, images: { api: built.api } },
      input: 'registry',
      problem: 'is missing: images has repositories without it',
    },
    {
      name: 'a registry with a scheme',
      given: { image: undefined, images: { api: built.api }, registry: 'https://r.example.com' },
      input: 'registry',
      problem: 'is not a host name',
    },
    {
      name: 'several images and no choice',
      given: { image: undefined, images: built, registry: 'r.example.com' },
      input: 'image-name',
      problem: 'is missing: images has 2 entries',
    },
    {
      name: 'a choice that is not there',
      given: { image: undefined, images: built, registry: 'r.example.com', 'image-name': 'apy' },
      input: 'image-name',
      problem: 'is no entry of images',
    },
  ];
  test.each(rows)('are told: $name', ({ given, input, problem }) => {
    expect(toRequest(values(given as Partial<Values>))).toEqual({
      ok: false,
      problems: [expect.objectContaining({ input, problem })],
    });
  });

  test('are told together', () => {
    expect(toRequest(values({ image: undefined, images: built } as Partial<Values>))).toMatchObject({
      ok: false,
      problems: [{ input: 'registry' }, { input: 'image-name', accepted: 'api, web' }],
    });
  });

  test('name the nearest entry', () => {
    expect(
      toRequest(values({ image: undefined, images: built, registry: 'r', 'image-name': 'apy' } as Partial<Values>)),
    ).toMatchObject({ problems: [{ nearest: 'api' }] });
  });
});
