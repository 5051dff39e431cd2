export declare function ensureZizmor(options?: { readonly say?: (line: string) => void }): string;
