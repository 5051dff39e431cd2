import { type Checked, type InputProblem, bad, good } from './inputs.ts';

/** One service's image as build-image hands it on: repository without its registry, the digest that was verified, the identity tag. */
export interface ImageEntry {
  readonly repository: string;
  readonly digest: string;
  readonly tag?: string;
}

/** By service name: `{"api":{"repository":"wesign/charts","digest":"sha256:...","tag":"1.4.0"}}`. */
export type Images = Readonly<Record<string, ImageEntry>>;

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const REPOSITORY = /^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/;

/** Reads the `images` JSON of the chain. An empty or malformed digest is a problem: nothing is deployed or approved by tag alone. */
export function parseImages(value: unknown): Checked<Images> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0) {
    return bad({
      input: 'images',
      problem: 'is not a JSON object with one entry per service',
      accepted: '{"api":{"repository":"team/api","digest":"sha256:<64 hex>","tag":"1.4.0"}}',
    });
  }
  const problems: InputProblem[] = [];
  const images: Record<string, ImageEntry> = {};
  for (const [service, entry] of Object.entries(value)) {
    const { repository, digest, tag } = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<
      string,
      unknown
    >;
    if (typeof repository !== 'string' || !REPOSITORY.test(repository))
      problems.push({
        input: `images.${service}.repository`,
        problem: 'is not a repository name',
        accepted: 'lower-case letters, digits and ._-/ without a registry: team/api',
      });
    if (typeof digest !== 'string' || !DIGEST.test(digest))
      problems.push({
        input: `images.${service}.digest`,
        problem: digest === '' || digest === undefined ? 'is empty' : 'is not a digest',
        accepted: 'sha256:<64 hex digits>',
      });
    if (tag !== undefined && typeof tag !== 'string')
      problems.push({ input: `images.${service}.tag`, problem: 'is not text', accepted: 'the identity tag' });
    images[service] = {
      repository: String(repository),
      digest: String(digest),
      ...(typeof tag === 'string' ? { tag } : {}),
    };
  }
  return problems.length > 0 ? bad(...problems) : good(images);
}
