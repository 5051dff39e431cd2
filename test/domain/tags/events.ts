import { createHash } from 'node:crypto';
import { semverGrammar } from '../../../src/adapters/versions/semver.ts';
import { instant } from '../../../src/domain/duration.ts';
import type { GitContext, TagTools } from '../../../src/domain/tags/context.ts';
import { withoutShared } from '../../../src/domain/tags/forward.ts';
import { makeTags } from '../../../src/domain/tags/make.ts';
import { parseFlavor, parseTagRules } from '../../../src/domain/tags/parse.ts';

export const SHA = '860c1904a1ce19322e91ac35af1ab07466440c37';
export const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 6);
export const tools: TagTools = {
  semver: semverGrammar,
  sha256: (text) => createHash('sha256').update(text).digest('hex'),
};

const base = {
  sha: SHA,
  defaultBranch: 'main',
  // 2026-03-08 is the day on which New York has no 02:30.
  now: instant(Date.parse('2026-03-08T06:30:05.120Z')),
  commitDate: instant(Date.parse('2026-03-01T23:30:00Z')),
};

/** One run of each kind, as the runner names them. */
export const EVENTS = {
  main: { ...base, event: 'push', ref: 'refs/heads/main' },
  feature: { ...base, event: 'push', ref: 'refs/heads/feature/a' },
  release: { ...base, event: 'push', ref: 'refs/tags/v1.2.3', baseRef: 'main' },
  candidate: { ...base, event: 'push', ref: 'refs/tags/v2.0.0-rc.1' },
  otherTag: { ...base, event: 'push', ref: 'refs/tags/nightly-7' },
  pull: { ...base, event: 'pull_request', ref: 'refs/pull/7/merge', baseRef: 'main' },
  schedule: { ...base, event: 'schedule', ref: 'refs/heads/main' },
  published: { ...base, event: 'release', ref: 'refs/tags/v1.2.3' },
  dispatch: { ...base, event: 'workflow_dispatch', ref: 'refs/heads/main' },
} as const satisfies Record<string, GitContext>;

export type EventName = keyof typeof EVENTS;

/** Tags of a run, or the problems as one text. */
export function tagsOf(tags: string, event: GitContext, flavor = ''): readonly string[] | string {
  const rules = parseTagRules(tags);
  const read = parseFlavor(flavor);
  const problems = [...(rules.ok ? [] : rules.problems), ...(read.ok ? [] : read.problems)];
  if (!rules.ok || !read.ok) return problems.map(({ problem }) => problem).join('; ');
  const made = makeTags(rules.value, read.value, event, tools);
  if (!made.ok) return made.problems.map(({ problem }) => problem).join('; ');
  return withoutShared(made.value.tags, event).tags.map(({ name }) => name);
}
