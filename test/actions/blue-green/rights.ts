import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CallEntry } from '../../../sandbox/cloud.ts';

export const README = join(import.meta.dirname, '../../../actions/blue-green/README.md');

/** The IAM actions of the README: a name without a service is of the one before it. */
export function listedRights(): ReadonlySet<string> {
  const readme = readFileSync(README, 'utf8');
  const permissions = readme.slice(readme.indexOf('## Permissions'), readme.indexOf('## Inputs'));
  return new Set(
    [...permissions.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = '']) => {
      let service = '';
      return [...cell.matchAll(/`(?:([a-z0-9-]+):)?(\w+)`/g)].map(([, named, action = '']) => {
        service = named ?? service;
        return `${service}:${action}`;
      });
    }),
  );
}

/** Who has the token of the job needs no right of the role to assume the role. */
const WITHOUT_RIGHT = 'sts:AssumeRoleWithWebIdentity';

/** What runs of the action called and the README does not list. */
export const unlisted = (calls: readonly CallEntry[]): readonly string[] => {
  const listed = listedRights();
  const called = new Set(calls.filter(({ run }) => run !== 'fixture').map(({ operation }) => operation));
  return [...called].filter((operation) => !listed.has(operation) && operation !== WITHOUT_RIGHT).sort();
};
