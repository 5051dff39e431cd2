import type { Attack } from './attack.ts';
import { COMMIT, REQUESTS, type Scene } from './scene.ts';

const both = async ({ says }: Scene): Promise<readonly number[]> => [
  await says('alice', 'approve'),
  await says('bob', 'approve'),
];

/** What happens to votes after they were written, and to the request itself. */
export const HISTORY_ATTACKS: readonly Attack[] = [
  {
    name: 'somebody with write access turns talk into an approval',
    expected: 'expired',
    because: /edited/,
    story: async ({ says, edits, pause }) => {
      await says('alice', 'approve');
      const talk = await says('bob', 'looking at it');
      pause(3);
      await edits('walter', talk, 'approve');
    },
  },
  {
    name: 'the same within the second in which the comment was written, before the gate looks',
    expected: 'expired',
    because: /edited/,
    story: async ({ says, edits }) => {
      await says('alice', 'approve');
      await edits('walter', await says('bob', 'looking at it'), 'approve');
    },
  },
  {
    name: 'the author himself edits within the second',
    expected: 'expired',
    because: /edited/,
    story: async ({ says, edits }) => {
      await says('alice', 'approve');
      await edits('bob', await says('bob', 'hm'), 'approve');
    },
  },
  {
    name: 'a comment is edited between two looks',
    expected: 'expired',
    because: /not-understood/,
    story: async ({ says, edits, later }) => {
      await says('alice', 'approve');
      const talk = await says('bob', 'hm');
      later(7, () => edits('walter', talk, 'approve'));
    },
  },
  {
    name: 'an approval is deleted while the verdict settles',
    expected: 'expired',
    story: async (scene) => {
      const [, bobs = 0] = await both(scene);
      scene.later(3, () => scene.deletes('walter', bobs));
    },
  },
  {
    name: 'a denial that was seen is deleted by somebody with write access',
    expected: 'denied',
    story: async (scene) => {
      await both(scene);
      const denial = await scene.says('carol', 'deny');
      scene.later(2, () => scene.deletes('walter', denial));
    },
  },
  {
    name: 'a denial that was seen is edited into an approval',
    expected: 'denied',
    story: async (scene) => {
      await both(scene);
      const denial = await scene.says('carol', 'deny');
      scene.later(2, () => scene.edits('walter', denial, 'approve'));
    },
  },
  {
    name: 'one of those who approved denies later',
    expected: 'denied',
    story: async (scene) => {
      await scene.says('alice', 'approve');
      await scene.says('alice', 'deny');
      await scene.says('bob', 'approve');
      await scene.says('carol', 'approve');
    },
  },
  {
    name: 'an approval is revoked',
    expected: 'expired',
    story: async (scene) => {
      await both(scene);
      await scene.says('alice', 'revoke');
    },
  },
  {
    name: 'a denial comes while the verdict settles',
    expected: 'denied',
    story: async (scene) => {
      await both(scene);
      scene.later(3, () => scene.says('carol', 'no'));
    },
  },
  {
    name: 'whoever denied thinks better of it',
    expected: 'approved',
    story: async (scene) => {
      await scene.says('alice', 'deny');
      await scene.says('alice', 'approve');
      await scene.says('bob', 'approve');
    },
  },
  {
    name: 'a stranger denies: nobody is stopped by that',
    expected: 'approved',
    story: async (scene) => {
      await both(scene);
      await scene.says('mallory', 'deny');
    },
  },
  {
    name: 'the second approval comes after the deadline',
    expected: 'expired',
    story: async (scene) => {
      await scene.says('alice', 'approve');
      scene.later(601, () => scene.says('bob', 'approve'));
    },
  },
  {
    name: 'votes stand in an issue of the same title that somebody opened before',
    expected: 'expired',
    before: async (github) => {
      await github.as('walter', `POST ${REQUESTS}`, { title: 'Approve production', labels: ['sluice-approval'] });
      await github.as('alice', `POST ${REQUESTS}/1/comments`, { body: 'approve' });
      await github.as('bob', `POST ${REQUESTS}/1/comments`, { body: 'approve' });
    },
  },
  {
    name: 'the table in the request is forged',
    expected: 'expired',
    story: async ({ sets, body }) => {
      await sets('walter', { body: (await body()).replaceAll('waiting', 'approved') });
    },
  },
  {
    name: 'the title and the labels are changed: the votes are still those of this request',
    expected: 'approved',
    story: async (scene) => {
      await scene.sets('walter', { title: 'Something else', labels: [] });
      await both(scene);
    },
  },
  {
    name: 'a stranger closes the request: it is opened again',
    expected: 'approved',
    because: /closed by walter, who cannot vote/,
    story: async (scene) => {
      await scene.sets('walter', { state: 'closed' });
      scene.later(20, () => both(scene));
    },
  },
  {
    name: 'the initiator closes and opens the request: nothing is decided by that',
    expected: 'expired',
    story: async ({ sets, says }) => {
      await says('alice', 'approve');
      await sets('dave', { state: 'closed' });
      await sets('dave', { state: 'open' });
    },
  },
  {
    name: 'an approver closes the request',
    expected: 'denied',
    story: async (scene) => {
      await both(scene);
      await scene.sets('alice', { state: 'closed' });
    },
  },
  {
    name: 'an approver closes the request and the initiator opens it again before anybody looks',
    expected: 'denied',
    story: async (scene) => {
      await both(scene);
      await scene.sets('alice', { state: 'closed' });
      await scene.sets('dave', { state: 'open' });
    },
  },
  {
    name: 'an approver closes the request by mistake and opens it again himself',
    expected: 'approved',
    story: async (scene) => {
      await both(scene);
      await scene.sets('alice', { state: 'closed' });
      await scene.sets('alice', { state: 'open' });
    },
  },
  {
    name: 'the request is deleted',
    expected: 'error',
    because: /410/,
    story: async (scene) => {
      await both(scene);
      scene.github.world.lostIssues.set(scene.issue, 'deleted');
    },
  },
  {
    name: 'the request is moved to another repository',
    expected: 'error',
    because: /301/,
    story: async (scene) => {
      await both(scene);
      scene.github.world.lostIssues.set(scene.issue, 'transferred');
    },
  },
  {
    name: 'issues are switched off',
    expected: 'error',
    because: /410/,
    story: async (scene) => {
      await both(scene);
      scene.github.world.issuesOn = false;
    },
  },
  {
    name: 'the request is locked: those who could comment have voted',
    expected: 'approved',
    story: async (scene) => {
      await both(scene);
      await scene.github.as('walter', `PUT ${REQUESTS}/${scene.issue}/lock`);
    },
  },
  {
    name: 'a denial hides behind a hundred comments',
    expected: 'denied',
    story: async (scene) => {
      await both(scene);
      for (let index = 0; index < 100; index++) await scene.says('mallory', `talk ${index}`);
      await scene.says('carol', 'deny');
    },
  },
  {
    name: 'an approval that lands on the second page counts',
    expected: 'approved',
    story: async (scene) => {
      await scene.says('alice', 'approve');
      for (let index = 0; index < 99; index++) await scene.says('mallory', `talk ${index}`);
      scene.later(30, () => scene.says('bob', 'approve'));
    },
  },
  {
    name: 'another attempt of the run has begun: this one is a ghost',
    expected: 'error',
    because: /attempt 2 of this run has begun/,
    story: async (scene) => {
      await both(scene);
      scene.github.setRun({ id: '4711', actor: 'dave', triggeringActor: 'dave', attempt: 2, commit: COMMIT });
    },
  },
];
