type GoTool = 'act' | 'actionlint' | 'control-plane' | 'kustomize' | 'kubectl';

export declare function ensureGoTool(name: GoTool, options?: { readonly say?: (line: string) => void }): string;
export declare function goToolPath(name: GoTool): string;
