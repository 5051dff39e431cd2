import type { Attack } from './attack.ts';
import { COMMIT, type Scene } from './scene.ts';

const both = async ({ says }: Scene): Promise<void> => {
  await says('alice', 'approve');
  await says('bob', 'approve');
};
const pull = (labels: readonly string[], files: readonly string[]) => ({
  number: 7,
  author: 'mallory',
  labels,
  files,
  commits: [{ sha: COMMIT, author: 'mallory' }],
});
const SECURITY =
  '[{ name: security, approvers: ["user:nora"], minimum: 1, when: { paths: ["infra/**"], labels: [security] } }]';
const OVERRIDE = { 'override-approvers': 'user:nora' };
const IN_HALF_A_YEAR = ((new Date().getUTCMonth() + 6) % 12) + 1;
const REASON = 'payments are down since 14:05';
const codeOf = async ({ body }: Scene): Promise<string> =>
  /`\/override ([0-9a-f]{6}) REASON`/.exec(await body())?.[1] ?? 'none';

/** Groups, checks, emergencies, windows and the API itself. */
export const RULE_ATTACKS: readonly Attack[] = [
  ...(
    [
      ['changed paths ask for a group that did not approve', ['infra/main.tf'], [], 'expired'],
      ['a label asks for a group that did not approve', ['src/a.ts'], ['security'], 'expired'],
      ['neither path nor label asks for the group', ['src/infra/a.ts'], ['docs'], 'approved'],
    ] as const
  ).map(([name, files, labels, expected]): Attack => ({
    name,
    expected,
    inputs: { groups: SECURITY },
    before: ({ world }) => void world.pulls.set(COMMIT, [pull(labels, files)]),
    story: both,
  })),
  {
    name: 'nobody knows what changed: the group is asked all the same',
    expected: 'expired',
    inputs: { groups: SECURITY },
    before: ({ world }) => void world.commits.set(COMMIT, { sha: COMMIT, author: 'mallory' }),
    story: both,
  },
  {
    name: 'more files than GitHub lists: the group is asked all the same',
    expected: 'expired',
    inputs: { groups: SECURITY, 'compare-with': 'main' },
    before: ({ world }) =>
      void world.comparisons.set(`main...${COMMIT}`, {
        commits: [{ sha: COMMIT }],
        files: Array.from({ length: 301 }, (_, index) => `src/${index}.ts`),
      }),
    story: both,
  },
  {
    name: 'the group approves, too',
    expected: 'approved',
    inputs: { groups: SECURITY },
    before: ({ world }) => void world.pulls.set(COMMIT, [pull(['security'], [])]),
    story: async (scene) => {
      await scene.says('alice', 'approve');
      await scene.says('nora', 'approve');
    },
  },
  {
    name: 'a group that nobody can fill is refused by name',
    expected: 'refused',
    because: /group security needs 1 and has nobody/,
    inputs: { groups: SECURITY.replaceAll('user:nora', 'user:dave') },
    before: ({ world }) => void world.pulls.set(COMMIT, [pull(['security'], [])]),
  },
  {
    name: 'a check is red',
    expected: 'refused',
    because: /unit is failure/,
    inputs: { 'require-checks': 'unit' },
    before: ({ world }) =>
      void world.checks.set(COMMIT, [{ name: 'unit', status: 'completed', conclusion: 'failure' }]),
  },
  {
    name: 'a check never begins',
    expected: 'refused',
    because: /unit has not begun/,
    inputs: { 'require-checks': 'unit' },
  },
  {
    name: 'a check was skipped',
    expected: 'refused',
    because: /unit is skipped/,
    inputs: { 'require-checks': 'unit' },
    before: ({ world }) =>
      void world.checks.set(COMMIT, [{ name: 'unit', status: 'completed', conclusion: 'skipped' }]),
  },
  {
    name: 'another app makes a green check of the same name',
    expected: 'refused',
    because: /has not begun/,
    inputs: { 'require-checks': 'unit@github-actions' },
    before: ({ world }) =>
      void world.checks.set(COMMIT, [{ name: 'unit', status: 'completed', conclusion: 'success', app: 'evil' }]),
  },
  {
    name: 'a check turns red before the decision',
    expected: 'error',
    because: /unit is failure at the decision/,
    inputs: { 'require-checks': 'unit' },
    before: ({ world }) =>
      void world.checks.set(COMMIT, [{ name: 'unit', status: 'completed', conclusion: 'success' }]),
    story: async (scene) => {
      await both(scene);
      scene.github.world.checks.set(COMMIT, [{ name: 'unit', status: 'completed', conclusion: 'failure' }]);
    },
  },
  {
    name: 'green checks let the request open',
    expected: 'approved',
    inputs: { 'require-checks': 'unit' },
    before: ({ world }) =>
      void world.checks.set(COMMIT, [{ name: 'unit', status: 'completed', conclusion: 'success' }]),
    story: both,
  },
  ...(
    [
      ['an override by somebody who is not named', 'alice', (code: string) => `/override ${code} ${REASON}`],
      ['an override by whoever started the run', 'dave', (code: string) => `/override ${code} ${REASON}`],
      ['an override with a wrong code', 'nora', () => `/override ffffff ${REASON}`],
      ['an override without a code', 'nora', () => `/override ${REASON}`],
      ['an override whose reason says nothing', 'nora', (code: string) => `/override ${code} hotfix`],
      ['an override in a quote', 'nora', (code: string) => `> /override ${code} ${REASON}`],
    ] as const
  ).map(([name, login, words]): Attack => ({
    name,
    expected: 'expired',
    inputs: { ...OVERRIDE, 'override-approvers': 'user:nora\nuser:dave' },
    story: async (scene) => void (await scene.says(login, words(await codeOf(scene)))),
  })),
  {
    name: 'an override that somebody else edited',
    expected: 'expired',
    inputs: OVERRIDE,
    story: async (scene) => {
      await scene.edits('walter', await scene.says('nora', 'on my way'), `/override ${await codeOf(scene)} ${REASON}`);
    },
  },
  {
    name: 'an override against a standing denial',
    expected: 'denied',
    inputs: OVERRIDE,
    story: async (scene) => {
      await scene.says('alice', 'deny');
      await scene.says('nora', `/override ${await codeOf(scene)} ${REASON}`);
    },
  },
  {
    name: 'an override where none is configured',
    expected: 'expired',
    story: async (scene) => void (await scene.says('nora', `/override 0a1b2c ${REASON}`)),
  },
  {
    name: 'an override by the named person',
    expected: 'overridden',
    because: /review is due/,
    inputs: OVERRIDE,
    story: async (scene) => void (await scene.says('nora', `/override ${await codeOf(scene)} ${REASON}`)),
  },
  {
    name: 'approvals outside of the window',
    expected: 'refused',
    because: /start the run by a schedule shortly before/,
    inputs: { windows: `[{ cron: "0 0 1 ${IN_HALF_A_YEAR} *", tz: UTC, duration: 1m }]` },
    story: both,
  },
  {
    name: 'a freeze stands above an open window',
    expected: 'refused',
    because: /frozen: year end/,
    inputs: {
      'outside-window': 'fail',
      windows: '[{ at: "00:00", tz: UTC, duration: 1d }]',
      freezes: '[{ from: "2000-01-01T00:00:00Z", to: "2999-01-01T00:00:00Z", reason: year end }]',
    },
    story: both,
  },
  {
    name: 'a freeze file that is not on the default branch',
    expected: 'refused',
    because: /there is no such file on the default branch/,
    inputs: { 'freeze-file': '.github/freezes.yml' },
    story: both,
  },
  ...(
    [
      ['answers 502 to the end', { kind: 'status', status: 502 }],
      ['answers with a page of a proxy and the status of success', { kind: 'garbage' }],
      ['answers 304 to a question without an ETag', { kind: 'status', status: 304 }],
      ['drops every connection', { kind: 'reset' }],
    ] as const
  ).map(([name, fault]): Attack => ({
    name: `GitHub ${name}, with enough approvals behind it`,
    expected: 'error',
    story: async (scene) => {
      await both(scene);
      scene.github.addFault({
        call: `GET /repos/acme/shop/issues/${scene.issue}/comments`,
        times: Number.POSITIVE_INFINITY,
        ...fault,
      });
    },
  })),
  {
    name: 'the server does not say whether votes were edited',
    expected: 'error',
    story: async (scene) => {
      await both(scene);
      scene.github.addFault({ call: 'POST /graphql', kind: 'status', status: 502, times: Number.POSITIVE_INFINITY });
    },
  },
];
