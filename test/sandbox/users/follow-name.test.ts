import { expect, test } from '@jest/globals';
import { seededChance } from '../../../sandbox/plane/chance.ts';
import { followName } from '../../../sandbox/users/follow-name.ts';

const chance = seededChance('follow');

test('an answer is kept for as long as it may live, and not longer', () => {
  let [time, asked] = [0, 0];
  const resolve = () => ({ url: `http://127.0.0.1:${++asked}`, life: 1_000 });
  const leads = followName({ resolve, resolvers: 1 }, chance, () => time);
  expect([leads(), leads()]).toEqual(['http://127.0.0.1:1', 'http://127.0.0.1:1']);
  time = 999;
  expect(leads()).toBe('http://127.0.0.1:1');
  time = 1_000;
  expect(leads()).toBe('http://127.0.0.1:2');
});

test('every resolver asks for itself', () => {
  let asked = 0;
  const resolve = () => ({ url: `http://127.0.0.1:${++asked}`, life: 1_000 });
  const leads = followName({ resolve, resolvers: 10 }, chance, () => 0);
  for (let request = 0; request < 500; request++) leads();
  expect(asked).toBe(10);
});

test('a name that is gone leads nowhere, and is asked about again', () => {
  let there = false;
  const resolve = () => (there ? { url: 'http://127.0.0.1:1', life: 1_000 } : undefined);
  const leads = followName({ resolve, resolvers: 1 }, chance, () => 0);
  expect(leads()).toBeUndefined();
  there = true;
  expect(leads()).toBe('http://127.0.0.1:1');
});
