import { type Place, complain, readText } from '../checks/place.ts';
import type { TaskDefinitionBody } from './task-definition.ts';

/** In any partition: `aws`, `aws-cn`, `aws-us-gov` and those that are still to come. */
export const ROLE_ARN = /^arn:aws[a-z0-9-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/;
export const ROLE_ACCEPTED = 'an ARN: arn:aws:iam::123456789012:role/shop-task';

export function roleAt(place: Place): string | undefined {
  const arn = readText(place)?.trim();
  if (arn === undefined || ROLE_ARN.test(arn)) return arn;
  return complain(place, 'is not the ARN of a role', { accepted: ROLE_ACCEPTED });
}

/** Roles of a task definition; an absent one stays as it is. */
export interface Roles {
  readonly task?: string;
  readonly execution?: string;
}

/** PURE. The definition itself when nothing is given. */
export function withRoles(body: TaskDefinitionBody, { task, execution }: Roles): TaskDefinitionBody {
  if (task === undefined && execution === undefined) return body;
  return {
    ...body,
    ...(task === undefined ? {} : { taskRoleArn: task }),
    ...(execution === undefined ? {} : { executionRoleArn: execution }),
  };
}
