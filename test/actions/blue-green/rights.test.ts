import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { CallEntry } from '../../../sandbox/cloud.ts';
import { README, listedRights, unlisted } from './rights.ts';

const ADAPTERS = join(import.meta.dirname, '../../../src/adapters');
/** Commands of the SDKs in the adapters that blue-green opens, and actions that are asked for without an SDK. */
const used = new Set(
  ['aws', 'traffic', 'metrics'].flatMap((folder) =>
    readdirSync(join(ADAPTERS, folder))
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => [
        ...readFileSync(join(ADAPTERS, folder, name), 'utf8').matchAll(/\b([A-Z]\w+?)(?:Command)?\b/g),
      ])
      .map(([, command = '']) => command),
  ),
);
/** Asked for by AWS when another action names a role. */
const NO_CALL = ['iam:PassRole'];

test('each IAM action of the README is a call that the adapters make', () => {
  const listed = [...listedRights()].filter((right) => !NO_CALL.includes(right));
  expect(listed.length).toBeGreaterThan(25);
  expect(listed.filter((right) => !used.has(right.split(':')[1] ?? ''))).toEqual([]);
});

test('the policy to copy allows what the table lists, and nothing else', () => {
  const [, text = ''] = /```json\n(\{\n {2}"Version"[^]*?)```/.exec(readFileSync(README, 'utf8')) ?? [];
  const { Statement } = JSON.parse(text) as {
    Statement: readonly { Effect: string; Action: string | readonly string[]; Resource: string | readonly string[] }[];
  };
  const allowed = Statement.flatMap(({ Action }) => Action);
  expect([...new Set(allowed)].toSorted()).toEqual([...listedRights()].toSorted());
  expect(allowed).toHaveLength(new Set(allowed).size);
  expect(Statement.every(({ Effect }) => Effect === 'Allow')).toBe(true);
});

// What the sandbox sees is compared at the ends of process.test.ts, route53.test.ts and alb-alone.test.ts.
test('a call that the README does not list is found', () => {
  const call = (operation: string): CallEntry => ({ run: 'action', operation }) as CallEntry;
  expect(unlisted([call('ecs:UpdateService'), call('ecs:DeleteService'), call('route53:GetChange')])).toEqual([
    'ecs:DeleteService',
  ]);
});
