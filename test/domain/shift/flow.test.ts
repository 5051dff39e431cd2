import { expect, test } from '@jest/globals';
import { flowWords } from '../../../src/domain/shift/flow.ts';

const at = { color: 'green', percent: 10 } as const;

test.each([
  {
    name: 'both colors are asked',
    flow: { candidate: 5, stable: 45 },
    level: 'info',
    says: 'Requests at weight 10: green 5/s (10 %), blue 45/s',
  },
  {
    name: 'nobody asks the candidate',
    flow: { candidate: undefined, stable: 45 },
    level: 'warning',
    says: 'Requests at weight 10: green none (0 %), blue 45/s: green gets no request although it has weight',
  },
  {
    name: 'the candidate has all of them',
    flow: { candidate: 50, stable: undefined },
    level: 'info',
    says: 'Requests at weight 10: green 50/s (100 %), blue none',
  },
  {
    name: 'nobody asks anybody',
    flow: { candidate: 0, stable: 0 },
    level: 'info',
    says: 'Requests at weight 10: green 0/s, blue 0/s',
  },
])('the words when $name', ({ flow, level, says }) => {
  expect(flowWords(flow, at)).toEqual({ level, says });
});

test('nothing is said where nothing is known', () => {
  expect(flowWords({ candidate: undefined, stable: undefined }, at)).toBeUndefined();
});
