import type { FailureFacts } from '../failure.ts';
import { type CloudErrorKind, CloudFailure } from '../retry-policy.ts';

/** What a registry says of itself when it refuses: status, and the code of the distribution specification. */
export interface RegistrySigns {
  readonly status?: number;
  /** `MANIFEST_UNKNOWN`, `DENIED`, ... */
  readonly code?: string;
  readonly message: string;
}

/** A registry that answers, and does not let this name in: nothing that an input of the build could mend. */
export class RegistryRefusal extends CloudFailure {
  override readonly name: string = 'RegistryRefusal';
  declare readonly kind: 'access-denied' | 'expired-token';

  constructor(kind: 'access-denied' | 'expired-token', facts: FailureFacts, options?: { readonly cause?: unknown }) {
    super(kind, facts, options);
  }
}

/** Registries that say `immutable` in words of their own: ECR, GHCR, Harbor, Artifactory. */
const IMMUTABLE = /immutable|cannot be overwritten|already exists in the .* repository/i;

export function classifyRegistryError({ status, code = '', message }: RegistrySigns): CloudErrorKind {
  if (IMMUTABLE.test(message)) return 'conflict';
  if (status === 429 || code === 'TOOMANYREQUESTS') return 'throttled';
  // After a slow commit the blob is there although the upload is forgotten: the second try finds it.
  if (code === 'BLOB_UPLOAD_UNKNOWN' || code === 'BLOB_UPLOAD_INVALID') return 'transient';
  if (status === undefined || status >= 500 || status === 408) return 'transient';
  if (status === 401) return 'expired-token';
  if (status === 403 || code === 'DENIED' || code === 'UNAUTHORIZED') return 'access-denied';
  if (status === 404) return 'not-found';
  return 'invalid';
}

/**
 * What went wrong in a `docker push` or `buildx build --push`, by the last lines that it wrote: the one place where the
 * engine says it. What is not understood is not repeated: it may be the build itself.
 */
export function classifyPushOutput(output: string): CloudErrorKind {
  const told = PUSH_WORDS.find(([words]) => words.test(output));
  return told?.[1] ?? 'unknown';
}

const PUSH_WORDS: readonly (readonly [RegExp, CloudErrorKind])[] = [
  [/immutable/i, 'conflict'],
  [
    /no basic auth credentials|401 Unauthorized|authentication required|token (has )?expired|token has expired|(^|\s)unauthorized\b/im,
    'expired-token',
  ],
  [/denied:|(^|: )denied\.?\s*$|403 Forbidden|insufficient_scope|access denied/im, 'access-denied'],
  [/429|toomanyrequests|too many requests|rate limit/i, 'throttled'],
  [/name unknown|repository .*not (found|exist)|does not exist/i, 'not-found'],
  [
    /received unexpected HTTP status: 5\d\d|unexpected status[^\n]*5\d\d|50[0234] (Bad|Service|Gateway|Internal)|connection re(set|fused)|i\/o timeout|TLS handshake timeout|unexpected EOF|EOF$|blob upload (unknown|invalid)|BLOB_UPLOAD|use of closed network|net\/http|context deadline exceeded|no such host/im,
    'transient',
  ],
];
