import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { ShiftRecord } from '../../domain/shift/record.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Journal } from '../../ports/journal.ts';
import type { TargetGroups } from '../../ports/target-group.ts';
import type { TrafficRouter } from '../../ports/traffic-router.ts';
import type { ClientConfig } from '../aws/client-config.ts';
import { albJournal } from './alb-journal.ts';
import { albNotices } from './alb-owner.ts';
import { type AlbTarget, findAlbPlace } from './alb-place.ts';
import { albTargets } from './alb-targets.ts';
import { type AlbClients, albRouter } from './alb.ts';

/** One place where traffic is decided, with what tells of its colors and what remembers its shifts. */
export interface OpenRouter {
  readonly router: TrafficRouter;
  readonly targets: TargetGroups;
  readonly journal: Journal<ShiftRecord>;
  /** What a person should know before anything is changed. */
  readonly notices: readonly string[];
}

/** Router, targets and journal of one place, found once. Writes nothing. */
export async function openAlb(
  config: ClientConfig,
  target: AlbTarget,
  { clock, signal }: { readonly clock: Pick<Clock, 'now'>; readonly signal: AbortSignal },
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
    notices: await albNotices(clients.reads, place, signal),
  };
}
