import { after, minutes } from '../../../src/domain/duration.ts';
import type { RolloutResult } from '../../../src/domain/ecs/result.ts';
import { deployImage, readSituation } from '../../../src/engine/ecs-rollout/deploy-image.ts';
import { rollBack } from '../../../src/engine/ecs-rollout/roll-back.ts';
import type { Following, RolloutTools } from '../../../src/engine/ecs-rollout/rollout.ts';
import type { Ecs, EcsServiceRef } from '../../../src/ports/ecs.ts';
import { type Plan, planOf } from './decide.ts';
import type { Request } from './inputs.ts';

export interface Context extends RolloutTools {
  /** `<run id>/<attempt>`. */
  readonly run: string;
  readonly commit: string;
  /** Told before the first write. */
  readonly onWrite: () => void;
  /** Told what there is to undo. */
  readonly onFollowing: (following: Following | undefined) => void;
}

const refOf = ({ cluster, service }: Request): EcsServiceRef => ({ cluster, service });

/** Reads and plans; writes nothing. */
export async function plan(request: Request, { ecs }: Pick<Context, 'ecs'>, signal: AbortSignal): Promise<Plan> {
  return planOf(await readSituation({ ref: refOf(request) }, { ecs }, signal), request);
}

export async function deploy(request: Request, context: Context, signal: AbortSignal): Promise<RolloutResult> {
  const { clock, log, run, commit, onWrite, onFollowing } = context;
  return deployImage(
    {
      ref: refOf(request),
      images: request.container === undefined ? request.image : { [request.container]: request.image },
      ...(request.desired === undefined ? {} : { desired: request.desired }),
      tags: commit === '' ? {} : { 'sluice:commit': commit },
      writer: { release: request.release, run },
      deadline: after(clock.now(), request.timeout),
      onFailure: request.onFailure,
      onConflict: request.onConflict,
      onFollowing,
    },
    { ecs: tellingWrites(context.ecs, onWrite), clock, log },
    signal,
  );
}

/** GitHub ends the post steps of a cancelled job after 5 minutes. */
const POST_HAS = minutes(4);

/** What `post` does about a deployment that its main left behind. */
export async function undo(following: Following, tools: RolloutTools, signal: AbortSignal): Promise<RolloutResult> {
  const deadline = after(tools.clock.now(), POST_HAS);
  return rollBack({ following, deadline, reason: 'the run ended before the deployment did' }, tools, signal);
}

function tellingWrites(ecs: Ecs, onWrite: () => void): Ecs {
  const told =
    <A extends readonly unknown[], R>(write: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> => {
      onWrite();
      return write(...args);
    };
  return {
    ...ecs,
    registerTaskDefinition: told(ecs.registerTaskDefinition),
    updateService: told(ecs.updateService),
    stopServiceDeployment: told(ecs.stopServiceDeployment),
    tagService: told(ecs.tagService),
    untagService: told(ecs.untagService),
  };
}
