import type { BaseLine } from './dockerfile.ts';

/** An image that a build stands on, with the digest that the engine found under its name. */
export interface BaseImage {
  readonly name: string;
  readonly digest: string;
}

interface FoundBase extends BaseImage {
  /** As BuildKit calls it: `build`, `stage-1`; empty where there is one stage alone; undefined: no stage stands on it. */
  readonly stage: string | undefined;
}

/**
 * `#6 [linux/amd64 build 1/3] FROM docker.io/library/golang:1.24@sha256:...` of BuildKit's progress: what was built on, and
 * not what the name leads to some moments later. An image that files are only taken from, by `COPY --from` or a mount, has
 * nothing in brackets. The legacy builder names no digest.
 */
const FROM = /^#\d+ (?:\[([^\]\n]*?)\s*\d+\/\d+\] )?FROM (?:--platform=\S+ )?(\S+?)@(sha256:[0-9a-f]{64})/gm;

/**
 * Every image that was built on, each once; `base` is the one whose files are in the result. BuildKit says an image that
 * several stages stand on once, at the first of them: the name decides, and the stage where the name is a variable.
 */
export function basesIn(
  progress: string,
  line: BaseLine | undefined,
): { readonly base: BaseImage | null; readonly bases: readonly BaseImage[] } {
  const found = [...progress.matchAll(FROM)].map(([, where, name = '', digest = '']): FoundBase => {
    const stage = where?.split(' ').at(-1);
    return { stage: stage?.includes('/') ? '' : stage, name, digest };
  });
  const bare = ({ name, digest }: BaseImage): BaseImage => ({ name, digest });
  const bases = new Map(found.map((each) => [`${each.name}@${each.digest}`, bare(each)]));
  const isOwn = ({ stage, name }: FoundBase): boolean =>
    line?.image === undefined
      ? stage !== undefined && (stage === '' || stage === line?.stage)
      : wholeName(name) === wholeName(line.image);
  const own = found.find(isOwn);
  return { base: own === undefined ? null : bare(own), bases: [...bases.values()] };
}

/** `alpine` is `docker.io/library/alpine:latest`. */
function wholeName(image: string): string {
  const [named = ''] = image.toLowerCase().split('@');
  const parts = named.split('/');
  const [first = ''] = parts;
  const isHost = parts.length > 1 && (/[.:]/.test(first) || first === 'localhost');
  const whole = isHost ? named : `docker.io/${parts.length === 1 ? 'library/' : ''}${named}`;
  return whole.replace(/:latest$/, '');
}
