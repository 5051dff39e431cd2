import { type ShiftResult, execute } from '../../../actions/blue-green/src/execute.ts';
import type { Ports, Release } from '../../../actions/blue-green/src/execute/acting.ts';
import type { Story } from '../../../actions/blue-green/src/report/story.ts';
import type { Goal } from '../../../actions/blue-green/src/decide/goal.ts';
import type { ResolvedChecks } from '../../../src/domain/checks/document.ts';
import type { TaskPlace } from '../../../src/domain/ecs/service.ts';
import { type Duration, minutes, seconds } from '../../../src/domain/duration.ts';
import { Failure } from '../../../src/domain/failure.ts';
import type { ShiftRecord } from '../../../src/domain/shift/record.ts';
import type { Measurement, MetricProvider, MetricQuery } from '../../../src/ports/metric-provider.ts';
import { joinRoutes, joinTargets } from '../../../src/engine/shift/join-routes.ts';
import { type FakeAutoscaling, fakeAutoscaling } from '../../fakes/autoscaling.ts';
import { NO_SURPRISE } from '../../fakes/chance.ts';
import { type FakeClock, fakeClock } from '../../fakes/clock.ts';
import { goodConditions } from '../../fakes/deploy-conditions.ts';
import { type FakeEcs, fakeEcs } from '../../fakes/ecs.ts';
import { type FakeJournal, fakeJournal } from '../../fakes/journal.ts';
import { type RecordingLog, recordingLog } from '../../fakes/log.ts';
import { type FakeMetric, fakeMetric } from '../../fakes/metric-provider.ts';
import { type FakeProber, type Scripted, fakeProber } from '../../fakes/prober.ts';
import { type FakeRouter, fakeRouter } from '../../fakes/traffic-router.ts';
import { goalOf, policyOf } from './rehearsal.ts';

/** Both colors behind fakes of every port: what execute does, without a cloud. */
export interface Stage {
  readonly clock: FakeClock;
  readonly router: FakeRouter;
  /** More places that move together with it. */
  readonly others: FakeRouter[];
  readonly journal: FakeJournal<ShiftRecord>;
  readonly ecs: FakeEcs;
  readonly autoscaling: FakeAutoscaling;
  readonly log: RecordingLog;
  readonly metric: FakeMetric;
  readonly prober: FakeProber;
  /** Source of the requests of users, where there is one. */
  requests: MetricProvider | undefined;
  /** What the last run had to tell, for those who keep it. */
  said: Story | undefined;
  /** Commands of the team's, as they were called; how each ends is `ends`. */
  readonly ran: string[];
  ends: (program: string, signal: AbortSignal) => Promise<number>;
  /** Answers of the sources; good ones at first. */
  answers: (query: MetricQuery) => Measurement;
  /** Answers of the candidate and of the front door to checks. */
  peers: () => Scripted;
  readonly cancels: { restore: ((signal: AbortSignal) => Promise<string>) | undefined; registered: number };
  readonly candidates: string[];
  /** Writes that were announced, without those that were refused for certain. */
  changes: number;
  run(more?: Partial<Goal>, release?: Partial<Release>, signal?: AbortSignal): Promise<ShiftResult>;
  desired(color: 'blue' | 'green'): number;
  /** Runs `what` so long after now. */
  in(length: Duration, what: () => void): void;
}

const CLUSTER = 'shop';
export const SERVICES = { blue: 'shop-blue', green: 'shop-green' };
export const GOOD = 'r.example.com/web:good-2';
export const CRASH = 'r.example.com/web:crash';

export const CHECKS: ResolvedChecks = {
  secrets: [],
  checks: [
    {
      name: 'health',
      at: ['checks', 0],
      method: 'GET',
      path: '/health',
      headers: {},
      timeout: seconds(5),
      retry: { count: 1, interval: seconds(1), consecutive: 1 },
      redirects: { kind: 'never' },
      addresses: 'any',
      captures: [],
      expect: { status: { text: '200', ranges: [{ from: 200, to: 200 }] } },
    },
  ],
};

export function openStage(): Stage {
  const clock = fakeClock({ mode: 'automatic' });
  const ecs = fakeEcs(clock);
  const router = fakeRouter();
  for (const [color, desired] of [['blue', 3], ['green', 0]] as const) {
    ecs.addService({ ref: { cluster: CLUSTER, service: SERVICES[color] }, image: 'r.example.com/web:good-1', container: 'web', desired, extra: { loadBalancers: [{ targetGroupArn: router.targets.groupsOf(color)[0] ?? '' }] } });
  } // prettier-ignore
  const serviceOf = (color: 'blue' | 'green') => ecs.serviceOf({ cluster: CLUSTER, service: SERVICES[color] });
  router.targets.health = async (color, _, own) => {
    const { running, desired } = serviceOf(color);
    const all = router.seated.includes(color) ? running : 0;
    const ids = serviceOf(color).deployments.map(({ id }) => id);
    const isHere = (place: TaskPlace): boolean =>
      'address' in place && ids.some((id) => place.address.startsWith(`${id}-`));
    const healthy = Math.min(all, own?.filter(isHere).length ?? all);
    return {
      healthy,
      total: own === undefined ? desired : healthy,
      reasons: healthy < desired ? [`${desired - healthy} unused: Target.NotInUse`] : [],
    };
  };
  const journal = fakeJournal<ShiftRecord>();
  const log = recordingLog();
  const cancels: Stage['cancels'] = { restore: undefined, registered: 0 };
  const stage: Stage = {
    clock,
    router,
    others: [],
    journal,
    ecs,
    autoscaling: fakeAutoscaling(),
    log,
    cancels,
    candidates: [],
    changes: 0,
    metric: fakeMetric((query) =>
      query.arm === 'stable' && query.metric !== 'requests' ? { kind: 'no-data' } : stage.answers(query),
    ),
    prober: fakeProber(() => stage.peers()),
    requests: undefined,
    said: undefined,
    ran: [],
    ends: () => Promise.resolve(0),
    answers: ({ metric }) => ({ kind: 'value', value: metric === 'health' ? 1 : metric === 'p95' ? 180 : 0.004, samples: 400 }),
    peers: () => ({ status: 200 }),
    desired: (color) => serviceOf(color).desired,
    in: (length, what) => void clock.sleep(length, new AbortController().signal).then(what),
    run: (more = {}, release = {}, signal = new AbortController().signal) => execute(releaseOf(stage, goalOf({ policy: POLICY, prepareWithin: minutes(5), ...more }), release), portsOf(stage), signal),
  }; // prettier-ignore
  return stage;
}

export const POLICY = policyOf({ bake: '1m', recheck: { after: '15s', for: '30s' } });

const releaseOf = (stage: Stage, goal: Goal, more: Partial<Release>): Release => ({
  goal,
  ecs: { cluster: CLUSTER, services: SERVICES },
  images: GOOD,
  desiredCount: undefined,
  checks: goal.checks === 'given' ? CHECKS : undefined,
  candidateOf: (color) => ({ url: `http://${color}.test`, headers: { 'x-color': color } }),
  users: { url: 'http://users.test', headers: {} },
  databases: 'untouched',
  gates: new Map(),
  context: { repository: 'acme/shop', server: 'https://github.com', runId: '100', runUrl: 'https://github.com/run' },
  drainEarlyAfter: 'never',
  onCancel: 'rollback',
  onCandidate: (color) => void stage.candidates.push(color),
  ...more,
});

function portsOf(stage: Stage): Ports {
  const { router, journal, ecs, autoscaling, clock, log, prober, cancels } = stage;
  const providers = Object.fromEntries(['health', 'error-rate', 'p95'].map((metric) => [metric, stage.metric]));
  const routes = [router, ...stage.others];
  return {
    router: joinRoutes(routes),
    routes,
    targets: joinTargets(routes.map(({ targets }) => targets)),
    journal,
    ecs,
    conditions: goodConditions(),
    autoscaling,
    prober,
    ...NO_SURPRISE,
    programs: {
      async run(program, { env }, signal) {
        stage.ran.push(
          `${program} ${env?.['SLUICE_OUTCOME']} ${env?.['SLUICE_LIVE_COLOR']} ${env?.['SLUICE_OLD_COLOR']}`,
        );
        return { code: await stage.ends(program, signal), stdout: '', stderr: '' };
      },
    },
    clock,
    log,
    metrics: {
      providers: stage.requests === undefined ? providers : { ...providers, requests: stage.requests },
      run: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
    },
    people: () => Promise.reject(new Failure({ what: 'nobody is asked here' })),
    willChange() {
      stage.changes += 1;
      return () => void (stage.changes -= 1);
    },
    onCancel: (restore) => {
      cancels.restore = restore;
      cancels.registered += 1;
    },
  };
}
