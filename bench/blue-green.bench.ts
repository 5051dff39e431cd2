import { type Cloud, startCloud } from '../sandbox/cloud.ts';
import { type Release, type Released, RPS, release } from './blue-green/release.ts';
import type { Bench, Figure } from './figures.ts';

const RELEASES = {
  '30 % errors': { fault: 'error-rate', faultAfter: 20, bake: '1m', websockets: 0 },
  slow: { fault: 'slow', faultAfter: 20, bake: '1m', websockets: 0 },
  // 10 % and 50 % of the users for 15 s each are some 170 requests for each of three tasks.
  'crash after the switch': { fault: 'crash', faultAfter: 340, bake: '15s', websockets: 0 },
  good: { fault: undefined, faultAfter: 0, bake: '15s', websockets: 20 },
} as const satisfies Record<string, Release>;
type Name = keyof typeof RELEASES;

/** As 95 of 100 releases in `bench analysis`; three in a hundred requests fail until then. */
const WITHIN_A_MINUTE = { seconds: 60, failed: 0.03 * RPS * 60 };
/** Milliseconds: a machine that stood still so long fails users by itself. */
const STOOD_STILL = 1_000;

/** Two at once: each has six tasks and the load balancer beside the step, on as few as two cores. */
const TURNS: readonly (readonly Name[])[] = [
  ['30 % errors', 'slow'],
  ['crash after the switch', 'good'],
];

const bench: Bench = {
  title: `blue-green: what ${RPS} users' requests a second meet of bad releases and of a good one (sandbox, HTTP, real time)`,
  async run() {
    const cloud = await startCloud({ clock: 'real' });
    try {
      const ended = new Map<Name, Released>();
      for (const turn of TURNS)
        await Promise.all(turn.map(async (name) => ended.set(name, await releasedAs(name, cloud))));
      return [
        ...figuresOfBad('30 % errors', of(ended, '30 % errors'), WITHIN_A_MINUTE),
        ...figuresOfBad('slow', of(ended, 'slow'), { seconds: 60, failed: 0 }),
        ...figuresOfBad('crash after the switch', of(ended, 'crash after the switch'), { seconds: 15, failed: 10 * RPS }),
        ...figuresOfGood(of(ended, 'good')),
      ];
    } finally {
      await cloud.stop();
    }
  },
}; // prettier-ignore
export default bench;

const of = (ended: ReadonlyMap<Name, Released>, name: Name): Released => ended.get(name) as Released;

/** Once more where the machine, and not the release, was what hurt users. */
async function releasedAs(name: Name, cloud: Cloud): Promise<Released> {
  const released = await rightlyReleased(name, cloud);
  if (released.late < STOOD_STILL) return released;
  console.log(`${name}: this machine stood still for ${(released.late / 1_000).toFixed(1)} s; measured once more`);
  return rightlyReleased(name, cloud);
}

/** A figure of a release that did not go as it had to would measure something else. */
async function rightlyReleased(name: Name, cloud: Cloud): Promise<Released> {
  const wanted = RELEASES[name];
  const released = await release(cloud, wanted);
  const { result, said, hurtAt } = released;
  const { outcome } = result.outputs;
  const log = `\n${result.stdout}${result.stderr}`;
  const right = wanted.fault === undefined ? 'promoted' : 'rolled-back';
  if (outcome !== right) throw new Error(`${name}: ended with ${outcome} instead of ${right}${log}`);
  if (wanted.fault === 'crash' && !(hurtAt !== undefined && said.switched !== undefined && hurtAt + 1_000 > said.switched))
    throw new Error(`${name}: it crashed before the switch${log}`);
  return released;
} // prettier-ignore

function figuresOfBad(
  name: Name,
  { result, users, said, hurtAt, slow }: Released,
  goals: { readonly seconds: number; readonly failed: number },
): readonly Figure[] {
  const restored = ((said.restored ?? Number.NaN) - (hurtAt ?? Number.NaN)) / 1_000;
  const { fault } = RELEASES[name];
  const slowOnes: Figure = { name: `${name}: answers beyond 1 s`, value: slow, unit: 'requests', goal: 6 * goals.seconds };
  return [
    { name: `${name}: first hurt user to restored traffic`, value: restored, unit: 's', goal: goals.seconds },
    { name: `${name}: failed requests of ${users.sent}`, value: users.failed, unit: 'requests', goal: goals.failed },
    ...(fault === 'slow' ? [slowOnes] : []),
    { name: `${name}: verdict to verified rollback`, value: Number(result.outputs['rollback-seconds']), unit: 's', goal: 10 },
  ];
} // prettier-ignore

function figuresOfGood({ users }: Released): readonly Figure[] {
  const { websockets } = RELEASES.good;
  const { 'closed 1001': farewells = 0 } = users.websocketDropsByReason;
  const rough = users.websocketDrops - farewells;
  return [
    { name: `good: failed requests of ${users.sent}`, value: users.failed, unit: 'requests', goal: 0 },
    { name: `good: of ${websockets} WebSockets, not told to go elsewhere`, value: websockets - farewells, unit: 'sockets', goal: 0 },
    { name: 'good: WebSockets that broke, or could not be opened again', value: rough, unit: 'sockets', goal: 0 },
  ];
} // prettier-ignore
