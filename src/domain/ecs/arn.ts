/** `web:8` of `arn:aws:ecs:us-west-2:111122223333:task-definition/web:8`: how people call a revision. */
export const revisionName = (taskDefinition: string): string =>
  taskDefinition.slice(taskDefinition.lastIndexOf('/') + 1);

/** `web` of `web:8`. */
export const familyName = (taskDefinition: string): string => revisionName(taskDefinition).replace(/:\d+$/, '');

/** Last part of any ECS ARN: the service's or the task's own id. */
export const lastPart = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1);
