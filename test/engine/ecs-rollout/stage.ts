import { type Duration, type Instant, after, minutes } from '../../../src/domain/duration.ts';
import type { RolloutResult } from '../../../src/domain/ecs/result.ts';
import { deployImage } from '../../../src/engine/ecs-rollout/deploy-image.ts';
import type { DeployImageRequest, Following } from '../../../src/engine/ecs-rollout/rollout.ts';
import type { Ecs } from '../../../src/ports/ecs.ts';
import { type FakeEcs, type FakeServiceOptions, fakeEcs } from '../../fakes/ecs.ts';
import { type RecordingLog, recordingLog } from '../../fakes/log.ts';
import { type SteppingClock, steppingClock } from './stepping-clock.ts';

export const REF = { cluster: 'shop', service: 'web' };
const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
/** By digest, so that "the same image" can be known; the behaviour is in the repository's name. */
export const IMAGES = {
  first: `r.example.com/web@${digest('a')}`,
  good: `r.example.com/web@${digest('b')}`,
  crash: `r.example.com/web-crash@${digest('c')}`,
  stuck: `r.example.com/web-stuck@${digest('d')}`,
  other: `r.example.com/web@${digest('e')}`,
};
export const ROLLS_BACK = { enable: true, rollback: true };

export interface Stage {
  readonly clock: SteppingClock;
  readonly ecs: FakeEcs;
  readonly log: RecordingLog;
  readonly start: Instant;
  /** What the engine told `onFollowing`, in order. */
  readonly followings: (Following | undefined)[];
  request(given?: Partial<DeployImageRequest>): DeployImageRequest;
  deploy(given?: Partial<DeployImageRequest>, signal?: AbortSignal): Promise<RolloutResult>;
  elapsed(): Duration;
}

/** A service of three steady tasks, and an engine that deploys `IMAGES.good` to it unless told otherwise. */
export function stage(service: Partial<FakeServiceOptions> = {}): Stage {
  const clock = steppingClock();
  const ecs = fakeEcs(clock);
  const log = recordingLog();
  ecs.addService({ ref: REF, image: IMAGES.first, breaker: ROLLS_BACK, ...service });
  clock.advance(minutes(1));
  const start = clock.now();
  const followings: (Following | undefined)[] = [];
  const request = (given: Partial<DeployImageRequest> = {}): DeployImageRequest => ({
    ref: REF,
    images: { web: IMAGES.good },
    tags: {},
    writer: { release: 'r-1', run: '100/1' },
    deadline: after(clock.now(), minutes(20)),
    onFailure: 'rollback',
    onConflict: 'fail',
    onFollowing: (following) => void followings.push(following),
    ...given,
  });
  return {
    clock,
    ecs,
    log,
    start,
    followings,
    request,
    deploy: (given, signal = new AbortController().signal) => deployImage(request(given), { clock, ecs, log }, signal),
    elapsed: () => (clock.now() - start) as Duration,
  };
}

export const revision = (arn: string | undefined): string => (arn ?? '').slice((arn ?? '').lastIndexOf('/') + 1);

export class Killed extends Error {}

/** The process dies at its call `at` (from 1): before the call arrives, or after it did its work. No later call arrives. */
export function dyingEcs(
  ecs: Ecs,
  at: number,
  moment: 'before' | 'after',
): { readonly ecs: Ecs; readonly calls: () => number } {
  let calls = 0;
  const wrap =
    <A extends unknown[], R>(method: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      calls += 1;
      if (calls > at || (calls === at && moment === 'before')) throw new Killed();
      const answer = await method(...args);
      if (calls === at) throw new Killed();
      return answer;
    };
  const dying: Ecs = {
    describeServices: wrap(ecs.describeServices),
    describeTaskDefinition: wrap(ecs.describeTaskDefinition),
    registerTaskDefinition: wrap(ecs.registerTaskDefinition),
    listRevisions: wrap(ecs.listRevisions),
    deregisterTaskDefinition: wrap(ecs.deregisterTaskDefinition),
    revisionsInUse: wrap(ecs.revisionsInUse),
    placesOf: wrap(ecs.placesOf),
    updateService: wrap(ecs.updateService),
    describeServiceDeployments: wrap(ecs.describeServiceDeployments),
    listServiceDeployments: wrap(ecs.listServiceDeployments),
    stopServiceDeployment: wrap(ecs.stopServiceDeployment),
    stoppedTasks: wrap(ecs.stoppedTasks),
    tagService: wrap(ecs.tagService),
    untagService: wrap(ecs.untagService),
  };
  return { ecs: dying, calls: () => calls };
}
