import { type Duration, type Instant, after, between, formatDuration, formatInstant } from './duration.ts';

/** How long credentials live. */
export type CredentialLifetime =
  { readonly kind: 'renewed' } | { readonly kind: 'ends'; readonly at: Instant } | { readonly kind: 'unknown' };

/** PURE. What is said before a wait of `needed` at most; undefined: nothing worth a line. */
export function sayLifetime(
  lifetime: CredentialLifetime,
  needed: Duration,
  now: Instant,
): { readonly level: 'info' | 'warning'; readonly line: string } | undefined {
  switch (lifetime.kind) {
    case 'renewed':
      return { level: 'info', line: 'The credentials are renewed while this run waits' };
    case 'unknown':
      return undefined;
    case 'ends': {
      const left = `The credentials of the environment end at ${formatInstant(lifetime.at)}, in ${formatDuration(between(now, lifetime.at))}`;
      return after(now, needed) <= lifetime.at
        ? { level: 'info', line: `${left}; this run takes ${formatDuration(needed)} at most` }
        : {
            level: 'warning',
            line: `${left}, and this run may take ${formatDuration(needed)}: what is begun may be left without an end. Set role-to-assume, which is renewed, or ask for a longer session`,
          };
    }
  }
}
