import type { Chance } from '../plane/chance.ts';

/** A name whose answers may change, and how many resolvers ask about it, each for its share of the users. */
export interface FollowedName {
  /** As a resolver is told at this moment; undefined: there is no such name. */
  resolve(): { readonly url: string; readonly life: number } | undefined;
  /** 50 unless told: so many draws of a weighted record are in the world at any moment. */
  readonly resolvers?: number;
}

/**
 * Users as DNS has them: each asks a resolver, and each resolver keeps an answer for as long as the answer may live. So a
 * change of weights reaches users one resolver after the other, and those who asked just before it stay where they are.
 * The returned function says where the next request goes.
 */
export function followName(
  { resolve, resolvers = 50 }: FollowedName,
  chance: Chance,
  now: () => number = () => performance.now(),
): () => string | undefined {
  const kept = new Map<number, { readonly url: string; readonly until: number }>();
  return () => {
    const resolver = Math.floor(chance() * resolvers);
    const known = kept.get(resolver);
    if (known !== undefined && known.until > now()) return known.url;
    const told = resolve();
    if (told === undefined) kept.delete(resolver);
    else kept.set(resolver, { url: told.url, until: now() + told.life });
    return told?.url;
  };
}
