import type { EcsService } from '../../../../src/domain/ecs/service.ts';
import { Failure } from '../../../../src/domain/failure.ts';
import { shortName } from '../../../../src/domain/shift/groups.ts';
import { type Color, COLORS, otherColor } from '../../../../src/domain/traffic-split.ts';

/**
 * PURE. A service that registers its tasks with the other color: whoever took the names for what they say would deploy to
 * the tasks that users are on, and scale them down as the candidate. Services that register elsewhere are no proof of it: see strangerFault.
 */
export function pairingFault(
  services: Readonly<Record<Color, Pick<EcsService, 'ref' | 'loadBalancers'> | undefined>>,
  groupsOf: (color: Color) => readonly string[],
): Failure | undefined {
  const crossed = COLORS.flatMap((color) => {
    const service = services[color];
    if (service === undefined || registersIn(service, groupsOf(color))) return [];
    const wrong = groupsIn(service).find((arn) => groupsOf(otherColor(color)).includes(arn));
    if (wrong === undefined) return [];
    return [
      `${service.ref.service} is the service of ${color}, and registers its tasks in ${shortName(wrong)}, the target group of ${otherColor(color)}`,
    ];
  });
  if (crossed.length === 0) return undefined;
  return new Failure({
    what: 'The colors of services and router are crossed',
    why: crossed.join('; '),
    now: 'Nothing was touched',
    next: 'Give each color its own service and its own target group: exchange the names in services or in router.colors',
  });
}

type Registering = Pick<EcsService, 'ref' | 'loadBalancers'>;

const groupsIn = ({ loadBalancers = [] }: Registering): readonly string[] =>
  loadBalancers.flatMap(({ targetGroupArn }) => targetGroupArn ?? []);

export const registersIn = (service: Registering, groups: readonly string[]): boolean =>
  groupsIn(service).some((arn) => groups.includes(arn));

interface Stranger {
  readonly service: Registering;
  readonly color: Color;
  readonly group: string;
  /** Of its running tasks; `standing` of them are targets of the group. */
  readonly running: number;
  readonly standing: number;
}

/**
 * PURE. A service that does not register in the target group of its color, and whose tasks nobody else put there, is the
 * service of something else: it would get the image of this release, or be scaled down after it.
 */
export function strangerFault({ service, color, group, running, standing }: Stranger): Failure | undefined {
  if (running === 0 || standing > 0) return undefined;
  const registers = groupsIn(service);
  const where =
    registers.length === 0
      ? 'registers its tasks nowhere'
      : `registers its tasks in ${registers.map(shortName).join(', ')}`;
  return new Failure({
    what: `${service.ref.service} cannot be the service of ${color}`,
    why: `it ${where}, and none of its ${running} running tasks stands in ${shortName(group)}, the target group of ${color}`,
    now: 'Nothing was touched',
    next: `Name the service in services whose tasks serve ${color}, or the target group of this one in router.colors`,
  });
}

interface LiveTasks {
  readonly service: string;
  /** The color that has the traffic. */
  readonly live: Color;
  readonly group: string;
  /** Of the service, among the targets of that group. */
  readonly tasks: number;
}

/**
 * PURE. Whatever names and weights say, a service whose tasks stand in the target group that users are sent to is never
 * scaled down: a mistake elsewhere would end with nobody who serves.
 */
export function liveTasksFault({ service, live, group, tasks }: LiveTasks): Failure | undefined {
  if (tasks === 0) return undefined;
  return new Failure({
    what: `Could not scale ${service} down`,
    why: `${tasks} of its tasks ${tasks === 1 ? 'stands' : 'stand'} in ${shortName(group)}, the target group of ${live}, which has the traffic`,
    now: `It keeps its tasks, and users are on ${live}`,
    next: 'Give each color its own target group, see that users are served, and scale the service by hand',
  });
}
