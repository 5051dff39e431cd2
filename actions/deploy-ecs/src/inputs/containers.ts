import type { ContainerEdits } from '../../../../src/domain/ecs/container-edits.ts';
import { isRegistry, parseImage, pinnedReference } from '../../../../src/domain/image-reference.ts';
import type { Images } from '../../../../src/domain/images.ts';
import { type Checked, type InputProblem, bad, good, nearestOf } from '../../../../src/domain/inputs.ts';

export interface ContainerValues {
  readonly container: string | undefined;
  readonly containers: ContainerEdits | undefined;
  readonly image: string | undefined;
  readonly images: Images | undefined;
  readonly 'image-name': string | undefined;
  readonly registry: string | undefined;
  readonly 'require-approval': boolean;
}

/** `containers` with whole references in place of the names of images. */
export function editsOf(values: ContainerValues): Checked<ContainerEdits | undefined> {
  const problems: InputProblem[] = [];
  const edits = new Map<string, ContainerEdits[string]>();
  if (values.containers === undefined) return good(undefined);
  for (const [name, edit] of Object.entries(values.containers)) {
    const image =
      edit.image === undefined ? undefined : imageOfContainer(edit.image, `containers.${name}.image`, values);
    if (image !== undefined && !image.ok) problems.push(...image.problems);
    edits.set(name, image?.ok === true ? { ...edit, image: image.value } : edit);
    if (image !== undefined && values.container === name && (values.image ?? values['image-name']) !== undefined)
      problems.push({ input: `containers.${name}.image`, problem: 'excludes image for the same container' });
  }
  return problems.length > 0 ? bad(...problems) : good(Object.fromEntries(edits));
}

/** A name of `images` or a reference, as a whole reference. */
export function imageOfContainer(
  given: string,
  input: string,
  { images, registry, 'require-approval': approved }: Pick<ContainerValues, 'images' | 'registry' | 'require-approval'>,
): Checked<string> {
  const names = Object.keys(images ?? {});
  const entry = images?.[given];
  if (entry === undefined) {
    if (approved)
      return bad({
        input,
        given,
        problem: 'is no entry of images, so that nobody approved it',
        accepted: names.join(', '),
      });
    const nearest = nearestOf(given, names);
    const reference = parseImage(given, input);
    if (reference.ok) return good(given);
    if (names.length === 0) return reference;
    const accepted = `an entry of images (${names.join(', ')}), or a whole reference`;
    return bad({
      input,
      given,
      problem: 'is no entry of images',
      accepted,
      ...(nearest === undefined ? {} : { nearest }),
    });
  }
  if (registry !== undefined && isRegistry(registry)) return good(pinnedReference(entry, registry));
  return bad({
    input: 'registry',
    problem: 'is missing: images has repositories without it',
    accepted: 'the host of the registry',
  });
}
