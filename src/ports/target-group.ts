import type { TargetHealth } from '../domain/shift/live-color.ts';
import type { TaskPlace } from '../domain/ecs/service.ts';
import type { Color } from '../domain/traffic-split.ts';

/** The targets of both colors as the load balancer sees them. One contract suite with TrafficRouter (test/contract). */
export interface TargetGroups {
  /** As messages name it: `target group shop-green`. */
  nameOf(color: Color): string;
  /** ARNs of the target groups that the color has; none where something else tells its health. */
  groupsOf(color: Color): readonly string[];
  /**
   * Counted at each call; a group without targets has 0 of 0, and that is not an error. With `own` only those targets are
   * counted that one of these places is, where the source tells targets apart; healthy ones of others stand in the reasons.
   */
  health(color: Color, signal: AbortSignal, own?: readonly TaskPlace[]): Promise<TargetHealth>;
}
