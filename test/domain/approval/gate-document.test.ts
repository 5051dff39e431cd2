import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { validatorOf } from '../../rules/schemas.ts';
import { GATE_SCHEMA, parseGate } from '../../../src/domain/approval/gate-document.ts';

const problemsOf = (value: unknown): readonly string[] => {
  const read = parseGate(value);
  return read.ok ? [] : read.problems.map(({ input, problem }) => `${input} ${problem}`);
};

describe('the file of a gate', () => {
  test('is read with the words and the defaults of approval-gate', () => {
    expect(parseGate({ approvers: ['user:alice', 'team:acme/ops'], 'minimum-approvals': 2 })).toMatchObject({
      ok: true,
      value: {
        approvers: [
          { kind: 'user', login: 'alice' },
          { kind: 'team', org: 'acme', slug: 'ops' },
        ],
        minimum: 2,
        outside: 'wait',
        code: 'none',
        settle: 5_000,
        label: 'sluice-approval',
        exclude: [],
        windows: [],
      },
    });
  });

  test('names every problem at once', () => {
    expect(
      problemsOf({ approver: ['user:alice'], 'minimum-approvals': 'two', label: '', windows: 'sunday', notify: {} }),
    ).toEqual([
      'approver is not a known key',
      'approvers is missing',
      expect.stringContaining('minimum-approvals is not a whole number'),
      expect.stringContaining('windows is not'),
      'label has no value; give one or remove the key',
      'notify is not list',
    ]);
  });

  test.each([
    { name: 'more approvals than people', value: { approvers: ['user:alice'], 'minimum-approvals': 2 }, says: 'minimum-approvals is more than the 1 named in approvers' },
    { name: 'an approver without a kind', value: { approvers: ['alice'] }, says: 'approvers has the entry "alice", which is not an approver' },
    { name: 'nobody', value: { approvers: [] }, says: 'approvers has no entry; give one or remove the key' },
    { name: 'a list in place of a mapping', value: ['user:alice'], says: 'gate is not a mapping' },
    { name: 'somebody who cannot be excluded', value: { approvers: ['user:alice'], exclude: ['friends'] }, says: 'exclude is nobody who could be excluded' },
  ])('with $name is refused', ({ value, says }) => {
    expect(problemsOf(value)).toContain(says);
  }); // prettier-ignore
});

/** The shapes of its keys are those of the inputs, which test/rules/schemas-sluice.test.ts changes place by place. */
describe('the schema of the file', () => {
  const WHOLE = `
approvers: ["user:alice", "user:bob", "team:acme/release"]
minimum-approvals: 2
groups: [{ name: security, approvers: ["team:acme/security"], minimum: 1, when: { paths: ["infra/**"] } }]
exclude: [commit-authors, pull-request-authors]
require-code: true
require-checks: [unit@github-actions]
override-approvers: ["user:oncall"]
windows: [{ weekday: sun, nth: 2, at: "02:00", tz: America/New_York, duration: 2h }]
freezes: [{ from: 2026-12-20, to: 2027-01-02, tz: Europe/Berlin, reason: Christmas }]
freeze-file: .github/freezes.yml
outside-window: fail
settle-for: 10s
label: approval
notify: [acme/on-call]
`;
  const validate = validatorOf(GATE_SCHEMA);

  test('takes a file with every key, as the parser does', () => {
    const document = parse(WHOLE) as Record<string, unknown>;
    expect(Object.keys(document)).toEqual(Object.keys(GATE_SCHEMA.properties ?? {}));
    expect(problemsOf(document)).toEqual([]);
    expect(validate(document)).toBe(true);
  });

  test.each([
    'approvers: [user:a]\noutside-window: later',
    'minimum-approvals: 2',
    'approvers: [user:a]\nwindow: []',
    'approvers: [user:a]\nsettle-for: 5',
  ])('refuses what the parser refuses: %s', (text) => {
    expect(problemsOf(parse(text))).not.toEqual([]);
    expect(validate(parse(text))).toBe(false);
  });
});
