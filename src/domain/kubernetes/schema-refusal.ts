import type { KubeStatus } from './failure.ts';

const BY_SCHEMA = /field not declared in schema|unknown field|failed to create typed patch object/;
const BY_RULE = /admission webhook|ValidatingAdmissionPolicy|denied the request/;

/** Whether an object does not fit the schema of its kind: no rule of the cluster, and nothing about the object that stands. */
export const refusedBySchema = ({ code, message }: KubeStatus): boolean =>
  !BY_RULE.test(message) && (code === 422 || BY_SCHEMA.test(message));
