import type { EcsService } from '../../../../src/domain/ecs/service.ts';
import { Failure } from '../../../../src/domain/failure.ts';
import { type Color, COLORS, otherColor } from '../../../../src/domain/traffic-split.ts';

/** `targetgroup/shop-green/73e2d6bc24d8a067` -> `shop-green` */
const nameOf = (arn: string): string => arn.split(':targetgroup/')[1]?.split('/')[0] ?? arn;

/**
 * PURE. A service that registers its tasks with the other color: whoever took the names for what they say would deploy to
 * the tasks that users are on, and scale them down as the candidate. Services that register elsewhere are no proof of it.
 */
export function pairingFault(
  services: Readonly<Record<Color, Pick<EcsService, 'ref' | 'loadBalancers'> | undefined>>,
  groupsOf: (color: Color) => readonly string[],
): Failure | undefined {
  const crossed = COLORS.flatMap((color) => {
    const service = services[color];
    const registers = (service?.loadBalancers ?? []).flatMap(({ targetGroupArn }) => targetGroupArn ?? []);
    if (service === undefined || registers.some((arn) => groupsOf(color).includes(arn))) return [];
    const wrong = registers.find((arn) => groupsOf(otherColor(color)).includes(arn));
    if (wrong === undefined) return [];
    return [
      `${service.ref.service} is the service of ${color}, and registers its tasks in ${nameOf(wrong)}, the target group of ${otherColor(color)}`,
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
