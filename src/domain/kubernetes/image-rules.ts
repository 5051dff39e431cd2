import { type ImageReference, formatImage, isPinned, parseImage } from '../image-reference.ts';
import { type Checked, type InputProblem, bad, good } from '../inputs.ts';
import { type Manifest, placeOf, withObject } from './manifest.ts';
import { type KubeObject, describeObject, withField } from './object.ts';
import { type Container, containersOf } from './pod-templates.ts';

/**
 * Which image goes where. `exact` names one container of one object, `container` every container of that name,
 * `repository` every container whose image is of that repository. An exact rule wins over the others.
 */
export type ImageRule = {
  /** As it was written, for messages. */
  readonly text: string;
  readonly image: string;
} & (
  | { readonly by: 'exact'; readonly kind: string; readonly name: string; readonly container: string }
  | { readonly by: 'container'; readonly container: string }
  | { readonly by: 'repository' }
);

export interface ImageChange {
  readonly where: string;
  readonly from: string;
  readonly to: string;
}

const EXACT = /^([A-Za-z][A-Za-z0-9]*)\/([a-z0-9][a-z0-9.-]*):([a-z0-9][a-z0-9-]*)=(.+)$/;
const BY_CONTAINER = /^([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)=(.+)$/;
const ACCEPTED = 'Deployment/web:app=IMAGE, app=IMAGE, or IMAGE (by its repository)';

/** One rule a line. The image may be the name of an entry that `named` resolves. */
export function readImageRules(
  lines: readonly string[],
  named: (name: string) => string | undefined,
): Checked<readonly ImageRule[]> {
  const problems: InputProblem[] = [];
  const rules = lines.flatMap((text): readonly ImageRule[] => {
    const exact = EXACT.exec(text);
    const byContainer = exact === null ? BY_CONTAINER.exec(text) : null;
    const written = exact?.[4] ?? byContainer?.[2] ?? text;
    const image = named(written) ?? written;
    const parsed = parseImage(image, 'image-rules');
    if (!parsed.ok) {
      problems.push(...parsed.problems.map((problem) => ({ ...problem, given: text, accepted: ACCEPTED })));
      return [];
    }
    if (exact !== null) {
      const [, kind = '', name = '', container = ''] = exact;
      return [{ by: 'exact', text, image, kind, name, container }];
    }
    const container = byContainer?.[1];
    return [container === undefined ? { by: 'repository', text, image } : { by: 'container', text, image, container }];
  });
  return problems.length > 0 ? bad(...problems) : good(rules);
}

/** `docker.io/library/nginx` and `nginx` are one repository; a registry with a port is part of the name. */
export function repositoryKey({ registry = 'docker.io', repository }: ImageReference): string {
  const host = registry === 'index.docker.io' ? 'docker.io' : registry;
  const path = host === 'docker.io' && !repository.includes('/') ? `library/${repository}` : repository;
  return `${host}/${path}`;
}

/** A reference of a manifest; one without a tag means `latest`, which is allowed to be replaced. */
const readWritten = (image: string): ImageReference | undefined => {
  const read = parseImage(image);
  if (read.ok) return read.value;
  const tagged = parseImage(`${image}:latest`);
  return tagged.ok ? tagged.value : undefined;
};

function matches(rule: ImageRule, object: KubeObject, { name, image }: Container): boolean {
  switch (rule.by) {
    case 'exact':
      return rule.kind === object.kind && rule.name === object.metadata.name && rule.container === name;
    case 'container':
      return rule.container === name;
    case 'repository': {
      const wanted = readWritten(rule.image);
      const written = image === undefined ? undefined : readWritten(image);
      if (wanted === undefined || written === undefined) return false;
      // A manifest that serves several stages leaves the registry out.
      const open = written.registry === undefined && written.repository === wanted.repository;
      return open || repositoryKey(wanted) === repositoryKey(written);
    }
  }
}

/** Puts the images in. A rule that matches nothing, and a container that two rules match with different images, are problems. */
export function applyImageRules(
  manifests: readonly Manifest[],
  rules: readonly ImageRule[],
): Checked<{ readonly manifests: readonly Manifest[]; readonly changes: readonly ImageChange[] }> {
  const used = new Set<ImageRule>();
  const problems: InputProblem[] = [];
  const changes: ImageChange[] = [];
  const edited = manifests.map((manifest) =>
    containersOf(manifest.object).reduce<Manifest>((result, container) => {
      const { object, origin } = manifest;
      const all = rules.filter((rule) => matches(rule, object, container));
      const exact = all.filter(({ by }) => by === 'exact');
      all.forEach((rule) => used.add(rule));
      const deciding = exact.length > 0 ? exact : all;
      const [rule] = deciding;
      if (rule === undefined) return result;
      const where = `${describeObject(object)}, container ${container.name}`;
      if (deciding.some(({ image }) => image !== rule.image)) {
        const problem = `matches ${deciding.length} rules with different images: ${deciding.map(({ text }) => text).join(', ')}`;
        problems.push({ input: placeOf(origin), given: where, problem });
        return result;
      }
      const from = container.image ?? '';
      changes.push({ where, from, to: rule.image });
      return withObject(result, withField(result.object, [...container.path, 'image'], rule.image));
    }, manifest),
  );
  for (const rule of rules.filter((each) => !used.has(each)))
    problems.push({
      input: 'image-rules',
      given: rule.text,
      problem: 'matches no container of the manifests',
      accepted: `one of ${imagesOf(manifests)}`,
    });
  return problems.length > 0 ? bad(...problems) : good({ manifests: edited, changes });
}

function imagesOf(manifests: readonly Manifest[]): string {
  const all = manifests.flatMap(({ object }) =>
    containersOf(object).map(({ name, image }) => `${object.kind}/${object.metadata.name}:${name}=${image ?? 'none'}`),
  );
  return all.length === 0 ? 'no container at all' : all.slice(0, 10).join(', ');
}

/** Containers whose image is named by a tag alone, each with its place. */
export function unpinned(manifests: readonly Manifest[]): readonly InputProblem[] {
  return manifests.flatMap(({ object, origin }) =>
    containersOf(object)
      .filter(({ image }) => image !== undefined && !isPinned(image))
      .map(({ name, image }) => ({
        input: placeOf(origin),
        given: image ?? '',
        problem: `names the image of ${describeObject(object)}, container ${name}, without a digest, and require-digest is true`,
        accepted: 'repository@sha256:<64 hex>, or a rule that puts one in',
      })),
  );
}

/**
 * Images that nobody approved: one of an approved repository by another digest, or one that a rule put in. What the manifests
 * name beside those was read in their commit.
 */
export function unapproved(
  manifests: readonly Manifest[],
  changes: readonly ImageChange[],
  approved: readonly { readonly repository: string; readonly digest: string }[],
): readonly InputProblem[] {
  const isApproved = (image: string): boolean => approved.some(({ digest }) => readWritten(image)?.digest === digest);
  const accepted = approved.map(({ repository, digest }) => `${repository}@${digest}`).join(', ');
  const put = new Set(changes.map(({ where }) => where));
  return manifests.flatMap(({ object, origin }) =>
    containersOf(object).flatMap(({ name, image = '' }) => {
      const where = `${describeObject(object)}, container ${name}`;
      const same = approved.some(({ repository }) => readWritten(image)?.repository === repository);
      if ((!same && !put.has(where)) || isApproved(image)) return [];
      const problem = `is the image of ${where}, and it is none that was approved`;
      return [{ input: placeOf(origin), given: image, problem, accepted }];
    }),
  );
}

/** The short form for the list of what was released. */
export const shownImage = (image: string): string => {
  const read = readWritten(image);
  return read === undefined ? image : formatImage(read);
};
