import type { Attack } from './attack.ts';

const TEAM = { approvers: 'team:acme/releasers', 'minimum-approvals': '2' };

/** Who votes. alice's honest approval is there each time; the attack is the second one. */
export const PEOPLE_ATTACKS: readonly Attack[] = [
  {
    name: 'two of three named people approve',
    expected: 'approved',
    story: async ({ says }) => {
      await says('alice', 'approve');
      await says('bob', 'LGTM!');
    },
  },
  ...(
    [
      ['a stranger who may read approves', 'mallory', /not-eligible/],
      ['a stranger who may write approves', 'walter', /not-eligible/],
      ['whoever started the run approves', 'dave', /not-eligible/],
      ['the same person approves twice', 'alice', undefined],
    ] as const
  ).map(([name, login, because]): Attack => ({
    name,
    expected: 'expired',
    ...(because ? { because } : {}),
    story: async ({ says }) => {
      await says('alice', 'approve');
      await says(login, 'approve');
    },
  })),
  {
    name: 'whoever re-ran somebody else’s run approves',
    expected: 'expired',
    attempt: { number: 2, triggeringActor: 'bob' },
    inputs: { 'minimum-approvals': '2' },
    because: /bob/,
    story: async ({ says }) => {
      await says('alice', 'approve');
      await says('bob', 'approve');
    },
  },
  {
    name: 'the initiator is in the team that approves',
    expected: 'expired',
    token: 'app',
    inputs: TEAM,
    before: ({ world }) => void world.teams.set('acme/releasers', ['alice', 'bob', 'dave']),
    story: async ({ says }) => {
      await says('alice', 'approve');
      await says('dave', 'approve');
    },
  },
  {
    name: 'two members of the team approve',
    expected: 'approved',
    token: 'app',
    inputs: TEAM,
    before: ({ world }) => void world.teams.set('acme/releasers', ['alice', 'bob', 'carol']),
    story: async ({ says }) => {
      await says('alice', 'approve');
      await says('carol', 'approve');
    },
  },
  {
    name: 'a team that cannot be read is not taken for a login',
    expected: 'refused',
    because: /members=read for the approvers/,
    inputs: TEAM,
  },
  {
    name: 'a team that does not exist admits nobody',
    expected: 'refused',
    because: /404/,
    token: 'app',
    inputs: TEAM,
  },
  {
    name: 'a member leaves the team while the gate waits, after the vote',
    expected: 'expired',
    token: 'app',
    inputs: TEAM,
    before: ({ world }) => void world.teams.set('acme/releasers', ['alice', 'bob', 'carol']),
    story: async ({ says, github }) => {
      await says('alice', 'approve');
      await says('bob', 'approve');
      github.world.teams.set('acme/releasers', ['alice', 'carol']);
    },
  },
  {
    name: 'somebody is added to the team after the request was opened',
    expected: 'expired',
    token: 'app',
    inputs: TEAM,
    before: ({ world }) => void world.teams.set('acme/releasers', ['alice', 'bob', 'carol']),
    story: async ({ says, github }) => {
      github.world.teams.set('acme/releasers', ['alice', 'bob', 'carol', 'mallory']);
      await says('alice', 'approve');
      await says('mallory', 'approve');
    },
  },
  {
    name: 'an approver was renamed while the gate waited: the vote is still his',
    expected: 'approved',
    story: async ({ says, github }) => {
      await says('alice', 'approve');
      await says('bob', 'approve');
      github.world.renamed.set('bob', 'bobby');
    },
  },
  {
    name: 'a stranger registers the login that an approver gave up',
    expected: 'expired',
    story: async ({ says, github }) => {
      github.world.renamed.set('bob', 'bobby');
      github.world.renamed.set('mallory', 'bob');
      await says('alice', 'approve');
      await says('mallory', 'approve');
    },
  },
  {
    name: 'an approver loses access to the repository after the vote',
    expected: 'expired',
    story: async ({ says, github }) => {
      await says('alice', 'approve');
      await says('bob', 'approve');
      github.world.permissions.set('bob', 'none');
    },
  },
  {
    name: 'the account of an approver is deleted after the vote',
    expected: 'expired',
    story: async ({ says, github }) => {
      await says('alice', 'approve');
      await says('bob', 'approve');
      github.world.gone.add('bob');
    },
  },
  {
    name: 'an app votes in the name of an approver',
    expected: 'expired',
    because: /via-app/,
    story: async ({ says, github }) => {
      await says('alice', 'approve');
      Object.assign(github.world.comments.get(await says('bob', 'approve')) ?? {}, { viaApp: true });
    },
  },
  {
    name: 'an approval comes by e-mail, whose sender can be forged',
    expected: 'expired',
    because: /by-email/,
    story: async ({ says, github }) => {
      await says('alice', 'approve');
      Object.assign(github.world.comments.get(await says('bob', 'approve')) ?? {}, { byEmail: true });
    },
  },
  {
    name: 'the job’s own token comments approve',
    expected: 'expired',
    because: /bot/,
    story: async ({ says, github, issue }) => {
      await says('alice', 'approve');
      await fetch(`${github.url}/repos/acme/shop/issues/${issue}/comments`, {
        method: 'POST',
        headers: { authorization: `Bearer ${github.tokens['github-actions']}` },
        body: JSON.stringify({ body: 'approve' }),
      });
    },
  },
  {
    name: 'the owner of the token that opened the request approves',
    expected: 'expired',
    token: 'alice',
    because: /alice|not-eligible/,
    story: async ({ says }) => {
      await says('alice', 'approve');
      await says('bob', 'approve');
    },
  },
  {
    name: 'the owner of the token is nobody’s obstacle to the others',
    expected: 'approved',
    token: 'alice',
    story: async ({ says }) => {
      await says('carol', 'approve');
      await says('bob', 'approve');
    },
  },
  {
    name: 'the author of a commit approves where authors are excluded',
    expected: 'expired',
    inputs: { exclude: 'commit-authors' },
    before: ({ world }) =>
      void world.pulls.set('c0ffee0123456789c0ffee0123456789c0ffee01', [
        { number: 7, author: 'mallory', labels: [], files: ['a.ts'], commits: [{ sha: 'x', author: 'bob' }] },
      ]),
    story: async ({ says }) => {
      await says('alice', 'approve');
      await says('bob', 'approve');
    },
  },
  {
    name: 'the author of the pull request approves where authors are excluded',
    expected: 'expired',
    inputs: { exclude: 'pull-request-authors' },
    before: ({ world }) =>
      void world.pulls.set('c0ffee0123456789c0ffee0123456789c0ffee01', [
        { number: 7, author: 'bob', labels: [], files: ['a.ts'], commits: [{ sha: 'x', author: 'mallory' }] },
      ]),
    story: async ({ says }) => {
      await says('alice', 'approve');
      await says('bob', 'approve');
    },
  },
  {
    name: 'one person is named twice, in two cases of letters',
    expected: 'refused',
    because: /needs 2 approvals and only 1/,
    inputs: { approvers: 'user:alice\nuser:ALICE\nuser:dave' },
  },
  {
    name: 'only the initiator is left to approve',
    expected: 'refused',
    because: /dave started this run/,
    inputs: { approvers: 'user:dave', 'minimum-approvals': '1' },
  },
  {
    name: 'an approver who does not see the repository is refused by name',
    expected: 'refused',
    because: /approvers names carol: this account does not see/,
    before: ({ world }) => void world.permissions.set('carol', 'none'),
  },
];
