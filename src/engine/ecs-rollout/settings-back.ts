import { revisionName } from '../../domain/ecs/arn.ts';
import type { EcsService, ServiceDeployment, ServiceSettings } from '../../domain/ecs/service.ts';
import { settingsFor } from '../../domain/ecs/service-settings.ts';
import { CloudFailure } from '../../domain/retry-policy.ts';
import type { Following, RolloutTools } from './rollout.ts';

/** A deployment that was begun by somebody else, and where it would be taken back to. */
export interface TakenOver {
  readonly service: EcsService;
  /** What is to be taken back. */
  readonly taskDefinition: string;
  readonly previous: string | undefined;
  /** Newest first. */
  readonly successful: readonly ServiceDeployment[];
  /** What is known already of the settings of before. */
  readonly known?: ServiceSettings;
}

/**
 * Settings that an update back to `previous` has to name, where the service is not as it was: its volumes as ECS recorded
 * them, else those that it has and the definition waits for. Reads the definition where there is a volume at all.
 */
export async function settingsBack(
  { service, taskDefinition, previous, successful, known }: TakenOver,
  { ecs, log }: Pick<RolloutTools, 'ecs' | 'log'>,
  signal: AbortSignal,
): Promise<Pick<Following, 'previousSettings'>> {
  const same = known === undefined || Object.keys(known).length === 0 ? {} : { previousSettings: known };
  if (previous === undefined || previous === taskDefinition) return same;
  const recorded = successful.find((each) => each.taskDefinition === previous)?.volumes ?? [];
  if (recorded.length === 0 && (service.settings?.volumes ?? []).length === 0) return same;
  try {
    const { body } = await ecs.describeTaskDefinition(previous, signal);
    const wish = recorded.length === 0 ? known : { ...known, volumes: recorded };
    const settings = settingsFor(service, body, { wish });
    return Object.keys(settings).length === 0 ? {} : { previousSettings: settings };
  } catch (thrown) {
    if (!(thrown instanceof CloudFailure)) throw thrown;
    log.warning(`${thrown.message} Which volumes ${revisionName(previous)} waits for is not known`);
    return same;
  }
}
