import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { instant } from '../../../src/domain/duration.ts';
import { type ShiftRecord, PHASES } from '../../../src/domain/shift/record.ts';
import { recordOf as read, sameRecord, taggable, tagsOf } from '../../../src/domain/shift/record-tags.ts';
import { recordOf } from './records.ts';

const moment = fc.integer({ min: 0, max: 4e12 }).map((at) => instant(at));
const suspended = fc.record({ scaleIn: fc.boolean(), scaleOut: fc.boolean(), scheduled: fc.boolean() });
const records: fc.Arbitrary<ShiftRecord> = fc.record({
  id: fc.stringMatching(/^\d{1,12}-\d{1,3}$/),
  run: fc.record({ id: fc.stringMatching(/^\d{1,12}$/), attempt: fc.integer({ min: 1, max: 99 }) }),
  images: fc.stringMatching(/^[0-9a-f]{16}$/),
  stable: fc.constant('blue' as const),
  candidate: fc.constant('green' as const),
  phase: fc.constantFrom(...PHASES),
  groups: fc.option(fc.stringMatching(/^blue=[a-z-]{1,120} green=[a-z-]{1,120}$/), { nil: undefined }),
  from: fc.integer({ min: 0, max: 100 }),
  percent: fc.integer({ min: 0, max: 100 }),
  begunAt: moment,
  since: moment,
  trafficAt: fc.option(moment, { nil: undefined }),
  leaseUntil: moment,
  scaling: fc.record({ blue: suspended, green: suspended }, { requiredKeys: [] }),
  hooks: fc.record({
    ended: fc.integer({ min: 0, max: 99 }),
    next: fc.constantFrom('waiting' as const, 'begun' as const),
  }),
  gate: fc.option(
    fc.record({
      before: fc.integer({ min: 1, max: 100 }),
      until: moment,
      issue: fc.option(fc.integer({ min: 1, max: 1e9 }), { nil: undefined }),
      asked: fc.array(fc.stringMatching(/^[a-z\d]{1,38}$/), { maxLength: 4 }),
    }),
    { nil: undefined },
  ),
  approval: fc.constantFrom('refused' as const, undefined),
  reason: fc.string({ maxLength: 600 }),
  detectedAt: fc.option(moment, { nil: undefined }),
  restoredAt: fc.option(moment, { nil: undefined }),
});

describe('a record in tags', () => {
  test('reads back as it was written, but for the words that tags cannot hold', () => {
    fc.assert(
      fc.property(records, (record) => {
        expect(read(tagsOf(record), 'rule')).toEqual({ ...record, reason: taggable(record.reason) });
      }),
    );
  });

  test('fits what ELBv2 accepts: 50 tags, keys of 128 and values of 256 characters, of the allowed kinds', () => {
    fc.assert(
      fc.property(records, (record) => {
        const tags = Object.entries(tagsOf(record));
        expect(tags.length).toBeLessThan(25);
        for (const [key, value] of tags) {
          expect(key).toMatch(/^sluice:[a-z-]{1,121}$/);
          expect(value).toMatch(/^[\p{L}\p{N} +\-=._:/@]{0,256}$/u);
        }
      }),
    );
  });

  test('always writes every key, so that nothing of an earlier record stays', () => {
    const keys = (record: ShiftRecord): readonly string[] => Object.keys(tagsOf(record));
    expect(keys(recordOf({ trafficAt: undefined }))).toEqual(keys(recordOf({ reason: 'x', restoredAt: instant(1) })));
  });

  test('names of those who are asked for approval as far as they fit', () => {
    const asked = Array.from({ length: 30 }, (_, index) => `approver-${index}`);
    const gate = { before: 50, until: instant(0), issue: 12, asked };
    const tags = tagsOf(recordOf({ gate }));
    expect(tags['sluice:gate']?.length).toBeLessThanOrEqual(256);
    expect(read(tags, 'rule')?.gate?.asked.slice(0, 3)).toEqual(['approver-0', 'approver-1', 'approver-2']);
    expect(read(tags, 'rule')?.gate).toMatchObject({ before: 50, issue: 12 });
  });

  test('keeps the sense of a reason', () => {
    expect(taggable('error-rate 31.2 % > 5 % (n=412)')).toBe('error-rate 31.2 percent over 5 percent n=412');
  });

  test('is absent when nothing was ever recorded, whatever other tags there are', () => {
    expect(read({ Name: 'web', 'sluice:other': 'x' }, 'rule')).toBeUndefined();
  });

  test.each([
    { name: 'a newer schema', change: { 'sluice:schema': '2' }, says: 'the tag sluice:schema is "2"' },
    { name: 'an unknown phase', change: { 'sluice:phase': 'dancing' }, says: 'the tag sluice:phase is "dancing"' },
    { name: 'no run', change: { 'sluice:run': '' }, says: 'the tag sluice:run is ""' },
    { name: 'a run without an attempt', change: { 'sluice:run': '100' }, says: 'the tag sluice:run is "100"' },
    { name: 'a time that is none', change: { 'sluice:since': 'soon' }, says: 'the tag sluice:since is "soon"' },
    { name: 'a percentage above 100', change: { 'sluice:step': '101' }, says: 'the tag sluice:step is "101"' },
    { name: 'half an approval', change: { 'sluice:gate': '50 soon 12' }, says: 'the tag sluice:gate is "50 soon 12"' },
    { name: 'one color twice', change: { 'sluice:candidate': 'blue' }, says: 'the tag sluice:candidate is "blue"' },
  ])('with $name is an error that says which tag, never an absence', ({ change, says }) => {
    expect(() => read({ ...tagsOf(recordOf()), ...change }, 'ALB rule web-443/10')).toThrow(says);
  });

  test('says what only its tags remember, before it says to remove them', () => {
    const held = { blue: { scaleIn: false, scaleOut: false, scheduled: true } };
    const broken = { ...tagsOf(recordOf({ scaling: held })), 'sluice:schema': '2' };
    expect(() => read(broken, 'rule')).toThrow(
      /When no shift is under way, first give back the autoscaling that sluice:autoscaling holds \(blue=scheduled: .*\), then remove the tags that begin with sluice:/,
    );
    const none = { ...tagsOf(recordOf()), 'sluice:schema': '2' };
    expect(() => read(none, 'rule')).toThrow(
      /When no shift is under way, remove the tags that begin with sluice:, then/,
    );
  });

  test('tells two records apart by anything but lost characters', () => {
    expect(sameRecord(recordOf(), recordOf())).toBe(true);
    expect(sameRecord(recordOf(), recordOf({ percent: 50 }))).toBe(false);
    expect(sameRecord(recordOf(), undefined)).toBe(false);
    expect(sameRecord(undefined, undefined)).toBe(true);
  });
});
