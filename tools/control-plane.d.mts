/** etcd, kube-apiserver, kube-controller-manager. */
export const PROGRAMS: readonly string[];
/** The folder with the programs; the first call builds them. @throws {Error} one line that says what is missing. */
export function ensureControlPlane(options?: { readonly say?: (line: string) => void }): string;
/** Why no control plane can be started at once, or undefined. It builds nothing. */
export function controlPlaneProblem(): string | undefined;
