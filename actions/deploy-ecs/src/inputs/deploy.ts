import { approvalDemand } from '../../../../src/domain/approval/require.ts';
import { canonicalJson } from '../../../../src/domain/canonical-json.ts';
import { settingsRelease } from '../../../../src/domain/ecs/journal.ts';
import { fingerprint } from '../../../../src/domain/fingerprint.ts';
import { imageOf } from '../../../../src/domain/image-inputs.ts';
import { type Checked, type InputProblem, bad, good } from '../../../../src/domain/inputs.ts';
import { addressOf, checksOf } from './checks.ts';
import { editsOf, imageOfContainer } from './containers.ts';
import type { GroupEntry } from './group.ts';
import type { Values } from '../inputs.ts';
import type { DeployRequest, GroupRequest, Place } from '../request.ts';

export const placeOf = (values: Values): Omit<Place, 'service'> => ({
  cluster: values.cluster,
  timeout: values.timeout,
  onConflict: values['on-conflict'],
  region: values.region,
  roleToAssume: values['role-to-assume'],
  allowedAccountIds: values['allowed-account-ids'],
  dryRun: values['dry-run'] ? 'yes' : 'no',
});

export function toDeploy(values: Values, place: Place): Checked<DeployRequest> {
  // Images that are given out by container need no entry for the one image.
  const byContainer = Object.values(values.containers ?? {}).some(({ image }) => image !== undefined);
  const image =
    byContainer && values['image-name'] === undefined ? imageOf({ ...values, images: undefined }) : imageOf(values);
  const revision = revisionOf(values, image);
  const terms = termsOf(values);
  if (!revision.ok || !terms.ok) return bad(...[revision, terms].flatMap((each) => (each.ok ? [] : each.problems)));
  return good({ ...place, mode: 'deploy', ...revision.value, ...terms.value });
}

/** Each service as if it were deployed by itself; the judgement is that of all of them. */
export function toGroup(values: Values, group: readonly GroupEntry[]): Checked<GroupRequest> {
  const place = placeOf(values);
  const terms = termsOf(values);
  const problems = [...foreignToGroup(values), ...(terms.ok ? [] : terms.problems)];
  const members = group.flatMap((entry, index) => {
    const member = memberOf(values, entry, `service-group[${index}]`);
    if (!member.ok) problems.push(...member.problems);
    if (!member.ok || !terms.ok) return [];
    const deploy = {
      ...place,
      mode: 'deploy' as const,
      service: entry.service,
      ...member.value,
      ...terms.value,
      checks: undefined,
    };
    return [{ deploy, dependsOn: entry.dependsOn }];
  });
  const unique = problems.filter((one, index) => problems.findIndex((other) => same(one, other)) === index);
  if (unique.length > 0 || !terms.ok) return bad(...unique);
  return good({ ...place, mode: 'deploy-group', members, ...terms.value });
}

const same = (one: InputProblem, other: InputProblem): boolean =>
  one.input === other.input && one.problem === other.problem && one.given === other.given;

function memberOf(values: Values, entry: GroupEntry, at: string): Checked<Revision> {
  const image = entry.image === undefined ? undefined : imageOfContainer(entry.image, `${at}.image`, values);
  const own: Values = {
    ...values,
    service: entry.service,
    image: image?.ok === true ? image.value : undefined,
    'image-name': undefined,
    container: entry.container ?? values.container,
    'task-definition': entry.definition,
    containers: entry.containers,
    'task-role-arn': entry.taskRole,
    'execution-role-arn': entry.executionRole,
    'service-settings': entry.settings,
    'pre-deploy-task': entry.before,
    'post-deploy-task': entry.after,
    'desired-count': undefined,
  };
  const revision = revisionOf(own, image ?? good(undefined));
  if (revision.ok) return revision;
  const placed = revision.problems.map((problem) =>
    problem.input === 'registry' || problem.input.startsWith(at)
      ? problem
      : { ...problem, input: `${at}.${problem.input}` },
  );
  return bad(...placed);
}

/** What only makes sense for one service; a group has it in its entries. */
const PER_SERVICE = [
  'image',
  'image-name',
  'task-definition',
  'containers',
  'task-role-arn',
  'execution-role-arn',
  'service-settings',
  'pre-deploy-task',
  'post-deploy-task',
] as const;

function foreignToGroup(values: Values): readonly InputProblem[] {
  const accepted = 'the same key of an entry of service-group';
  const foreign = PER_SERVICE.filter((input) => values[input] !== undefined).map((input) => ({
    input,
    problem: 'is not read where service-group is deployed',
    accepted: input === 'image-name' ? 'image of an entry of service-group' : accepted,
  }));
  if (values['desired-count'] === undefined) return foreign;
  const scaled = {
    input: 'desired-count',
    problem: 'is not read where service-group is deployed',
    accepted: 'mode: scale',
  };
  return [...foreign, scaled];
}

type Revision = Pick<
  DeployRequest,
  | 'container'
  | 'image'
  | 'definition'
  | 'edits'
  | 'roles'
  | 'settings'
  | 'release'
  | 'named'
  | 'desired'
  | 'before'
  | 'after'
>;

/** What is to serve. */
function revisionOf(values: Values, image: Checked<string | undefined>): Checked<Revision> {
  const edits = editsOf(values);
  const problems = [image, edits].flatMap((each) => (each.ok ? [] : each.problems));
  const named = values['task-definition'];
  const { containers, 'service-settings': settings } = values;
  const roles = rolesOf(values);
  const nothing = image.ok && [image.value, named, containers, roles, settings].every((each) => each === undefined);
  if (nothing && problems.length === 0) problems.push(NOTHING_TO_DEPLOY);
  if (problems.length > 0 || !image.ok || !edits.ok) return bad(...problems);
  return good({
    container: values.container,
    image: image.value,
    definition:
      named === undefined ? undefined : { kind: /\.(?:json|ya?ml)$/.test(named) ? 'file' : 'registered', name: named },
    edits: edits.value,
    roles,
    settings,
    release: values['release-id'] ?? releaseOf({ edits: edits.value, roles, settings }, [image.value, named]),
    named: values['release-id'] === undefined ? 'by-content' : 'by-itself',
    desired: values['desired-count'],
    before: values['pre-deploy-task'],
    after: values['post-deploy-task'],
  });
}

function rolesOf({ 'task-role-arn': task, 'execution-role-arn': execution }: Values): DeployRequest['roles'] {
  if (task === undefined && execution === undefined) return undefined;
  return { ...(task === undefined ? {} : { task }), ...(execution === undefined ? {} : { execution }) };
}

/** On which terms, whatever is to serve. */
function termsOf(
  values: Values,
): Checked<Pick<DeployRequest, 'onFailure' | 'onCancel' | 'onOutdated' | 'approval' | 'checks' | 'address'>> {
  const approval = approvalDemand(values);
  const checks = checksOf(values);
  if (!approval.ok || !checks.ok) return bad(...[approval, checks].flatMap((each) => (each.ok ? [] : each.problems)));
  return good({
    onFailure: values['on-failure'],
    onCancel: values['on-cancel'],
    onOutdated: values['on-outdated'],
    approval: approval.value,
    checks: checks.value,
    address: addressOf(values),
  });
}

const NOTHING_TO_DEPLOY: InputProblem = {
  input: 'image',
  problem: 'is missing',
  accepted:
    'image with a reference, images with the output of the build, task-definition, containers, a role, or service-settings',
};

/** A name for the tags where nobody gave one. What changes is in it: two releases of one name are taken for the same. */
function releaseOf(
  given: Pick<DeployRequest, 'edits' | 'roles' | 'settings'>,
  [image, definition]: readonly [string | undefined, string | undefined],
): string {
  const images = Object.values(given.edits ?? {}).flatMap((edit) => edit.image ?? []);
  const named = [image, ...images, definition].filter((each) => each !== undefined);
  if (Object.values(given).every((each) => each === undefined)) return named.join(' ');
  return named.length === 0 ? settingsRelease(given) : [...named, fingerprint(canonicalJson(given))].join(' ');
}
