import { isRegistry, parseImage, pinnedReference } from './image-reference.ts';
import { type ImageEntry, type Images, parseImages } from './images.ts';
import { type Checked, type FieldResult, type InputProblem, bad, good, nearestOf, structure, text } from './inputs.ts';

/** The `images` document of the chain, whatever an action does with it. */
export const imagesInput = (description: string) =>
  structure({ description }, 'JSON object', (value): FieldResult<Images> => {
    const checked = parseImages(value);
    if (checked.ok) return { ok: true, value: checked.value };
    const [first] = checked.problems;
    return {
      ok: false,
      problem: checked.problems.map(({ input, problem }) => `${input} ${problem}`).join('; '),
      ...(first?.accepted ? { accepted: first.accepted } : {}),
    };
  });

/** Whose host stands before a repository that is written without one. */
export const registryInput = text({
  description:
    'Registry host that is put before the repository of `images`. Example: `123456789012.dkr.ecr.us-west-2.amazonaws.com`.',
  from: 'stage',
});

/** Inputs of every action that releases one image, in the same words. */
export const imageInputs = {
  image: text({
    description:
      'Image to release, by digest (better) or tag. Excludes `images`. Example: `123456789012.dkr.ecr.us-west-2.amazonaws.com/team/api@sha256:...`.',
  }),
  images: imagesInput(
    'The `images` output of the build, JSON with one entry per image; needs `registry`. Excludes `image`. Example: `{"api":{"repository":"team/api","digest":"sha256:..."}}`.',
  ),
  'image-name': text({
    description: 'Which entry of `images` is released; needed when it has several. Example: `api`.',
    from: 'stage',
  }),
  registry: registryInput,
};

export interface ImageValues {
  readonly image: string | undefined;
  readonly images: Images | undefined;
  readonly 'image-name': string | undefined;
  readonly registry: string | undefined;
}

/** The whole reference; undefined when neither `image` nor `images` is given. */
export function imageOf(values: ImageValues): Checked<string | undefined> {
  const { image, images } = values;
  if (image !== undefined && images !== undefined)
    return bad({ input: 'image', given: image, problem: 'excludes images', accepted: 'one of the two' });
  if (image !== undefined) {
    const parsed = parseImage(image);
    return parsed.ok ? good(image) : parsed;
  }
  return images === undefined ? good(undefined) : composed(images, values);
}

/** The identity tag of the entry of `images` that is released: the version that is expected to answer. */
export function tagOf({ images, 'image-name': name }: ImageValues): string | undefined {
  const chosen = images === undefined ? undefined : chooseImage(images, name);
  return chosen !== undefined && 'digest' in chosen ? chosen.tag : undefined;
}

function composed(images: Images, values: ImageValues): Checked<string> {
  const problems: InputProblem[] = [];
  const { registry } = values;
  if (registry === undefined) {
    problems.push({
      input: 'registry',
      problem: 'is missing: images has repositories without it',
      accepted: 'the host of the registry',
    });
  } else if (!isRegistry(registry)) {
    const accepted = 'a host, with a port if need be, without https://';
    problems.push({ input: 'registry', given: registry, problem: 'is not a host name', accepted });
  }
  const chosen = chooseImage(images, values['image-name']);
  if ('problem' in chosen) return bad(...problems, chosen);
  return problems.length > 0 ? bad(...problems) : good(pinnedReference(chosen, registry ?? ''));
}

function chooseImage(images: Images, name: string | undefined): ImageEntry | InputProblem {
  const names = Object.keys(images);
  const chosen = name ?? (names.length === 1 ? names[0] : undefined);
  const input = 'image-name';
  const accepted = names.join(', ');
  if (chosen === undefined) return { input, problem: `is missing: images has ${names.length} entries`, accepted };
  const image = images[chosen];
  if (image !== undefined) return image;
  const nearest = nearestOf(chosen, names);
  return { input, given: chosen, problem: 'is no entry of images', accepted, ...(nearest ? { nearest } : {}) };
}
