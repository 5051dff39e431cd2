import { describe, expect, test } from '@jest/globals';
import { after, instant, seconds } from '../../../src/domain/duration.ts';
import { nextOfTidying, rememberedIn } from '../../../src/adapters/traffic/alb-stickiness.ts';

const noon = instant(Date.UTC(2026, 10, 20, 12));
const on = { duration: seconds(600), offSince: undefined };
const off = { duration: seconds(600), offSince: noon };

describe('the stickiness in a tag', () => {
  test.each([
    { text: '600', remembered: on },
    { text: '600 off 2026-11-20T12:00:00.000Z', remembered: off },
    { text: undefined, remembered: undefined },
    { text: '', remembered: undefined },
    { text: '600 off yesterday', remembered: undefined },
    { text: 'long', remembered: undefined },
  ])('is read from "$text"', ({ text, remembered }) => {
    expect(rememberedIn(text)).toEqual(remembered);
  });

  test.each([
    { name: 'nothing was remembered', remembered: undefined, stickiness: 'off', at: noon, next: { kind: 'nothing' } },
    { name: 'it was never dropped', remembered: on, stickiness: 'on', at: noon, next: { kind: 'forget', remembered: on } },
    { name: 'it is seen to be off for the first time', remembered: on, stickiness: 'off', at: noon, next: { kind: 'mark', remembered: off } },
    { name: 'cookies of before may still live', remembered: off, stickiness: 'off', at: after(noon, seconds(599)), next: { kind: 'later', what: 'stickiness of 10m', at: after(noon, seconds(600)) } },
    { name: 'they are over', remembered: off, stickiness: 'off', at: after(noon, seconds(600)), next: { kind: 'put-back', remembered: off } },
    { name: 'somebody else put it back', remembered: off, stickiness: 'on', at: noon, next: { kind: 'forget', remembered: off } },
  ] as const)('when $name', ({ remembered, stickiness, at, next }) => {
    expect(nextOfTidying(remembered, stickiness, at)).toEqual(next);
  }); // prettier-ignore
});
