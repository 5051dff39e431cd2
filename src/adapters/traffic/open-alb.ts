import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { ListenerRule } from '../../domain/shift/listener-rules.ts';
import type { ShiftRecord } from '../../domain/shift/record.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Color } from '../../domain/traffic-split.ts';
import type { Journal } from '../../ports/journal.ts';
import type { Meter } from '../../ports/meter.ts';
import type { Prober } from '../../ports/prober.ts';
import type { TargetGroups } from '../../ports/target-group.ts';
import type { TrafficRouter } from '../../ports/traffic-router.ts';
import type { ClientConfig } from '../aws/client-config.ts';
import { albJournal } from './alb-journal.ts';
import { albNotices } from './alb-owner.ts';
import { type AlbTarget, findAlbPlace } from './alb-place.ts';
import { listenerRules } from './alb-rules.ts';
import { albTargets } from './alb-targets.ts';
import { type AlbClients, albRouter } from './alb.ts';

export interface OpenTools {
  readonly clock: Pick<Clock, 'now'>;
  /** Asks the URL that tells the health, where there is one. */
  readonly prober: Prober;
  readonly signal: AbortSignal;
  /** A color that loses all traffic by name: nothing needs to be known of it, because its region may be what is lost. */
  readonly left?: Color | undefined;
}

/** One place where traffic is decided, with what tells of its colors and what remembers its shifts. */
export interface OpenRouter {
  readonly router: TrafficRouter;
  readonly targets: TargetGroups;
  readonly journal: Journal<ShiftRecord>;
  /** Under which names CloudWatch knows what a color serves. */
  readonly meterOf: (color: Color) => Meter;
  /** Of the listener that decides, as they are now; undefined where no rules do. */
  readonly rules: ((signal: AbortSignal) => Promise<readonly ListenerRule[]>) | undefined;
  /** What a person should know before anything is changed. */
  readonly notices: readonly string[];
}

/** Router, targets and journal of one place, found once. Writes nothing. */
export async function openAlb(
  config: ClientConfig,
  target: AlbTarget,
  { clock, signal }: OpenTools,
): Promise<OpenRouter> {
  const clients: AlbClients = {
    reads: new ElasticLoadBalancingV2Client(config),
    writes: new ElasticLoadBalancingV2Client({ ...config, maxAttempts: 1 }),
  };
  const place = await findAlbPlace(clients.reads, target, signal);
  return {
    router: albRouter(clients, place, clock),
    targets: albTargets(clients.reads, place),
    journal: albJournal(clients, place),
    meterOf: (color) => ({ kind: 'target-group', name: place.groups[color] }),
    rules: (signal) => listenerRules(clients.reads, place, signal),
    notices: [...place.notices, ...(await albNotices(clients.reads, place, signal))],
  };
}
