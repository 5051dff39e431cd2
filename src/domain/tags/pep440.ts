/** The grammar of PEP 440, Appendix B, with the groups that matter here. */
const PEP440 =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?(\d+)?)?(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d+)?)?(?:[-_.]?(dev)[-_.]?(\d+)?)?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/i;

export interface Pep440 {
  readonly raw: string;
  /** The normal form: `1.0rc1`. */
  readonly version: string;
  readonly major: string;
  readonly minor: string;
  readonly patch: string;
  /** A pre-, post- or development release, which moves no floating tag. */
  readonly kind: 'final' | 'other';
}

const PRE: Readonly<Record<string, string>> = { alpha: 'a', beta: 'b', c: 'rc', pre: 'rc', preview: 'rc' };

export function readPep440(text: string): Pep440 | undefined {
  const match = PEP440.exec(text.trim());
  if (match === null) return undefined;
  const [, epoch, release = '', pre, preNumber, implicitPost, post, postNumber, dev, devNumber, local] = match;
  const numbers = release.split('.').map((part) => String(BigInt(part)));
  const word = pre?.toLowerCase();
  const hasPost = implicitPost !== undefined || post !== undefined;
  const version = [
    epoch === undefined || BigInt(epoch) === 0n ? '' : `${BigInt(epoch)}!`,
    numbers.join('.'),
    word === undefined ? '' : `${PRE[word] ?? word}${BigInt(preNumber ?? 0)}`,
    hasPost ? `.post${BigInt(implicitPost ?? postNumber ?? 0)}` : '',
    dev === undefined ? '' : `.dev${BigInt(devNumber ?? 0)}`,
    local === undefined ? '' : `+${local.toLowerCase().replaceAll(/[-_]/g, '.')}`,
  ].join('');
  return {
    raw: text,
    version,
    major: numbers[0] ?? '0',
    minor: numbers[1] ?? '0',
    patch: numbers[2] ?? '0',
    kind: pre === undefined && !hasPost && dev === undefined ? 'final' : 'other',
  };
}
