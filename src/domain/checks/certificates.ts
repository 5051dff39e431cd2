import type { Check, ChecksDocument } from './document.ts';
import { everyCheck } from './every-check.ts';
import { type DocumentProblem, formatPath } from './place.ts';

/** Who asks for a certificate where nobody shows one would get the same failure at every try. */
export const unusableCertificates = (document: ChecksDocument, url: string | undefined): readonly DocumentProblem[] =>
  url !== undefined && /^http:/i.test(url) ? everyCheck(document).flatMap(problemsOf) : [];

function problemsOf({ at, name, expect, warn, redirects }: Check): readonly DocumentProblem[] {
  // A redirect may lead to https.
  if (redirects.kind === 'follow') return [];
  return (['expect', 'warn'] as const)
    .filter((part) => ({ expect, warn })[part]?.certificate !== undefined)
    .map((part) => {
      const path = [...at, part, 'certificate'];
      return {
        path,
        input: formatPath(path),
        problem: `wants a certificate of an address without TLS${name === '' ? '' : ` (check ${name})`}`,
        accepted: 'a target that begins with https://',
      };
    });
}
