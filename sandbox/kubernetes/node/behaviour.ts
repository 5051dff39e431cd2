import type { Container, Moment, Pod } from './types.ts';

/** Ends of an image's tag, as in sandbox/application: each has a behaviour of its own, every other tag is healthy. */
export const FAULTS = [
  'crash-at-start',
  'out-of-memory',
  'missing-image',
  'pull-denied',
  'never-healthy',
  'slow-start',
  'unschedulable',
  'crash',
] as const;

export type PodFault = (typeof FAULTS)[number];

/** The tag of `registry:5000/name:tag@sha256:...`; empty when there is none. */
export function tagOf(image: string): string {
  const [name = ''] = image.split('@');
  const last = name.slice(name.lastIndexOf('/') + 1);
  return last.includes(':') ? last.slice(last.indexOf(':') + 1) : '';
}

export function faultOf(image: string): PodFault | undefined {
  const tag = tagOf(image);
  return FAULTS.find((name) => tag === name || tag.endsWith(`-${name}`));
}

/** A pod that no node takes: one of its images says so. */
export const isUnschedulable = ({ spec }: Pod): boolean =>
  spec.containers.some(({ image }) => faultOf(image) === 'unschedulable');

/** Short enough for a test, long enough to be seen. */
const PULL_MS = 30;
const START_MS = 30;
const READY_MS = 40;
const JOB_MS = 60;
const SLOW_MS = 3_000;
const CRASH_AFTER_MS = 1_500;
/** A kubelet waits 10 s, 20 s, 40 s ... between restarts. */
const RESTART_MS = [200, 300, 500, 1_000, 2_000, 4_000];
const RETRY_PULL_MS = [100, 1_000, 4_000, 8_000];
const PROBE_MS = [60, 1_000, 4_000, 8_000];

/**
 * What happens to a container, moment after moment; the last one stays. `delay` (BEHAVIOUR_DELAY_MS of its environment)
 * changes the one number that its behaviour has.
 */
export function lifeOf(container: Container, pod: Pod): readonly Moment[] {
  const fault = faultOf(container.image);
  const delay = delayOf(container);
  switch (fault) {
    case 'missing-image':
      return notPulled(container, `failed to pull and unpack image "${container.image}": not found`);
    case 'pull-denied':
      return notPulled(
        container,
        `failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized`,
      );
    case 'crash-at-start':
      return crashing(pod, { exitCode: 1, reason: 'Error', log: CRASH_LOG, lives: START_MS, isReady: false });
    case 'out-of-memory':
      return crashing(pod, {
        exitCode: 137,
        reason: 'OOMKilled',
        log: ['heap grows'],
        lives: START_MS,
        isReady: false,
      });
    case 'crash':
      return crashing(pod, {
        exitCode: 1,
        reason: 'Error',
        log: CRASH_LOG,
        lives: delay ?? CRASH_AFTER_MS,
        isReady: true,
      });
    case 'never-healthy':
      return neverHealthy(container, pod);
    case 'slow-start':
      return healthy(pod, delay ?? SLOW_MS);
    default:
      return healthy(pod, READY_MS);
  }
}

const CRASH_LOG = ['listening soon', 'panic: cannot reach the database at db:5432', 'exit status 1'];
const PULLED: Moment = { after: 0, state: 'pulling' };
const GREETING = ['listening on 80'];

const runsOnce = ({ spec }: Pod): boolean => spec.restartPolicy === 'Never' || spec.restartPolicy === 'OnFailure';

function delayOf({ env = [] }: Container): number | undefined {
  const given = env.find(({ name }) => name === 'BEHAVIOUR_DELAY_MS')?.value;
  return given === undefined ? undefined : Number(given);
}

function healthy(pod: Pod, readyAfter: number): readonly Moment[] {
  const running: Moment = { after: PULL_MS, state: 'running', ready: false, log: GREETING };
  if (!runsOnce(pod)) return [PULLED, running, { after: readyAfter, state: 'running', ready: true }];
  return [
    PULLED,
    { ...running, ready: true },
    { after: JOB_MS, state: 'terminated', reason: 'Completed', exitCode: 0, log: ['done'] },
  ];
}

function neverHealthy(container: Container, pod: Pod): readonly Moment[] {
  const probe = container.startupProbe ?? container.readinessProbe;
  // Nobody asks, so nobody knows: as in a real cluster it counts as ready.
  if (probe === undefined || runsOnce(pod)) return healthy(pod, READY_MS);
  const kind = container.startupProbe === undefined ? 'Readiness' : 'Startup';
  const running: Moment = { after: PULL_MS, state: 'running', ready: false, log: GREETING };
  const event = { reason: 'Unhealthy', message: `${kind} probe failed: HTTP probe failed with statuscode: 503` };
  return [PULLED, running, ...PROBE_MS.map((after): Moment => ({ after, state: 'running', ready: false, event }))];
}

function notPulled({ image }: Container, why: string): readonly Moment[] {
  const failed = { reason: 'Failed', message: `Failed to pull image "${image}": ${why}` };
  const backOff = { reason: 'BackOff', message: `Back-off pulling image "${image}"` };
  return [
    PULLED,
    { after: PULL_MS, state: 'waiting', reason: 'ErrImagePull', message: why, event: failed },
    ...RETRY_PULL_MS.map((after): Moment => ({
      after,
      state: 'waiting',
      reason: 'ImagePullBackOff',
      message: `Back-off pulling image "${image}": ErrImagePull: ${why}`,
      event: backOff,
    })),
  ];
}

interface Crash {
  readonly exitCode: number;
  readonly reason: string;
  readonly log: readonly string[];
  /** Milliseconds from its start to its end. */
  readonly lives: number;
  readonly isReady: boolean;
}

function crashing(pod: Pod, { exitCode, reason, log, lives, isReady }: Crash): readonly Moment[] {
  const ending: Moment = { after: lives, state: 'terminated', reason, exitCode };
  const first: Moment = { after: PULL_MS, state: 'running', ready: isReady, log };
  if (pod.spec.restartPolicy === 'Never') return [PULLED, first, ending];
  const backOff = { reason: 'BackOff', message: 'Back-off restarting failed container' };
  const again = RESTART_MS.flatMap((wait): readonly Moment[] => [
    {
      after: 10,
      state: 'waiting',
      reason: 'CrashLoopBackOff',
      message: 'back-off restarting failed container',
      event: backOff,
    },
    { ...first, after: wait },
    ending,
  ]);
  const stays: Moment = {
    after: 10,
    state: 'waiting',
    reason: 'CrashLoopBackOff',
    message: 'back-off 5m0s restarting failed container',
    event: backOff,
  };
  return [PULLED, first, ending, ...again, stays];
}
