/** Where the runner takes outputs, state and the summary from. */
export interface RunnerFiles {
  setOutput(name: string, value: string): void;
  saveState(name: string, value: string): void;
  writeSummary(markdown: string): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The runner's files by @actions/core, loaded here and not at the top of a module: a run without a runner (a person
 * trying a bundle) has no such files and writes none, and most posts have nothing to write.
 */
export async function openRunnerFiles(environment: Environment): Promise<RunnerFiles> {
  const has = (variable: string): boolean => (environment[variable] ?? '') !== '';
  if (!['GITHUB_OUTPUT', 'GITHUB_STATE', 'GITHUB_STEP_SUMMARY'].some(has)) {
    return { setOutput: () => undefined, saveState: () => undefined, writeSummary: async () => undefined };
  }
  const core = await import('./core.ts');
  return {
    setOutput(name, value) {
      // core guards the value by its delimiter, not the name: one with `=` or a line end would spoil the file.
      if (!/^[A-Za-z_][\w-]*$/.test(name)) throw new TypeError(`${JSON.stringify(name)} is not the name of an output`);
      if (has('GITHUB_OUTPUT')) core.setOutput(name, value);
    },
    saveState(name, value) {
      if (has('GITHUB_STATE')) core.saveState(name, value);
    },
    async writeSummary(markdown) {
      if (markdown !== '' && has('GITHUB_STEP_SUMMARY')) await core.summary.addRaw(markdown).write();
    },
  };
}

/** What `main` saved, in `post`. As core.getState reads it, without loading core: most posts have nothing to do. */
export const savedByMain = (environment: Environment, name: string): string | undefined =>
  environment[`STATE_${name}`] || undefined;
