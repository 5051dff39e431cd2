import { after, instant, seconds } from '../../../src/domain/duration.ts';
import type { ShiftRecord } from '../../../src/domain/shift/record.ts';

export const NOW = instant(Date.UTC(2026, 10, 20, 12));

/** A record of a shift at 10 %, with what a test needs to be different. */
export const recordOf = (more: Partial<ShiftRecord> = {}): ShiftRecord => ({
  id: '100-1',
  run: { id: '100', attempt: 1 },
  images: 'a1b2c3',
  stable: 'blue',
  candidate: 'green',
  phase: 'judging',
  groups: 'blue=shop-blue green=shop-green',
  from: 0,
  percent: 10,
  begunAt: NOW,
  since: NOW,
  trafficAt: NOW,
  leaseUntil: after(NOW, seconds(90)),
  scaling: {},
  hooks: { ended: 0, next: 'waiting' },
  gate: undefined,
  approval: undefined,
  reason: '',
  detectedAt: undefined,
  restoredAt: undefined,
  ...more,
});
