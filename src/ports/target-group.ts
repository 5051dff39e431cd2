import type { TargetHealth } from '../domain/shift/live-color.ts';
import type { TaskPlace } from '../domain/ecs/service.ts';
import type { Color } from '../domain/traffic-split.ts';

/** Tasks among the targets of one target group. */
export interface Standing {
  readonly group: string;
  readonly tasks: number;
}

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
  /**
   * How many of these places are targets of each target group of the color whose targets can be tasks, healthy or not. None:
   * nothing tells one task from another there (a URL, a health check, load balancers behind a load balancer).
   */
  standing(color: Color, places: readonly TaskPlace[], signal: AbortSignal): Promise<readonly Standing[]>;
}
