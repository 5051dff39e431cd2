import { sha256 } from '../../src/adapters/system/digest.ts';
import { canonicalJson } from '../../src/domain/canonical-json.ts';

/** What approval-gate gave for these images a second ago, for ten minutes; of the runner's own repository unless told otherwise. */
export function grantFor(
  images: unknown,
  { at, ...given }: Readonly<Record<string, unknown>> & { readonly at: number },
): string {
  return JSON.stringify({
    schema: 'sluice/approval/v1',
    id: 'g-1',
    repository: 'acme/shop',
    environment: 'production',
    imagesSha256: sha256(canonicalJson(images)),
    policySha256: 'p',
    approvedBy: [7],
    commit: 'c',
    runId: '1',
    attempt: 1,
    grantedAt: new Date(at - 1_000).toISOString(),
    expiresAt: new Date(at + 600_000).toISOString(),
    ...given,
  });
}
