import { type Input, flagIn, numberIn, objectIn, objectsIn, refuse, textIn } from './input.ts';
import { Refused } from '../refused.ts';
import { notModelled } from './service-spec.ts';

/*
 * What CreateService, UpdateService and RunTask say beside the task definition, checked as the service checks it. Sentences
 * are those of the API as public reports quote them (github.com/go-to-k/cdkd/pull/811 for volumes); where none was found,
 * the rule is that of the API reference and the words are ours.
 */

const VOLUME_TYPES = ['gp2', 'gp3', 'io1', 'io2', 'st1', 'sc1', 'standard'];
const FILESYSTEMS = ['ext3', 'ext4', 'xfs', 'ntfs'];

/** `volumeConfigurations`; `launched` are the volumes of the definition with configuredAtLaunch. */
export function checkVolumes(input: Input, launched: readonly string[]): void {
  const given = objectsIn(input, 'volumeConfigurations');
  if (given === undefined) return;
  if (given.length > 1) refuse('At most one volume can be configured at launch.');
  for (const one of given) {
    const name = textIn(one, 'name') ?? refuse('volumeConfigurations.name is required.');
    if (!launched.includes(name))
      refuse('Volume configuration provided but no matching configuredAtLaunch volume found in task definition.');
    checkVolume(objectIn(one, 'managedEBSVolume') ?? refuse('managedEBSVolume is required.'));
  }
}

function checkVolume(volume: Input): void {
  const role = textIn(volume, 'roleArn') ?? refuse('managedEBSVolume.roleArn is required.');
  if (!role.startsWith('arn:')) refuse('Invalid managedEBSVolume.roleArn.');
  const size = numberIn(volume, 'sizeInGiB');
  if (size === undefined && textIn(volume, 'snapshotId') === undefined)
    refuse('Either sizeInGiB or snapshotId must be specified for managedEBSVolume.');
  if (size !== undefined && (size < 1 || size > 16_384)) refuse('Invalid managedEBSVolume.sizeInGiB.');
  const type = textIn(volume, 'volumeType') ?? 'gp3';
  if (!VOLUME_TYPES.includes(type)) refuse(`Invalid volumeType: ${type}`);
  // The magnetic type is not for Fargate, the only launch type here.
  if (type === 'standard') refuse('The volume type standard is not supported on Fargate.');
  if (numberIn(volume, 'throughput') !== undefined && type !== 'gp3')
    refuse(`throughput is not supported for volumeType ${type}.`);
  if (type.startsWith('io') && numberIn(volume, 'iops') === undefined)
    refuse(`iops is required for volumeType ${type}.`);
  const filesystem = textIn(volume, 'filesystemType');
  if (filesystem !== undefined && !FILESYSTEMS.includes(filesystem)) refuse(`Invalid filesystemType: ${filesystem}`);
  flagIn(volume, 'encrypted');
}

/** Only a service has tags that its tasks could get. */
export function checkTagSettings(input: Input, of: 'service' | 'task'): void {
  const accepted = ['TASK_DEFINITION', 'NONE', ...(of === 'service' ? ['SERVICE'] : [])];
  const given = textIn(input, 'propagateTags');
  if (given !== undefined && !accepted.includes(given)) refuse(`Invalid value for propagateTags: ${given}`);
  flagIn(input, 'enableECSManagedTags');
}

const FARGATE_PROVIDERS = ['FARGATE', 'FARGATE_SPOT'];

/** Where tasks run: Fargate alone is played, by its launch type or its two capacity providers. */
export function checkLaunch(input: Input): void {
  const strategy = objectsIn(input, 'capacityProviderStrategy') ?? [];
  const launchType = textIn(input, 'launchType');
  if (launchType !== undefined && strategy.length > 0)
    refuse('Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.');
  if ((launchType ?? 'FARGATE') !== 'FARGATE') notModelled(`the launch type ${launchType ?? ''}`);
  for (const one of strategy) {
    const provider = textIn(one, 'capacityProvider') ?? refuse('capacityProvider is required.');
    if (!FARGATE_PROVIDERS.includes(provider)) notModelled(`the capacity provider ${provider}`);
    const weight = numberIn(one, 'weight') ?? 0;
    if (weight < 0 || weight > 1_000) refuse('weight must be between 0 and 1000.');
  }
  const weights = strategy.map((one) => numberIn(one, 'weight') ?? 0);
  if (strategy.length > 1 && weights.every((weight) => weight === 0))
    refuse('At least one capacity provider must have a weight greater than zero.');
  checkPlatform(textIn(input, 'platformVersion'));
}

function checkPlatform(version: string | undefined): void {
  if (version === undefined || /^(?:LATEST|1\.[34]\.0)$/.test(version)) return;
  throw new Refused('PlatformUnknownException', 'The specified platform does not exist.');
}

/** The launch type that counts; none where a strategy of capacity providers decides. */
export const launchTypeOf = (input: Input): { readonly launchType?: 'FARGATE' } =>
  (objectsIn(input, 'capacityProviderStrategy') ?? []).length > 0 ? {} : { launchType: 'FARGATE' };
