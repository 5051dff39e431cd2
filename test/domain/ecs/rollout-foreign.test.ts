import { expect, test } from '@jest/globals';
import { after, instant, minutes, seconds } from '../../../src/domain/duration.ts';
import { NOTHING_SEEN, type RolloutSighting, type RolloutWatch, look } from '../../../src/domain/ecs/rollout.ts';
import type { EcsDeployment } from '../../../src/domain/ecs/service.ts';
import { NEW, OLD, deployment, revisionArn, service as steady } from './services.ts';

const START = instant(0);
const FAILURE = 'tasks failed to start';
const OVER = `another deployment took over: web:9 (ecs-svc/9); ours had failed before (${FAILURE})`;

const watch: RolloutWatch = {
  taskDefinition: NEW,
  deploymentId: 'ecs-svc/2',
  earlierDeployments: ['ecs-svc/1'],
  startedAt: START,
  deadline: after(START, minutes(20)),
  rollbackWithin: minutes(15),
  goesBackTo: OLD,
  memory: NOTHING_SEEN,
};
const seeing = (...deployments: readonly EcsDeployment[]): RolloutSighting => ({
  service: steady({ taskDefinition: NEW, deployments, circuitBreaker: { enable: true, rollback: true } }),
});
const failed = deployment('ecs-svc/2', NEW, { rolloutState: 'FAILED', rolloutStateReason: FAILURE });
const left: EcsDeployment = { ...failed, status: 'ACTIVE' };
const other = (id: string, taskDefinition: string, given: Partial<EcsDeployment>): EcsDeployment =>
  deployment(id, taskDefinition, given);
const foreign = (given: Partial<EcsDeployment>): EcsDeployment => other('ecs-svc/9', revisionArn(9), given);

const superseded = { kind: 'superseded', reason: OVER };
const rows: readonly { readonly name: string; readonly seen: RolloutSighting; readonly state: object }[] = [
  {
    name: 'another one that is under way',
    seen: seeing(foreign({ rolloutState: 'IN_PROGRESS' }), left),
    state: superseded,
  },
  { name: 'another one that is complete', seen: seeing(foreign({ rolloutState: 'COMPLETED' })), state: superseded },
  { name: 'another one that failed too', seen: seeing(foreign({ rolloutState: 'FAILED' }), left), state: superseded },
  {
    name: 'another one that stopped ours by its record',
    seen: { ...seeing(foreign({})), serviceDeployment: { arn: 'arn:sd/2', status: 'STOPPED', taskDefinition: NEW } },
    state: superseded,
  },
  {
    name: 'what says that it is the way back, to whatever revision',
    seen: seeing(
      foreign({
        rolloutState: 'IN_PROGRESS',
        rolloutStateReason: 'ECS deployment circuit breaker: rolling back to ecs-svc/1.',
      }),
      left,
    ),
    state: { kind: 'rolling-back', reason: FAILURE },
  },
  {
    name: 'the revision of before',
    seen: seeing(other('ecs-svc/3', OLD, { rolloutState: 'COMPLETED' })),
    state: { kind: 'rolled-back', reason: FAILURE },
  },
  {
    name: 'the very deployment of before',
    seen: seeing(other('ecs-svc/1', OLD, { rolloutState: 'COMPLETED' })),
    state: { kind: 'rolled-back', reason: FAILURE },
  },
];

test.each(rows)(
  "after ours failed, ECS's way back is told from somebody else's deployment: $name",
  ({ seen, state }) => {
    const before = look(watch, seeing(failed), after(START, seconds(20))).watch;
    expect(look(before, seen, after(START, seconds(30))).state).toMatchObject(state);
  },
);
