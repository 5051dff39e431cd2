import type { GivenInputs, InputProblem } from '../../../../src/domain/inputs.ts';
import { type ReadBy, foreignInputs } from '../../../../src/domain/mode-inputs.ts';
import type { Values } from '../inputs.ts';
import type { Mode } from '../request.ts';

/** `place` of the request, and what leads to it. */
type ReadByAll =
  | 'mode'
  | 'cluster'
  | 'service'
  | 'timeout'
  | 'on-conflict'
  | 'region'
  | 'role-to-assume'
  | 'allowed-account-ids'
  | 'config'
  | 'stage'
  | 'dry-run';

const DEPLOY = ['deploy'] as const;
const JUDGED = ['deploy', 'rollback'] as const;

/** Of every input that not all modes read. A new one has to say who reads it. */
const READ_BY: Readonly<Record<Exclude<keyof Values, ReadByAll>, readonly Mode[]>> = {
  'service-group': DEPLOY,
  container: DEPLOY,
  image: DEPLOY,
  images: DEPLOY,
  'image-name': DEPLOY,
  registry: DEPLOY,
  'task-definition': DEPLOY,
  containers: DEPLOY,
  'task-role-arn': DEPLOY,
  'execution-role-arn': DEPLOY,
  'service-settings': DEPLOY,
  'pre-deploy-task': DEPLOY,
  'post-deploy-task': DEPLOY,
  to: ['rollback'],
  'keep-revisions': ['cleanup'],
  'desired-count': ['deploy', 'scale'],
  'on-limits': ['scale'],
  'on-failure': DEPLOY,
  'on-cancel': DEPLOY,
  'on-outdated': DEPLOY,
  checks: JUDGED,
  url: JUDGED,
  'url-from': JUDGED,
  host: JUDGED,
  'check-secrets': JUDGED,
  'expect-version': JUDGED,
  rules: JUDGED,
  recheck: JUDGED,
  'require-approval': DEPLOY,
  approval: DEPLOY,
  environment: DEPLOY,
  'release-id': DEPLOY,
};

/** More names than anybody reads. */
const LISTED = 12;

/** PURE. What the step gives beside what its mode reads; the last one says what that is. */
export function notReadIn(mode: Mode, given: GivenInputs): readonly InputProblem[] {
  const foreign = foreignInputs(READ_BY as ReadBy<Mode>, mode, given);
  const read = Object.entries(READ_BY).flatMap(([input, modes]) => (modes.includes(mode) ? input : []));
  if (read.length > LISTED) return foreign;
  const hint = `Beside where the service is, mode: ${mode} reads ${read.length === 0 ? 'nothing' : read.join(', ')}`;
  return foreign.map((problem, index) => (index < foreign.length - 1 ? problem : { ...problem, hint }));
}
