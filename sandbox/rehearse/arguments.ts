import { nearestOf } from '../../src/domain/inputs.ts';

/** What is wrong with the release that is rehearsed; `good` is a release with nothing wrong. */
export const RELEASES = ['good', 'error-rate', 'slow', 'crash', 'unhealthy-later'] as const;
export type Release = (typeof RELEASES)[number];

export interface Arguments {
  readonly release: Release;
  readonly config: string;
  /** Where the Markdown report is written. */
  readonly report: string;
}

export const USAGE = `Usage: npm start -- [--release ${RELEASES.join('|')}] [--config sluice.yml] [--report FILE.md]`;

/** Reads the command line; a string is what is wrong with it, in one line. */
export function readArguments(argv: readonly string[], defaultConfig: string): Arguments | string {
  const values: Record<string, string> = { release: 'good', config: defaultConfig, report: 'out/rehearsal.md' };
  for (let index = 0; index < argv.length; index += 2) {
    const name = argv[index] ?? '';
    const key = name.replace(/^--/, '');
    if (!name.startsWith('--') || !(key in values)) {
      const nearest = nearestOf(key, Object.keys(values));
      return `Unknown argument ${name}${nearest ? `; did you mean --${nearest}?` : ''}. ${USAGE}`;
    }
    const value = argv[index + 1];
    if (value === undefined || value.startsWith('--')) return `--${key} needs a value. ${USAGE}`;
    values[key] = value;
  }
  const release = RELEASES.find((known) => known === values['release']);
  if (release === undefined) {
    const nearest = nearestOf(values['release'] ?? '', RELEASES);
    return `--release ${values['release']} is not known${nearest ? `; did you mean ${nearest}?` : ''}. Accepted: ${RELEASES.join(', ')}.`;
  }
  return { release, config: values['config'] ?? defaultConfig, report: values['report'] ?? '' };
}
