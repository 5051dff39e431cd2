export interface Python {
  readonly python: string;
  readonly env: Record<string, string>;
}
export function ensurePython(options?: { readonly say?: (line: string) => void }): Promise<Python>;
