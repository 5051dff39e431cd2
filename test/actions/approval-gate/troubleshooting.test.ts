import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { checkChain } from '../../../src/domain/approval/record.ts';
import { sha256 } from '../../../src/adapters/system/digest.ts';
import { type Plot, COMMIT, play } from '../../attacks/scene.ts';
import { reportOf } from '../../../actions/approval-gate/src/report.ts';
import type { Request } from '../../../actions/approval-gate/src/inputs.ts';

const README = readFileSync(join(import.meta.dirname, '../../../actions/approval-gate/README.md'), 'utf8');
const rows = [...(README.split('## Troubleshooting')[1] ?? '').matchAll(/^\| `([^`]+)`/gm)].map(
  ([, message]) => message ?? '',
);

const both: NonNullable<Plot['story']> = async ({ says }) => {
  await says('alice', 'approve');
  await says('bob', 'approve');
};
const failing = (call: string, status: number): Plot => ({
  story: async (scene) => {
    await both(scene);
    scene.github.addFault({
      call: call.replace('ISSUE', scene.issue),
      kind: 'status',
      status,
      times: Number.POSITIVE_INFINITY,
    });
  },
});
const COMMENTS = 'GET /repos/acme/shop/issues/ISSUE/comments';

/** What a user does that ends in the message of a row. */
const PLOTS: Readonly<Record<string, Plot>> = {
  'The gate for production cannot be passed': { inputs: { approvers: 'user:alice\nuser:dave' } },
  'The token lacks rights in': { inputs: { approvers: 'team:acme/releasers' } },
  'approvers names carol: this account does not see': {
    before: ({ world }) => void world.permissions.set('carol', 'none'),
  },
  'Could not look up the user': { inputs: { approvers: 'user:alice\nuser:nobody-here' } },
  'private-key cannot be used': { inputs: { 'app-id': '1', 'private-key': 'nonsense' } },
  'production is outside of its window': {
    inputs: { 'outside-window': 'fail', windows: '[{ cron: "0 0 30 2 *", tz: UTC, duration: 1m }]' },
  },
  'there is no such file on the default branch': { inputs: { 'freeze-file': 'freezes.yml' } },
  'The gate for production was not opened: unit is failure': {
    inputs: { 'require-checks': 'unit' },
    before: ({ world }) =>
      void world.checks.set(COMMIT, [{ name: 'unit', status: 'completed', conclusion: 'failure' }]),
  },
  'attempt 2 of this run has begun': {
    story: async (scene) => {
      await both(scene);
      scene.github.setRun({ id: '4711', actor: 'dave', triggeringActor: 'dave', attempt: 2, commit: COMMIT });
    },
  },
  'The token is not valid (any more)': failing(COMMENTS, 401),
  'GitHub answered 301': failing('GET /repos/acme/shop/issues/ISSUE', 301),
  'GitHub answered 410': failing('GET /repos/acme/shop/issues/ISSUE', 410),
  'not approved by': { inputs: { timeout: '1m' } },
  'neither approved nor denied': failing(COMMENTS, 502),
};

test.each(Object.entries(PLOTS))('%s', async (message, plot) => {
  const { words, result } = await play(plot);
  const headline = result === undefined ? '' : reportOf(result, { timeout: 0 } as unknown as Request).headline;
  expect(`${words}\n${headline}`).toContain(message);
});

test('a broken record file is named with its line', () => {
  expect(checkChain('hello\n', sha256)).toMatchObject({ ok: false, line: 1 });
});

test('every row of the README is shown here, and nothing else', () => {
  expect(rows).toEqual([...Object.keys(PLOTS), 'The record file is broken in line']);
});
