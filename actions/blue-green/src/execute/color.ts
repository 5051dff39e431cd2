import { Failure } from '../../../../src/domain/failure.ts';
import { liveTagged, taggedColor } from '../../../../src/domain/shift/live-color.ts';
import { COLORS } from '../../../../src/domain/traffic-split.ts';
import { type Fence, fencedEcs } from '../../../../src/engine/shift/fence.ts';
import type { Acting } from './acting.ts';

/**
 * A tag of the services that names the live color is kept true at the end of a shift, where it stands: one that still named
 * the color of before would decide for it when the weights cannot tell. It is beside the shift: what it lacks is a warning.
 */
export async function noteColor({ ports, release, memory }: Acting, fence: Fence, signal: AbortSignal): Promise<void> {
  const { ecs, goal } = release;
  const { record } = memory;
  if (ecs === undefined || record === undefined) return;
  const live = record.phase === 'done' ? record.candidate : record.stable;
  try {
    const refs = COLORS.map((color) => ({ cluster: ecs.cluster, service: ecs.services[color] }));
    const services = await ports.ecs.describeServices(refs, signal);
    const said = taggedColor(
      services.map(({ tags }) => tags),
      goal.colorTag,
    );
    if (said === undefined || said === live) return;
    for (const { arn, tags } of services) {
      const text = tags[goal.colorTag];
      if (text === undefined) continue;
      await fencedEcs(ports.ecs, fence).tagService(arn, { [goal.colorTag]: liveTagged(live, text) }, signal);
    }
    ports.log.info(`The tag ${goal.colorTag} says ${live} now`);
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof Failure)) throw thrown;
    ports.log.warning(thrown.message);
  }
}
