import { expect, test } from '@jest/globals';
import type { ReleaseRecord } from '../../../src/domain/kubernetes/release-record.ts';
import { wayBackOf } from '../../../src/engine/k8s-rollout/way-back.ts';
import { after, minutes } from '../../../src/domain/duration.ts';
import type { K8sTools } from '../../../src/engine/k8s-rollout/rollout.ts';
import { takeBack, whatIsBack } from '../../../src/engine/k8s-rollout/take-back.ts';
import { fakeClock } from '../../fakes/clock.ts';
import { recordingLog } from '../../fakes/log.ts';

const record = (revision: number, phase: ReleaseRecord['phase'], more: Partial<ReleaseRecord> = {}): ReleaseRecord => ({
  schema: 1,
  app: 'web',
  revision,
  release: `v${revision}`,
  run: `${revision}/1`,
  phase,
  startedAt: '',
  digest: `d${revision}`,
  objects: [],
  before: [],
  images: [],
  ...more,
});
const served = [record(1, 'superseded'), record(2, 'superseded'), record(3, 'deployed')];
const way = (records: readonly ReleaseRecord[], { to, run = '9/1' }: { to?: string; run?: string } = {}) => {
  const { kind, record: found } = wayBackOf(records, { ref: { app: 'web', namespace: 'shop' }, to, run });
  return [kind, found.revision];
};

test.each([
  ['the release before the one that serves', way(served), ['repeat', 2]],
  ['a named one', way(served, { to: 'v1' }), ['repeat', 1]],
  ['nowhere, where the named one serves', way(served, { to: '3' }), ['unchanged', 3]],
  ['the end of what a killed run began', way([...served, record(4, 'applying', { previous: 3 })]), ['take-back', 4]],
  [
    'on, where the killed run was a way back itself',
    way([...served, record(4, 'applying', { previous: 3, copyOf: 2, digest: 'd2' })]),
    ['repeat', 2],
  ],
  [
    'on, also when the release it led to is not recorded any more',
    way([record(3, 'deployed'), record(4, 'rolling-back', { previous: 3, copyOf: 2 })]),
    ['repeat', 4],
  ],
  [
    'nowhere, in another attempt of the run that went back',
    way([...served.slice(0, 2), record(4, 'deployed', { copyOf: 2, run: '9/1' })], { run: '9/2' }),
    ['unchanged', 4],
  ],
  ['the last good one, where a bad one was left as it is', way([...served, record(4, 'failed')]), ['repeat', 3]],
  [
    'a named one that served last, where a bad one stands',
    way([...served, record(4, 'failed')], { to: 'v3' }),
    ['repeat', 3],
  ],
  [
    'the last good one again, where a way back to it was taken back',
    way([...served, record(4, 'failed'), record(5, 'rolled-back', { copyOf: 3, previous: 3 })]),
    ['repeat', 3],
  ],
  ['nothing, where a first release failed and was left', way([record(1, 'failed')]), ['take-back', 1]],
  [
    'nothing, where a first release failed and was left, and another one was taken back since',
    way([record(1, 'failed'), record(2, 'rolled-back')]),
    ['take-back', 1],
  ],
  [
    'one further back, where the bad one was taken back since',
    way([...served, record(4, 'failed'), record(5, 'rolled-back')]),
    ['repeat', 2],
  ],
  [
    'where a way back that failed was to lead',
    way([...served, record(4, 'failed'), record(5, 'failed', { copyOf: 3 })]),
    ['repeat', 3],
  ],
  [
    'a release further back, in another run',
    way([...served.slice(0, 2), record(4, 'deployed', { copyOf: 2, digest: 'd2', run: '9/1' })], { run: '10/1' }),
    ['repeat', 1],
  ],
])('a way back leads to %s', (_name, found, expected) => {
  expect(found).toEqual(expected);
});

test('a way back that leads nowhere names what is recorded', () => {
  expect(() => way([record(1, 'deployed')])).toThrow(
    'There is nothing to roll web back to: no release before the one that serves is recorded that was another one and good. Recorded are 1 (v1, deployed).',
  );
});

const config = { apiVersion: 'v1', kind: 'ConfigMap', name: 'web', namespace: 'shop' };
const stood = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web', namespace: 'shop' } };
test.each([
  ['the release before', { previous: record(1, 'deployed') }, 'release v1 (revision 1) is back in shop'],
  ['what others had there', { before: [{ ref: config, object: stood }] }, 'what was there before is back in shop'],
  [
    'nothing, after a first release',
    { before: [{ ref: config }] },
    'web is gone from shop again, where nothing of it was before',
  ],
])(
  'a way back says that it led to %s',
  (_name, { previous, before = [] }: { previous?: ReleaseRecord; before?: ReleaseRecord['before'] }, said) => {
    const ref = { app: 'web', namespace: 'shop' };
    expect(whatIsBack({ record: record(2, 'rolled-back', { before }), previous, ref })).toBe(said);
  },
);

test('whoever takes back several first releases that were left tells each of them, the last one at the end', async () => {
  const left = record(1, 'failed', { before: [{ ref: config }] });
  const all = record(2, 'rolling-back', { before: [{ ref: config }] });
  const told: string[] = [];
  const store = {
    list: () => Promise.resolve([left, all]),
    write: ({ revision, phase }: ReleaseRecord) => Promise.resolve(void told.push(`${revision} ${phase}`)),
  };
  const clock = fakeClock({ mode: 'automatic' });
  const cluster = { resources: () => Promise.resolve([]) };
  const tools = { cluster, store, clock, log: recordingLog(), onWrite() {} } as unknown as K8sTools;
  const { signal } = new AbortController();
  const lease = { signal, guard: () => Promise.resolve(), release: () => Promise.resolve() };
  const within = after(clock.now(), minutes(1));
  const ref = { app: 'web', namespace: 'shop' };
  const back = await takeBack({ ref, record: all, previous: undefined, lease, within }, tools, signal);
  expect(back).toMatchObject({ kind: 'rolled-back', record: 'closed' });
  expect(told).toEqual(['2 rolling-back', '1 rolled-back', '2 rolled-back']);
});
