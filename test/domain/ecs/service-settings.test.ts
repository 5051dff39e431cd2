import { describe, expect, test } from '@jest/globals';
import { ROLE_ARN, withRoles } from '../../../src/domain/ecs/roles.ts';
import {
  readServiceSettings,
  refuseVolumes,
  settingsBefore,
  settingsChanges,
  settingsFor,
} from '../../../src/domain/ecs/service-settings.ts';
import type { ServiceSettings } from '../../../src/domain/ecs/service.ts';
import { service } from './services.ts';

const ROLE = 'arn:aws:iam::123456789012:role/ecs-volumes';
const volume = (more: object = {}) => ({ name: 'data', managedEBSVolume: { roleArn: ROLE, sizeInGiB: 20, ...more } });

describe('settings of a service', () => {
  test('are read in the words of the API, and what is not given is not there', () => {
    const data = { 'role-arn': ROLE, 'size-gib': 20, type: 'gp3', 'throughput-mib': 200, tags: { b: 2, a: 'x' } };
    expect(readServiceSettings({ volumes: { data }, 'propagate-tags': 'task-definition' })).toEqual({
      ok: true,
      value: {
        volumes: [
          volume({
            volumeType: 'gp3',
            throughput: 200,
            tagSpecifications: [
              {
                resourceType: 'volume',
                tags: [
                  { key: 'a', value: 'x' },
                  { key: 'b', value: '2' },
                ],
              },
            ],
          }),
        ],
        propagateTags: 'TASK_DEFINITION',
      },
    });
    expect(readServiceSettings({ 'enable-ecs-managed-tags': 'false' })).toEqual({
      ok: true,
      value: { managedTags: false },
    });
  });

  const data = { 'role-arn': ROLE, 'size-gib': 20 };
  test.each([
    { name: 'no volume, which would take all away', given: { volumes: {} }, says: 'volumes: has no volume' },
    { name: 'no role', given: { volumes: { d: { 'size-gib': 1 } } }, says: 'volumes.d: has no role-arn' },
    { name: 'no size', given: { volumes: { d: { 'role-arn': ROLE } } }, says: 'has neither size-gib nor snapshot' },
    { name: 'a role that is none', given: { volumes: { d: { ...data, 'role-arn': 'x' } } }, says: 'not the ARN of a' },
    { name: 'a size of nothing', given: { volumes: { d: { ...data, 'size-gib': 0 } } }, says: '1 to 16384' },
    { name: 'io2 without IOPS', given: { volumes: { d: { ...data, type: 'io2' } } }, says: 'no iops, which io2 needs' },
    {
      name: 'throughput of a disk',
      given: { volumes: { d: { ...data, type: 'st1', 'throughput-mib': 200 } } },
      says: 'has throughput-mib, which st1 does not take. Accepted: type: gp3',
    },
    {
      name: 'a rate without a snapshot',
      given: { volumes: { d: { ...data, 'initialization-rate-mib': 200 } } },
      says: 'which only a snapshot has',
    },
    {
      name: 'what only a task has',
      given: { volumes: { d: { ...data, 'delete-on-termination': true } } },
      says: 'volumes.d.delete-on-termination: is not a key of this place',
    },
    { name: 'a tag of AWS', given: { volumes: { d: { ...data, tags: { 'aws:a': 'b' } } } }, says: 'AWS keeps for' },
    { name: 'a word that is none', given: { 'propagate-tags': 'services' }, says: 'service, task-definition, none' },
    { name: 'a misspelt key', given: { 'propagate-tag': 'none' }, says: 'Did you mean propagate-tags?' },
  ])('are refused for $name', ({ given, says }) => {
    const read = readServiceSettings(given);
    expect(read.ok ? '' : read.problem).toContain(says);
  });

  test('are told with all that is wrong at once', () => {
    const read = readServiceSettings({ volumes: { d: {} }, 'propagate-tags': 1, 'enable-ecs-managed-tags': 'yes' });
    const problem = read.ok ? '' : read.problem;
    for (const word of ['has no role-arn', 'has neither', 'propagate-tags', 'enable-ecs-managed-tags'])
      expect(problem).toContain(word);
  });
});

describe('what changes of a service', () => {
  const now: ServiceSettings = { volumes: [volume({ encrypted: false })], propagateTags: 'SERVICE', managedTags: true };
  const rows: readonly { name: string; wish: ServiceSettings; changes: readonly string[] }[] = [
    { name: 'nothing where nothing is given', wish: {}, changes: [] },
    { name: 'nothing where it is as given, whatever ECS filled in', wish: { ...now, volumes: [volume()] }, changes: [] },
    { name: 'a larger volume', wish: { volumes: [volume({ sizeInGiB: 40 })] }, changes: ['volumes.data.sizeInGiB: 20 -> 40'] },
    {
      name: 'another volume',
      wish: { volumes: [{ ...volume(), name: 'cache' }] },
      changes: ['volumes.data: is taken away', 'volumes.cache: is new'],
    },
    { name: 'whose tags', wish: { propagateTags: 'NONE' }, changes: ['propagate-tags: SERVICE -> NONE'] },
    { name: 'tags of ECS', wish: { managedTags: false }, changes: ['enable-ecs-managed-tags: true -> false'] },
  ]; // prettier-ignore
  test.each(rows)('is $name', ({ wish, changes }) => {
    expect(settingsChanges({ settings: now }, wish)).toEqual(changes);
  });

  test('is nothing, where ECS shows tags of a volume in its own order and whose tags it gets', () => {
    const tags = [{ key: 'a', value: '1' }, { key: 'b', value: '2' }]; // prettier-ignore
    const shown = [{ resourceType: 'volume', propagateTags: 'NONE', tags: tags.toReversed() }];
    const tagged = { settings: { volumes: [volume({ tagSpecifications: shown })] } };
    const wish = (given: object) => ({
      volumes: [volume({ tagSpecifications: [{ resourceType: 'volume', ...given }] })],
    });
    expect(settingsChanges(tagged, wish({ tags }))).toEqual([]);
    expect(settingsChanges(tagged, wish({ tags: [...tags, { key: 'c', value: '3' }] }))).toHaveLength(1);
  });

  test('is what a service without a word of it has not', () => {
    const wish: ServiceSettings = { volumes: [volume()], propagateTags: 'NONE', managedTags: false };
    expect(settingsChanges({}, wish)).toEqual(['volumes.data: is new']);
    expect(settingsBefore({}, wish)).toEqual({ volumes: [], propagateTags: 'NONE', managedTags: false });
    expect(settingsBefore({ settings: now }, now)).toEqual({});
  });

  test('is refused for a volume that the definition does not wait for', () => {
    const body = { volumes: [{ name: 'data', configuredAtLaunch: true }, { name: 'logs' }] };
    const to = { body, current: {} };
    expect(refuseVolumes(service(), to, { volumes: [volume()] })).toBeUndefined();
    expect(refuseVolumes(service(), to, { volumes: [{ ...volume(), name: 'logs' }] })?.why).toContain(
      'configures the volume logs, and the task definition has only data with configuredAtLaunch: true',
    );
    expect(refuseVolumes(service(), { body: {}, current: body }, { volumes: [volume()] })?.why).toContain(
      'has no volume with configuredAt',
    );
  });
});

describe('what an update says of the volumes', () => {
  const waits = { volumes: [{ name: 'data', configuredAtLaunch: true }] };
  const has = { settings: { volumes: [volume()], propagateTags: 'SERVICE' } } as const;
  const larger = volume({ sizeInGiB: 40 });
  const rows: readonly {
    readonly name: string;
    readonly now: Parameters<typeof settingsFor>[0];
    readonly body: object;
    readonly sources?: Parameters<typeof settingsFor>[2];
    readonly says: ServiceSettings;
  }[] = [
    { name: 'nothing, where the definition waits for what there is', now: has, body: waits, says: {} },
    { name: 'none, where it waits for none', now: has, body: {}, says: { volumes: [] } },
    { name: 'nothing, where there is none', now: {}, body: {}, says: {} },
    { name: 'what is wished for', now: has, body: waits, sources: { wish: { volumes: [larger] } }, says: { volumes: [larger] } },
    { name: 'what was recorded, where there is none', now: {}, body: waits, sources: { recorded: [larger] }, says: { volumes: [larger] } },
    { name: 'nothing of a record, where there is one', now: has, body: waits, sources: { recorded: [larger] }, says: {} },
    { name: 'none, and the rest of the wish', now: has, body: {}, sources: { wish: { managedTags: true } }, says: { volumes: [], managedTags: true } },
  ]; // prettier-ignore
  test.each(rows)('is $name', ({ now, body, sources, says }) => {
    expect(settingsFor(now, { ...body }, sources)).toEqual(says);
  });

  test('is asked for first, where nobody configures what the definition waits for, unless it runs so already', () => {
    expect(refuseVolumes(service(), { body: waits, current: {} })?.why).toContain(
      'has the volume data with configuredAtLaunch: true, and neither service-settings nor the service configures it',
    );
    expect(refuseVolumes(service(), { body: waits, current: waits })).toBeUndefined();
    expect(refuseVolumes({ ...service(), ...has }, { body: waits, current: {} })).toBeUndefined();
  });
});

describe('roles', () => {
  test.each(['aws', 'aws-cn', 'aws-us-gov', 'aws-iso-b', 'aws-eusc'])('may be of the partition %s', (partition) => {
    expect(`arn:${partition}:iam::123456789012:role/team/web-1`).toMatch(ROLE_ARN);
  });

  test.each(['web', 'arn:aws:iam::123:role/web', 'arn:aws:iam::123456789012:user/web', 'arn:gcp:iam::123456789012:role/w'])(
    '%s is none',
    (text) => {
      expect(text).not.toMatch(ROLE_ARN);
    },
  ); // prettier-ignore

  test('change the definition where they are given', () => {
    const body = { taskRoleArn: 'old', executionRoleArn: 'kept', family: 'web' };
    expect(withRoles(body, { task: 'new' })).toEqual({ ...body, taskRoleArn: 'new' });
    expect(withRoles(body, { execution: 'new' })).toEqual({ ...body, executionRoleArn: 'new' });
    expect(withRoles(body, {})).toBe(body);
  });
});
