export declare function ensureGoTool(
  name: 'act' | 'actionlint',
  options?: { readonly say?: (line: string) => void },
): string;
