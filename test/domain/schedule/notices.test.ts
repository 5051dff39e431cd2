import { expect, test } from '@jest/globals';
import { instant } from '../../../src/domain/duration.ts';
import { dueNotice } from '../../../src/domain/schedule/notices.ts';

const opens = instant(Date.parse('2026-03-08T07:00:00Z'));
test.each<[string, string, string[], string | undefined]>([
  ['eight days before nothing is due', '2026-02-28T07:00:00Z', [], undefined],
  ['a week before', '2026-03-01T07:00:00Z', [], '1 week'],
  ['once only', '2026-03-01T08:00:00Z', ['1 week'], undefined],
  ['a day before', '2026-03-07T07:05:00Z', ['1 week'], '24 hours'],
  ['an hour before', '2026-03-08T06:00:00Z', ['1 week', '24 hours'], '1 hour'],
  ['a schedule that ran late sends the nearest one only', '2026-03-08T06:30:00Z', [], '1 hour'],
  ['and none after that', '2026-03-08T06:45:00Z', ['1 hour'], undefined],
  ['when it is open it is too late', '2026-03-08T07:00:00Z', [], undefined],
])('%s', (_name, now, sent, due) => {
  expect(dueNotice(opens, instant(Date.parse(now)), new Set(sent))?.name).toBe(due);
});
