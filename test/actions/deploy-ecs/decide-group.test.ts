import { describe, expect, test } from '@jest/globals';
import {
  type GroupView,
  type MemberOutcome,
  type MemberState,
  type Node,
  decideGroup,
  levelsOf,
  outcomeOf,
  ringOf,
} from '../../../actions/deploy-ecs/src/decide/group.ts';

const CHAIN: readonly Node[] = [
  { name: 'worker', dependsOn: ['web'] },
  { name: 'web', dependsOn: ['api'] },
  { name: 'api', dependsOn: [] },
];
const FAN: readonly Node[] = [
  { name: 'api', dependsOn: [] },
  { name: 'web', dependsOn: ['api'] },
  { name: 'mail', dependsOn: ['api'] },
];

const STATES: Readonly<Record<string, MemberState>> = {
  waiting: { kind: 'waiting' },
  deploying: { kind: 'deploying' },
  'going-back': { kind: 'going-back' },
  stopping: { kind: 'stopping' },
  new: { kind: 'good', undo: 'possible' },
  kept: { kind: 'good', undo: 'none' },
  lost: { kind: 'lost', because: 'ECS cannot be read' },
  bad: { kind: 'bad', because: 'tasks failed to start' },
  back: { kind: 'back' },
};

/** `api new, web deploying`: the others wait. */
const view = (nodes: readonly Node[], text: string, more: Partial<GroupView> = {}): GroupView => ({
  nodes,
  states: new Map(
    text.split(', ').map((each) => {
      const [name = '', state = ''] = each.split(' ');
      return [name, STATES[state] ?? { kind: 'waiting' }];
    }),
  ),
  judgement: 'none-asked',
  onFailure: 'rollback',
  ...more,
});

/** `start api, stop web`, or `wait`, or `done good`. */
function shown(decided: ReturnType<typeof decideGroup>): string {
  switch (decided.kind) {
    case 'moves':
      return decided.moves.map((move) => ('name' in move ? `${move.kind} ${move.name}` : move.kind)).join(', ');
    case 'wait':
      return 'wait';
    case 'done':
      return `done ${decided.end}`;
  }
}

describe('the next moves of a group', () => {
  const forward: readonly (readonly [string, readonly Node[], string, string])[] = [
    ['begins with what depends on nothing', CHAIN, 'api waiting', 'start api'],
    ['waits while the first one is in flight', CHAIN, 'api deploying', 'wait'],
    ['goes on with the second when the first serves', CHAIN, 'api new', 'start web'],
    ['counts one that served before', CHAIN, 'api kept', 'start web'],
    ['begins independent ones at once', FAN, 'api new', 'start web, start mail'],
    ['does not wait for a sister', FAN, 'api new, web deploying', 'start mail'],
    ['is done when all serve', CHAIN, 'api new, web kept, worker new', 'done good'],
    [
      'goes on after a kill where it was: two serve, the third is in flight',
      CHAIN,
      'api new, web new, worker deploying',
      'wait',
    ],
  ];
  test.each(forward)('%s', (_name, nodes, states, expected) => {
    expect(shown(decideGroup(view(nodes, states)))).toBe(expected);
  });

  const backward: readonly (readonly [string, readonly Node[], string, string])[] = [
    ['takes back what serves when the next one failed', CHAIN, 'api new, web back', 'go-back api'],
    ['waits for the failed one to be back first', CHAIN, 'api new, web going-back', 'wait'],
    ['goes back in reverse order', CHAIN, 'api new, web new, worker bad', 'go-back web'],
    ['then with the one below', CHAIN, 'api new, web back, worker bad', 'go-back api'],
    ['also when the way back of the one above failed', CHAIN, 'api new, web bad, worker bad', 'go-back api'],
    ['stops a sister that is in flight', FAN, 'api new, web back, mail deploying', 'stop mail'],
    ['waits for the sister before it takes back what both need', FAN, 'api new, web back, mail stopping', 'wait'],
    ['takes back a sister that serves', FAN, 'api kept, web back, mail new', 'go-back mail'],
    ['takes back one that was lost sight of', CHAIN, 'api new, web lost', 'go-back web'],
    ['leaves what served before', CHAIN, 'api kept, web back', 'done bad'],
    ['begins nothing new', CHAIN, 'api bad', 'done bad'],
    ['is done when all is back', CHAIN, 'api back, web back', 'done bad'],
  ];
  test.each(backward)('%s', (_name, nodes, states, expected) => {
    expect(shown(decideGroup(view(nodes, states)))).toBe(expected);
  });

  const left: readonly (readonly [string, string, string])[] = [
    ['lets a sister come to its end', 'api new, web bad, mail deploying', 'wait'],
    ['touches nothing that serves', 'api new, web bad, mail new', 'done bad'],
    ['begins nothing', 'api bad', 'done bad'],
  ];
  test.each(left)('with on-failure: leave it %s', (_name, states, expected) => {
    expect(shown(decideGroup(view(FAN, states, { onFailure: 'leave' })))).toBe(expected);
  });

  const ALL = 'api new, web new, worker new';
  const judged: readonly (readonly [string, GroupView['judgement'], string, string])[] = [
    ['is judged once all serve', 'not-made', ALL, 'judge'],
    ['is not judged before', 'not-made', 'api new, web new, worker deploying', 'wait'],
    ['waits for the judgement', 'under-way', ALL, 'wait'],
    ['is done when it is judged good', 'good', ALL, 'done good'],
    ['goes back from the end when it is judged bad', { because: '2 of 3 checks failed' }, ALL, 'go-back worker'],
    ['goes on back', { because: '2 of 3 checks failed' }, 'api new, web new, worker back', 'go-back web'],
  ];
  test.each(judged)('%s', (_name, judgement, states, expected) => {
    expect(shown(decideGroup(view(CHAIN, states, { judgement })))).toBe(expected);
  });

  test('come to an end from every state of every service, and never touch what served before', () => {
    const names = Object.keys(STATES);
    const ends = { good: 0, bad: 0 };
    for (const api of names)
      for (const web of names)
        for (const worker of names) {
          const states = new Map([
            ['api', STATES[api]],
            ['web', STATES[web]],
            ['worker', STATES[worker]],
          ]) as Map<string, MemberState>;
          ends[play(states)] += 1;
        }
    expect(ends.good + ends.bad).toBe(names.length ** 3);
    expect(ends.good).toBeGreaterThan(0);
  });
});

const AFTER: Readonly<Record<string, MemberState>> = {
  start: { kind: 'good', undo: 'possible' },
  stop: { kind: 'lost', because: 'stopped' },
  'go-back': { kind: 'back' },
};

/** Makes every move until the end; what is under way ends well. */
function play(states: Map<string, MemberState>): 'good' | 'bad' {
  const kept = [...states].filter(([, { kind, ...more }]) => kind === 'good' && 'undo' in more && more.undo === 'none');
  for (let turns = 0; turns < 20; turns++) {
    const decided = decideGroup({ nodes: CHAIN, states, judgement: 'none-asked', onFailure: 'rollback' });
    if (decided.kind === 'done') {
      for (const [name, state] of kept) expect(states.get(name)).toBe(state);
      if (decided.end === 'bad') expect([...states.values()].filter((state) => state === STATES['new'])).toEqual([]);
      return decided.end;
    }
    if (decided.kind === 'moves')
      for (const move of decided.moves) if ('name' in move) states.set(move.name, AFTER[move.kind] as MemberState);
    if (decided.kind === 'wait')
      for (const [name, { kind }] of states) {
        if (kind === 'deploying') states.set(name, { kind: 'good', undo: 'possible' });
        if (kind === 'going-back' || kind === 'stopping') states.set(name, { kind: 'back' });
      }
  }
  throw new Error(`no end from ${JSON.stringify([...states])}`);
}

describe('the order of a group', () => {
  test('has levels, and what stands in one is independent', () => {
    expect(levelsOf(CHAIN).map((level) => level.map(({ name }) => name))).toEqual([['api'], ['web'], ['worker']]);
    expect(levelsOf(FAN).map((level) => level.map(({ name }) => name))).toEqual([['api'], ['web', 'mail']]);
  });

  test('has no ring, or it is named', () => {
    expect(ringOf(CHAIN)).toBeUndefined();
    expect(ringOf([{ name: 'a', dependsOn: ['a'] }])).toBe('a -> a');
    expect(ringOf([...CHAIN, { name: 'x', dependsOn: ['y'] }, { name: 'y', dependsOn: ['x'] }])).toBe('x -> y -> x');
  });
});

describe('one word for a group', () => {
  const cases: readonly (readonly [string, readonly MemberOutcome[], string])[] = [
    ['all good', ['succeeded', 'unchanged'], 'succeeded'],
    ['nothing to do', ['unchanged', 'unchanged'], 'unchanged'],
    ['all back', ['rolled-back', 'rolled-back', 'not-started'], 'rolled-back'],
    ['one could not go back', ['rolled-back', 'rollback-failed'], 'failed'],
    ['somebody else took one over', ['rolled-back', 'superseded'], 'superseded'],
    ['left as it is', ['succeeded', 'failed', 'not-started'], 'failed'],
  ];
  test.each(cases)('%s', (_name, outcomes, expected) => {
    expect(outcomeOf(outcomes, 'none-asked')).toBe(expected);
  });
});
