import type { EcsServiceRef } from '../../../../src/domain/ecs/service.ts';
import { otherColor } from '../../../../src/domain/traffic-split.ts';
import { fencedEcs } from '../../../../src/engine/shift/fence.ts';
import type { Move } from '../decide/moves.ts';
import { liveTasksFault } from '../decide/pairing.ts';
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
  const [group] = ports.targets.groupsOf(live);
  // A URL or a health check tells no targets apart.
  if (group === undefined) return;
  const [service] = await ports.ecs.describeServices([ref], signal);
  const places = [];
  for (const { id, running } of service?.deployments ?? [])
    if (running > 0) places.push(...(await ports.ecs.placesOf(ref, id, signal)));
  const { total } = places.length === 0 ? { total: 0 } : await ports.targets.health(live, signal, places);
  const fault = liveTasksFault({ service: ref.service, live, group, tasks: total });
  if (fault !== undefined) throw fault;
}
