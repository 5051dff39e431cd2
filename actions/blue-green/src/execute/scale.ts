import type { EcsService, EcsServiceRef } from '../../../../src/domain/ecs/service.ts';
import { Failure } from '../../../../src/domain/failure.ts';
import { type Color, COLORS, otherColor } from '../../../../src/domain/traffic-split.ts';
import type { Standing } from '../../../../src/ports/target-group.ts';
import { fencedEcs } from '../../../../src/engine/shift/fence.ts';
import type { Move } from '../decide/moves.ts';
import { liveTasksFault, pairingFault, registersIn, strangerFault } from '../decide/pairing.ts';
import type { Acting, Release } from './acting.ts';
import type { Fenced } from './beat.ts';

type Scaling = Extract<Move, { kind: 'scale' }>;

/** Of a color without traffic, once it is known that none of its tasks serve under the other one. */
export async function scale(
  move: Scaling & { readonly ref: EcsServiceRef },
  acting: Fenced,
  signal: AbortSignal,
): Promise<void> {
  const { ports, memory, fence } = acting;
  await noneServe(move, acting, signal);
  ports.log.info(`Scaling ${move.ref.service} to ${move.desired}`);
  await fencedEcs(ports.ecs, fence).updateService(move.ref, { desired: move.desired }, signal);
  memory.desired = undefined;
}

/** What cannot be read is an error, not a guess: the color keeps its size. */
async function noneServe(
  { ref, color }: Scaling & { readonly ref: EcsServiceRef },
  { ports }: Fenced,
  signal: AbortSignal,
): Promise<void> {
  const live = otherColor(color);
  const [service] = await ports.ecs.describeServices([ref], signal);
  const most = service === undefined ? undefined : (await tasksIn(live, service, ports, signal)).most;
  const fault = most && liveTasksFault({ service: ref.service, live, ...most });
  if (fault !== undefined) throw fault;
}

/** Running tasks of a service, and the target group of a color in which most of them stand; undefined: nothing could tell. */
async function tasksIn(
  color: Color,
  { ref, deployments }: EcsService,
  { ecs, targets }: Pick<Fenced['ports'], 'ecs' | 'targets'>,
  signal: AbortSignal,
): Promise<{ readonly running: number; readonly most: Standing | undefined }> {
  const places = [];
  for (const { id, running } of deployments) if (running > 0) places.push(...(await ecs.placesOf(ref, id, signal)));
  const standing = places.length === 0 ? [] : await targets.standing(color, places, signal);
  return { running: places.length, most: standing.toSorted((a, b) => b.tasks - a.tasks)[0] };
}

type Pair = Readonly<Record<Color, EcsService | undefined>>;

/** Of both colors, in one read. */
export async function servicesOf(
  { cluster, services }: NonNullable<Release['ecs']>,
  { ecs }: Pick<Fenced['ports'], 'ecs'>,
  signal: AbortSignal,
): Promise<Pair> {
  const refs = COLORS.map((color) => ({ cluster, service: services[color] }));
  const found = await ecs.describeServices(refs, signal);
  const of = (color: Color) => found.find(({ ref }) => ref.service === services[color]);
  return { blue: of('blue'), green: of('green') };
}

/** Whether each service serves its color, and no other. */
export const faultOfPair = async (
  pair: Pair,
  ports: Pick<Fenced['ports'], 'ecs' | 'targets'>,
  signal: AbortSignal,
): Promise<Failure | undefined> =>
  pairingFault(pair, ports.targets.groupsOf) ?? (await findStrangers(pair, ports, signal));

/** Before a service is changed, where nobody asked before the first write: traffic goes back whatever the services are. */
export async function judgePair({ ports, memory, release }: Acting, signal: AbortSignal): Promise<void> {
  if (memory.pair === 'judged' || release.ecs === undefined) return;
  const fault = await faultOfPair(await servicesOf(release.ecs, ports, signal), ports, signal);
  if (fault !== undefined) throw new Failure({ ...fault.facts, now: 'No service was changed' });
  memory.pair = 'judged';
}

/** Most say by what they register in whether they serve their color at all. */
async function findStrangers(
  services: Pair,
  ports: Pick<Fenced['ports'], 'ecs' | 'targets'>,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  for (const color of COLORS) {
    const service = services[color];
    if (service === undefined || registersIn(service, ports.targets.groupsOf(color))) continue;
    const { running, most } = await tasksIn(color, service, ports, signal);
    const fault = most && strangerFault({ service, color, group: most.group, running, standing: most.tasks });
    if (fault !== undefined) return fault;
  }
  return undefined;
}
