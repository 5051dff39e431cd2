import { describe, expect, test } from '@jest/globals';
import { after, seconds } from '../../../src/domain/duration.ts';
import type { ShiftRecord } from '../../../src/domain/shift/record.ts';
import { splitGiving } from '../../../src/domain/traffic-split.ts';
import { type FenceParts, Superseded, fencedEcs, fencedRouter, shiftFence } from '../../../src/engine/shift/fence.ts';
import { fakeClock } from '../../fakes/clock.ts';
import { fakeEcs } from '../../fakes/ecs.ts';
import { fakeJournal } from '../../fakes/journal.ts';
import { fakeRouter } from '../../fakes/traffic-router.ts';
import { recordOf } from '../../domain/shift/records.ts';

const signal = new AbortController().signal;
const ME = { id: '100', attempt: 1 };

function open(record: ShiftRecord | undefined) {
  const clock = fakeClock({ mode: 'automatic' });
  const journal = fakeJournal<ShiftRecord>(record);
  return { clock, journal, fence: shiftFence({ journal, clock, me: ME }) };
}

describe('the fence', () => {
  test('opens for the run that holds the shift', async () => {
    await expect(open(recordOf({ run: ME })).fence(signal)).resolves.toBeUndefined();
  });

  test.each([
    { name: 'another run', record: recordOf({ run: { id: '101', attempt: 1 } }), by: '101/1' },
    { name: 'a later attempt', record: recordOf({ run: { id: '100', attempt: 2 } }), by: '100/2' },
    { name: 'nobody', record: undefined, by: 'nobody: its record is gone' },
  ])('stays closed when the shift belongs to $name', async ({ record, by }) => {
    const refused = open(record).fence(signal);
    await expect(refused).rejects.toThrow(Superseded);
    await expect(refused).rejects.toMatchObject({ by });
  });

  test.each([
    { name: 'one of before', record: recordOf({ run: { id: '99', attempt: 1 }, phase: 'done' }) },
    { name: 'none', record: undefined },
  ])(
    'takes the shift for lost only when a second look a moment later says so: $name is read at first',
    async ({ record }) => {
      const { journal, fence } = open(recordOf({ run: ME }));
      const { read } = journal;
      let reads = 0;
      journal.read = async (inner) => ((reads += 1) === 1 ? record : read.call(journal, inner));
      await expect(fence(signal)).resolves.toBeUndefined();
    },
  );

  test('reads again when time passed during the read, as it does for a process that was frozen', async () => {
    const { clock, journal, fence } = open(recordOf({ run: ME }));
    const { read } = journal;
    let reads = 0;
    journal.read = async (inner) => {
      const found = await read.call(journal, inner);
      reads += 1;
      if (reads === 1) {
        await clock.advance(seconds(60));
        journal.set(recordOf({ run: { id: '101', attempt: 1 } }));
      }
      return found;
    };
    await expect(fence(signal)).rejects.toThrow('taken over by 101/1');
    // The one from before the freeze, the one that shows the loss, and the one that makes sure of it.
    expect(reads).toBe(3);
  });

  const withSlowReads = ({ leaseUntil }: Pick<ShiftRecord, 'leaseUntil'>, proof?: FenceParts['proof']) => {
    const { clock, journal } = open(recordOf({ run: ME, leaseUntil }));
    const { read } = journal;
    journal.read = async (inner) => {
      await clock.advance(seconds(3));
      return read.call(journal, inner);
    };
    return shiftFence({ journal, clock, me: ME, ...(proof === undefined ? {} : { proof }) });
  };
  const fresh = { leaseUntil: after(fakeClock().now(), seconds(90)) };
  const over = { leaseUntil: fakeClock().now() };

  test('gives up for now when every read is too slow to prove anything: that may pass', async () => {
    const refused = withSlowReads(fresh)(signal);
    await expect(refused).rejects.toThrow('could not be read fast enough');
    await expect(refused).rejects.toMatchObject({ kind: 'transient' });
  });

  test('lets traffic go back on a slow read, as long as the lease of the record lasts and no longer', async () => {
    await expect(withSlowReads(fresh, 'the-lease')(signal)).resolves.toBeUndefined();
    await expect(withSlowReads(over, 'the-lease')(signal)).rejects.toThrow('could not be read fast enough');
  });
});

describe('a port behind a closed fence', () => {
  const closed = () => Promise.reject(new Superseded(undefined));

  test('moves no traffic, and still shows it', async () => {
    const router = fakeRouter();
    const fenced = fencedRouter(router, closed);
    await expect(fenced.apply(splitGiving('green', 50), signal)).rejects.toThrow(Superseded);
    await expect(fenced.restore('green', signal)).rejects.toThrow(Superseded);
    expect(router.writes).toEqual([]);
    expect(await fenced.observe(signal)).toEqual(splitGiving('blue', 100));
    expect(await fenced.lingers(signal)).toBe(0);
    expect(await fenced.confirm(splitGiving('blue', 100), signal)).toBe('propagating');
  });

  test('changes no service, and still shows it', async () => {
    const ref = { cluster: 'shop', service: 'web' };
    const ecs = fakeEcs(fakeClock());
    ecs.addService({ ref, image: 'r.example.com/web:good-1', desired: 2 });
    const fenced = fencedEcs(ecs, closed);
    const [service] = await fenced.describeServices([ref], signal);
    const { arn } = service!;
    const writes = [
      () => fenced.deregisterTaskDefinition('arn', signal),
      () => fenced.updateService(ref, { desired: 0 }, signal),
      () => fenced.registerTaskDefinition({ family: 'web' }, {}, signal),
      () => fenced.stopServiceDeployment('arn', 'ROLLBACK', signal),
      () => fenced.tagService(arn, {}, signal),
      () => fenced.untagService(arn, [], signal),
    ];
    for (const write of writes) await expect(write()).rejects.toThrow(Superseded);
    expect(ecs.writes()).toEqual([]);
  });
});
