/** Chance, injected: tests give a seeded one. */
export interface Random {
  /** In [0, 1): for jitter, not for secrets. */
  fraction(): number;
  /** 32 hexadecimal digits that nobody can guess: ids, delimiters. */
  token(): string;
}
