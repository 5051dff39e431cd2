import { expect, test } from '@jest/globals';
import { groupsFault } from '../../../src/domain/shift/groups.ts';
import { recordOf } from './records.ts';

test('a shift of other target groups says what only its tags remember, before it says to remove them', () => {
  const blue = { scaleIn: false, scaleOut: false, scheduled: false };
  const fault = groupsFault(recordOf({ scaling: { blue } }), 'blue=web-blue green=web-green');
  expect(fault?.facts.next).toMatch(
    /first give back the autoscaling that sluice:autoscaling holds \(blue=nothing: .*\), then remove the tags that begin with sluice: from what is shifted$/,
  );
});
