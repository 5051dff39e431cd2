import type { EcsDeployment, EcsService } from '../../../src/domain/ecs/service.ts';

export const revisionArn = (number: number): string =>
  `arn:aws:ecs:us-west-2:111122223333:task-definition/web:${number}`;
export const OLD = revisionArn(7);
export const NEW = revisionArn(8);
export const OTHER = revisionArn(9);

/** A complete PRIMARY deployment of three tasks, unless told otherwise. */
export const deployment = (id: string, taskDefinition: string, given: Partial<EcsDeployment> = {}): EcsDeployment => ({
  id,
  taskDefinition,
  status: 'PRIMARY',
  desired: 3,
  running: 3,
  pending: 0,
  failed: 0,
  rolloutState: 'COMPLETED',
  ...given,
});

/** A steady service of three tasks of the old revision, unless told otherwise. */
export const service = (given: Partial<EcsService> = {}): EcsService => ({
  arn: 'arn:aws:ecs:us-west-2:111122223333:service/shop/web',
  ref: { cluster: 'shop', service: 'web' },
  status: 'ACTIVE',
  taskDefinition: OLD,
  desired: 3,
  running: 3,
  pending: 0,
  deployments: [deployment('ecs-svc/1', OLD)],
  events: [],
  loadBalancers: [],
  tags: {},
  ...given,
});
