import type { State } from './types.ts';

const ecs = ({ world }: State, resource: string): string => `arn:aws:ecs:${world.region}:${world.account}:${resource}`;

export const clusterArn = (state: State, cluster: string): string => ecs(state, `cluster/${cluster}`);
export const serviceArn = (state: State, cluster: string, service: string): string =>
  ecs(state, `service/${cluster}/${service}`);
export const taskArn = (state: State, cluster: string, id: string): string => ecs(state, `task/${cluster}/${id}`);
export const serviceDeploymentArn = (state: State, path: string, id: string): string =>
  ecs(state, `service-deployment/${path}/${id}`);
export const serviceRevisionArn = (state: State, path: string, id: string): string =>
  ecs(state, `service-revision/${path}/${id}`);
