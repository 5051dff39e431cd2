/** `299 - "autoscaling/v2beta2 is deprecated"`: texts of the header by which the API server warns (KEP-1693). */
export function readWarnings(header: string | readonly string[] | undefined): readonly string[] {
  const all = typeof header === 'string' ? [header] : (header ?? []);
  return all.flatMap((line) =>
    [...line.matchAll(/299 [^ ]+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1')),
  );
}
