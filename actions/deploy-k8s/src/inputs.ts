import { approvalDemand, approvalInputs } from '../../../src/domain/approval/require.ts';
import { steadyChecksOf } from '../../../src/domain/checks/steady-checks.ts';
import { checkInputs } from '../../../src/domain/checks/target-inputs.ts';
import { hours, minutes } from '../../../src/domain/duration.ts';
import { imageInputs, tagOf } from '../../../src/domain/image-inputs.ts';
import {
  type Checked,
  type InputProblem,
  type InputsOf,
  bad,
  duration,
  good,
  matching,
  oneOf,
  secret,
  text,
} from '../../../src/domain/inputs.ts';
import { type AccessWish, accessInputs, accessOf } from '../../../src/domain/kubernetes/access-inputs.ts';
import { steadyInputs } from '../../../src/domain/policy/steady-inputs.ts';
import { readScale } from '../../../src/domain/kubernetes/scaling.ts';
import { foreignInputs } from '../../../src/domain/mode-inputs.ts';
import { awsInputs, ecsInputs, ecsWords, rolloutInputs, stageInputs } from '../../../src/domain/stage-inputs.ts';
import { setInputs, setOf } from './inputs-set.ts';
import type { BackupRequest, DeployRequest, Place, Request, RestoreRequest, ScaleRequest } from './request.ts';

export const MODES = ['deploy', 'rollback', 'scale', 'status', 'diff', 'rbac', 'backup', 'restore'] as const;
export type Mode = (typeof MODES)[number];

export const spec = {
  mode: oneOf(MODES, {
    description:
      'What to do: `deploy` a set of manifests; `rollback` to the release before, or `to` a revision; `scale` a workload; show the `status`; show the `diff` with its hash; print the `rbac` that the set needs; `backup` a namespace; `restore` one. Example: `rollback`.',
    fallback: 'deploy',
  }),
  app: matching({
    description:
      'Name of what is released: of its record, its lease, its label and its field manager. Example: `wesign-charts`.',
    from: 'stage',
    shape: /[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?/,
    accepts: 'a name',
    accepted: 'at most 50 lower-case letters, digits and -, as Kubernetes names are',
  }),
  namespace: matching({
    description:
      'Namespace of objects that name none, and of the record of releases. Without it that of the kubeconfig. Example: `production`.',
    from: 'stage',
    shape: /[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?/,
    accepts: 'a namespace',
    accepted: 'lower-case letters, digits and -',
  }),
  ...setInputs,
  ...imageInputs,
  to: matching({
    description:
      'Release that `mode: rollback` goes to: its release id, or its revision (`revision:7`; `7` and `v7` where no release id looks like that). Without it the one before the one that serves. Example: `revision:7`.',
    shape: /[\w.@:+/-]{1,200}/,
    accepts: 'a revision',
    accepted: 'a release id, or revision: and a number of the record (see mode: status)',
  }),
  workload: matching({
    description: 'What `mode: scale` scales. Example: `Deployment/web`.',
    from: 'stage',
    shape: /(?:Deployment|StatefulSet)\/[a-z0-9][a-z0-9.-]*/,
    accepts: 'kind/name',
    accepted: 'Deployment/NAME or StatefulSet/NAME',
  }),
  replicas: text({
    description:
      'What `mode: scale` sets: a count (`6`), so many more or fewer (`+2`, `-1`), or `auto`, with bounds if they change (`auto 6..20`). With an autoscaler a count holds it there, and `auto` lets it go again. Example: `+2`.',
  }),
  'expect-diff': matching({
    description:
      'The output `plan-sha256` of `mode: diff` that was approved: `deploy` refuses when it would do anything else. Example: the output of a job before.',
    shape: /[0-9a-f]{64}/,
    accepts: 'a hash',
    accepted: '64 hexadecimal digits',
  }),
  timeout: duration({
    description: ecsWords.timeout,
    from: 'stage',
    fallback: '20m',
    min: minutes(1),
    max: hours(24),
  }),
  ...rolloutInputs,
  'on-cancel': ecsInputs['on-cancel'],
  checks: text({
    description:
      'Path of a checks file (YAML, version 1). It is run on `url` once everything is ready; red checks count as a failed deployment and roll back. Example: `deploy/checks.yml`.',
  }),
  url: checkInputs.url,
  host: checkInputs.host,
  'check-secrets': checkInputs['check-secrets'],
  'expect-version': text({
    description:
      'Version that the checks must find where they look for one. Without it the tag of the released entry of `images`. Example: `1.4.0`.',
  }),
  ...steadyInputs,
  ...approvalInputs,
  'release-id': text({
    description:
      'Name of the release in the record, the same in every stage; what `to` may name. Without it the image, or the commit. Example: `v1.4.0`.',
  }),
  'backup-location': text({
    description:
      'Folder of the workspace, or `s3://bucket/prefix`, where backups are. Example: `s3://acme-backups/production`.',
    from: 'stage',
  }),
  'backup-key': secret({
    description:
      'Passphrase that backups are encrypted with (AES-256-GCM, the key by scrypt); Secrets are in them. At least 16 characters.',
  }),
  'backup-keep': duration({
    description: 'How long backups of the namespace are kept; older ones go after a new one is there. Example: `7d`.',
    from: 'stage',
    fallback: '7d',
    min: hours(1),
    max: hours(24 * 3_650),
  }),
  restore: matching({
    description:
      'Backup that `mode: restore` brings back: `latest`, a day (`2026-11-24`), or a time in UTC. Example: `latest`.',
    shape: /latest|\d{4}-\d{2}-\d{2}(?:T\d{2}:?\d{2}(?::?\d{2})?Z?)?/,
    accepts: 'latest or a date',
    accepted: 'latest, 2026-11-24, or 2026-11-24T03:00Z',
  }),
  ...accessInputs,
  ...awsInputs,
  ...stageInputs,
};

type Values = InputsOf<typeof spec>;

export function toRequest(values: Values): Checked<Request> {
  const given = new Set(Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : name)));
  const foreign = foreignInputs(READ_BY, values.mode, given);
  const access = accessOf(values);
  // What is wrong with the rest is said beside what is wrong with the way in.
  const request = requestOf(values, placeOf(values, access.ok ? access.value : { kind: 'in-cluster' }));
  const problems = [...foreign, ...[access, request].flatMap((each) => (each.ok ? [] : each.problems))];
  if (values.app === undefined)
    problems.push({ input: 'app', problem: 'is missing', accepted: 'the name of what is released' });
  return problems.length > 0 || !request.ok ? bad(...problems) : request;
}

const placeOf = (values: Values, access: AccessWish): Place => ({
  app: values.app ?? '',
  namespace: values.namespace,
  access,
  region: values.region,
  roleToAssume: values['role-to-assume'],
  allowedAccountIds: values['allowed-account-ids'],
  timeout: values.timeout,
  onConflict: values['on-conflict'],
  release: values['release-id'] ?? tagOf(values),
  dryRun: values['dry-run'] ? 'yes' : 'no',
});

function requestOf(values: Values, place: Place): Checked<Request> {
  switch (values.mode) {
    case 'deploy':
      return toDeploy(values, place);
    case 'diff':
    case 'rbac': {
      const set = setOf(values);
      return set.ok ? good({ ...place, mode: values.mode, set: set.value }) : set;
    }
    case 'rollback': {
      const checks = steadyChecksOf(values);
      return checks.ok ? good({ ...place, mode: 'rollback', to: values.to, checks: checks.value }) : checks;
    }
    case 'scale':
      return toScale(values, place);
    case 'status':
      return good({ ...place, mode: 'status' });
    case 'backup':
    case 'restore':
      return toBackup(values, place);
  }
}

function toDeploy(values: Values, place: Place): Checked<DeployRequest> {
  const [set, checks, approval] = [setOf(values), steadyChecksOf(values), approvalDemand(values)];
  const unlike = tagProblems(values);
  if (!set.ok || !checks.ok || !approval.ok || unlike.length > 0)
    return bad(...[set, checks, approval].flatMap((each) => (each.ok ? [] : each.problems)), ...unlike);
  return good({
    ...place,
    mode: 'deploy',
    set: set.value,
    onFailure: values['on-failure'],
    onCancel: values['on-cancel'],
    onOutdated: values['on-outdated'],
    expectDiff: values['expect-diff'],
    approval: approval.value,
    checks: checks.value,
  });
}

/** What was approved are `images`: a tag beside them must not release something else. */
function tagProblems(values: Values): readonly InputProblem[] {
  const { images, 'pinned-tag': tag } = values;
  if (!values['require-approval'] || images === undefined || tag === undefined) return [];
  const digests = Object.values(images).map(({ digest }) => digest);
  if (digests.some((digest) => tag.endsWith(`@${digest}`))) return [];
  const accepted = `a tag with a digest of images: ${digests.join(', ')}`;
  return [{ input: 'pinned-tag', given: tag, problem: 'is none of images, which is what was approved', accepted }];
}

function toScale(values: Values, place: Place): Checked<ScaleRequest> {
  const problems: InputProblem[] = [];
  const scale = values.replicas === undefined ? undefined : readScale(values.replicas);
  if (scale === undefined)
    problems.push({
      input: 'replicas',
      problem: 'is missing: it is what mode: scale sets',
      accepted: '6, +2, -1, auto',
    });
  else if (!scale.ok) problems.push(...scale.problems);
  if (values.workload === undefined)
    problems.push({ input: 'workload', problem: 'is missing', accepted: 'Deployment/NAME or StatefulSet/NAME' });
  const [kind = '', name = ''] = values.workload?.split('/') ?? [];
  return problems.length > 0 || scale === undefined || !scale.ok
    ? bad(...problems)
    : good({ ...place, mode: 'scale', kind, name, wish: scale.value });
}

function toBackup(values: Values, place: Place): Checked<BackupRequest | RestoreRequest> {
  const { 'backup-location': location, 'backup-key': key } = values;
  const problems: InputProblem[] = [];
  if (location === undefined)
    problems.push({ input: 'backup-location', problem: 'is missing', accepted: 'a folder, or s3://bucket/prefix' });
  if (key === undefined || key.length < 16)
    problems.push({
      input: 'backup-key',
      problem: key === undefined ? 'is missing' : 'is too short',
      accepted: 'at least 16 characters',
    });
  if (values.mode === 'restore' && values.restore === undefined)
    problems.push({ input: 'restore', problem: 'is missing: it says which backup', accepted: 'latest, or a date' });
  const checks = steadyChecksOf(values);
  if (!checks.ok) problems.push(...checks.problems);
  if (problems.length > 0 || location === undefined || key === undefined || !checks.ok) return bad(...problems);
  return values.mode === 'backup'
    ? good({ ...place, mode: 'backup', location, key, keep: values['backup-keep'] })
    : good({ ...place, mode: 'restore', location, key, which: values.restore ?? 'latest', checks: checks.value });
}

/** Inputs that only some modes read; given to another one they are a misunderstanding. None of them comes from the stage. */
const READ_BY: Readonly<Partial<Record<keyof typeof spec, readonly Mode[]>>> = {
  image: ['deploy', 'diff', 'rbac'],
  images: ['deploy', 'diff', 'rbac'],
  'pinned-tag': ['deploy', 'diff', 'rbac'],
  'secret-values': ['deploy', 'diff', 'rbac'],
  'secret-env': ['deploy', 'diff', 'rbac'],
  to: ['rollback'],
  replicas: ['scale'],
  'expect-diff': ['deploy'],
  checks: ['deploy', 'rollback', 'restore'],
  rules: ['deploy', 'rollback', 'restore'],
  approval: ['deploy'],
  restore: ['restore'],
  'backup-key': ['backup', 'restore'],
};
