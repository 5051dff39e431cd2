import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { GitHubFaultRule, SandboxGitHub } from '../../sandbox/github/front.ts';
import { COMMIT, type Plot, REQUESTS, playIn, startScene } from './scene.ts';

type Fault = Omit<GitHubFaultRule, 'call' | 'times'>;
interface Kind {
  readonly name: string;
  readonly fault: Fault;
  /** It may be gone at the next try. */
  readonly passing: boolean;
}

const KINDS: readonly Kind[] = [
  { name: '502', fault: { kind: 'status', status: 502 }, passing: true },
  { name: 'a page of a proxy', fault: { kind: 'garbage' }, passing: true },
  { name: '401', fault: { kind: 'status', status: 401 }, passing: false },
  {
    name: '429 with Retry-After',
    fault: { kind: 'status', status: 429, headers: { 'retry-after': '20' } },
    passing: true,
  },
  {
    name: 'the secondary limit',
    fault: { kind: 'status', status: 403, message: 'You have exceeded a secondary rate limit' },
    passing: true,
  },
  { name: 'a reset', fault: { kind: 'reset' }, passing: true },
  { name: '404', fault: { kind: 'status', status: 404 }, passing: false },
];

/** Every call that a gate with all its rules makes, as patterns of the front. */
const CALLS = [
  'GET /user',
  'GET /users/*',
  'GET /user/*',
  'GET /repos/acme/shop/collaborators/*/permission',
  'GET /repos/acme/shop/actions/runs/*',
  'GET /repos/acme/shop/commits/*/check-runs',
  'GET /repos/acme/shop/commits/*/pulls',
  'GET /repos/acme/shop/pulls/*/files',
  'GET /repos/acme/shop/pulls/*/commits',
  'GET /repos/acme/shop/contents/*',
  `GET ${REQUESTS}`,
  `POST ${REQUESTS}`,
  `GET ${REQUESTS}/*`,
  `GET ${REQUESTS}/*/comments`,
  `GET ${REQUESTS}/*/events`,
  `POST ${REQUESTS}/*/assignees`,
  `PATCH ${REQUESTS}/*`,
  'POST /graphql',
] as const;

/** The first three kinds on every machine, all of them where everything is required (CI). */
const sampled = process.env['SLUICE_REQUIRE_ALL'] === '1' ? KINDS : KINDS.slice(0, 3);
const points = CALLS.flatMap((call) =>
  sampled.flatMap((kind) => [
    [`${call}: ${kind.name}, once`, call, kind, 1] as const,
    [`${call}: ${kind.name}, from now on`, call, kind, Number.POSITIVE_INFINITY] as const,
  ]),
);

const plot = (yes: boolean): Plot => ({
  inputs: {
    exclude: 'commit-authors',
    'require-checks': 'unit',
    'freeze-file': 'freezes.yml',
  },
  story: async ({ says }) => {
    await says('alice', 'approve');
    await says('bob', yes ? 'approve' : 'looking at it');
  },
});

let github: SandboxGitHub;
beforeAll(async () => {
  github = await startScene();
  github.world.checks.set(COMMIT, [{ name: 'unit', status: 'completed', conclusion: 'success' }]);
  github.world.files.set('freezes.yml', '[]');
  github.world.pulls.set(COMMIT, [
    { number: 7, author: 'mallory', labels: [], files: ['a.ts'], commits: [{ sha: COMMIT, author: 'mallory' }] },
  ]);
});
afterAll(async () => github.close());

async function under(call: string, { fault }: Kind, times: number, yes: boolean): Promise<string> {
  github.calm();
  // A new hour of the rate limit, which the histories before have used up.
  github.world.pass(3_600_000);
  github.addFault({ call, times, ...fault });
  const { outcome } = await playIn(github, plot(yes));
  return outcome;
}

test('the list names every call: without faults the gate makes all of them and no other', async () => {
  const before = github.calls().length;
  expect((await playIn(github, plot(true))).outcome).toBe('approved');
  const made = github
    .calls()
    .slice(before)
    .filter(({ who }) => who === 'github-actions[bot]');
  const matching = (call: string, pattern: string): boolean =>
    new RegExp(`^${pattern.replaceAll('*', '[^/]+')}$`).test(call);
  expect(made.map(({ call }) => call).filter((call) => !CALLS.some((pattern) => matching(call, pattern)))).toEqual([]);
  expect(CALLS.filter((pattern) => !made.some(({ call }) => matching(call, pattern)))).toEqual([]);
});

describe('no fault lets anybody in, and no fault denies', () => {
  test.each(points)('%s', async (_name, call, kind, times) => {
    expect(['expired', 'error', 'refused']).toContain(await under(call, kind, times, false));
    expect(['approved', 'expired', 'error', 'refused']).toContain(await under(call, kind, times, true));
  });
});

test.each(
  CALLS.flatMap((call) =>
    sampled.filter(({ passing }) => passing).map((kind) => [`${call}: ${kind.name}`, call, kind] as const),
  ),
)('a fault that passes delays an approval and nothing else: %s', async (_name, call, kind) => {
  expect(await under(call, kind, 1, true)).toBe('approved');
});
