import { describe, expect, test } from '@jest/globals';
import { readApprovers } from '../../../src/domain/approval/approvers.ts';
import { readEvidence } from '../../../src/domain/approval/evidence.ts';
import { type GroupRule, groupApplies, matchesPath, readGroups } from '../../../src/domain/approval/groups.ts';

const group: GroupRule = {
  name: 'security',
  approvers: [{ kind: 'team', org: 'acme', slug: 'security' }],
  minimum: 1,
  when: { paths: ['infra/**', 'Dockerfile'], labels: ['security'] },
};

test.each<[string, string[], string[], boolean, string | undefined]>([
  ['by a path', ['src/a.ts', 'infra/a/b.tf'], [], true, 'infra/a/b.tf changed'],
  ['by a label', [], ['security'], true, 'label security'],
  ['by neither', ['src/a.ts'], ['docs'], true, undefined],
  ['by what is not known', ['src/a.ts'], [], false, 'not every change is known'],
])('a group takes part %s', (_name, paths, labels, complete, because) => {
  expect(groupApplies(group, { paths, labels, complete })).toBe(because);
});

test('a group without a condition always takes part', () => {
  const { when: _, ...always } = group;
  expect(groupApplies(always, { paths: [], labels: [], complete: true })).toBe('always');
});

test.each([
  ['infra/**', 'infra/main.tf', true],
  ['infra/**', 'src/infra/main.tf', false],
  ['**/migrations/*.sql', 'db/migrations/1.sql', true],
  ['**/migrations/*.sql', 'migrations/1.sql', true],
  ['**/migrations/*.sql', 'db/migrations/old/1.sql', false],
  ['infra/', 'infra/a/b', true],
  ['*.tf', 'main.tf', true],
  ['*.tf', 'a/main.tf', false],
  ['a.b', 'axb', false],
  ['**', 'anything/at/all', true],
])('%s and %s: %s', (pattern, path, matches) => {
  expect(matchesPath(pattern, path)).toBe(matches);
});

describe('what is no list of groups', () => {
  test.each<[string, unknown, RegExp]>([
    ['a map', {}, /is not a list/],
    ['a group without a name', [{ approvers: ['user:a'] }], /has no name/],
    ['a group of nobody', [{ name: 'a', approvers: [] }], /names nobody/],
    ['an approver without a kind', [{ name: 'a', approvers: ['alice'] }], /not an approver/],
    ['a minimum of nobody', [{ name: 'a', approvers: ['user:a'], minimum: 0 }], /minimum/],
    ['an unknown key', [{ name: 'a', approvers: ['user:a'], quorum: 2 }], /unknown key quorum/],
    ['an empty condition', [{ name: 'a', approvers: ['user:a'], when: {} }], /empty `when`/],
    ['a misspelt condition', [{ name: 'a', approvers: ['user:a'], when: { path: ['x'] } }], /unknown condition path/],
    [
      'the same name twice',
      [
        { name: 'a', approvers: ['user:a'] },
        { name: 'a', approvers: ['user:b'] },
      ],
      /twice/,
    ],
  ])('%s', (_name, value, problem) => {
    expect(readGroups(value)).toMatchObject({ ok: false, problem: expect.stringMatching(problem) });
  });
});

test.each([
  ['user:alice', true],
  ['team:acme/security', true],
  ['alice', false],
  ['acme/security', false],
  ['team:security', false],
  ['user:', false],
  ['user:alice/../bob', false],
  ['team:acme/../x', false],
  ['org:acme', false],
])('%s is an approver: %s', (entry, ok) => {
  expect(readApprovers([entry]).ok).toBe(ok);
});

test.each<[string, unknown, RegExp]>([
  ['no verdict', [{ name: 'scan' }], /no verdict/],
  ['an empty verdict, as of a job that was skipped', [{ name: 'scan', verdict: '' }], /no verdict/],
  ['a hash that is none', [{ name: 'scan', verdict: 'pass', sha256: 'abc' }], /64 hex digits/],
  ['an address that is none', [{ name: 'scan', verdict: 'pass', url: 'javascript:x' }], /url/],
])('evidence with %s is refused', (_name, value, problem) => {
  expect(readEvidence(value)).toMatchObject({ ok: false, problem: expect.stringMatching(problem) });
});
