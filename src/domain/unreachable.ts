/** The default branch of an exhaustive switch: a new state does not compile until it is handled. */
export function unreachable(value: never): never {
  throw new TypeError(`Unhandled state: ${JSON.stringify(value)}`);
}
