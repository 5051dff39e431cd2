import { describe, expect, test } from '@jest/globals';
import { readGroup } from '../../../actions/deploy-ecs/src/inputs/group.ts';
import { type spec, toRequest } from '../../../actions/deploy-ecs/src/inputs.ts';
import { minutes } from '../../../src/domain/duration.ts';
import type { InputsOf } from '../../../src/domain/inputs.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const IMAGES = {
  api: { repository: 'team/api', digest: DIGEST, tag: '7' },
  web: { repository: 'team/web', digest: DIGEST },
};
type Values = InputsOf<typeof spec>;

function requestOf(group: unknown, given: Partial<Values> = {}) {
  const read = readGroup(group);
  if (!read.ok) throw new Error(read.problem);
  const values = {
    mode: 'deploy',
    'require-approval': false,
    cluster: 'shop',
    images: IMAGES,
    registry: 'r.example.com',
    timeout: minutes(20),
    'on-failure': 'rollback',
    'on-cancel': 'rollback',
    'on-conflict': 'fail',
    'on-outdated': 'fail',
    'dry-run': false,
    'service-group': read.value,
    ...given,
  } as Values;
  return toRequest(values, new Set(['service-group']));
}

const problemsOf = (group: unknown, given: Partial<Values> = {}): readonly string[] => {
  const request = requestOf(group, given);
  return request.ok ? [] : request.problems.map(({ input, problem }) => `${input} ${problem}`);
};

describe('the input service-group', () => {
  test('gives each service what it would have by itself', () => {
    const request = requestOf([
      { service: 'api', image: 'api' },
      { service: 'web', image: 'web', 'depends-on': ['api'] },
    ]);
    expect(request.ok && request.value.mode === 'deploy-group' ? request.value.members : []).toMatchObject([
      { dependsOn: [], deploy: { service: 'api', image: `r.example.com/team/api@${DIGEST}`, cluster: 'shop' } },
      { dependsOn: ['api'], deploy: { service: 'web', image: `r.example.com/team/web@${DIGEST}`, desired: undefined } },
    ]);
  });

  test('takes a role that a block of YAML ends with a line break', () => {
    const role = 'arn:aws:iam::123456789012:role/api';
    const request = requestOf([{ service: 'api', image: 'api', 'task-role-arn': `${role}\n` }]);
    expect(request).toMatchObject({ ok: true, value: { members: [{ deploy: { roles: { task: role } } }] } });
  });

  test('tells every problem of the list at once: unknown names, doubles, rings, unknown keys', () => {
    const read = readGroup([
      { service: 'api', 'depends-on': ['web'] },
      { service: 'web', 'depends-on': ['api', 'wrker'] },
      { service: 'worker', imag: 'api' },
      { service: 'api' },
      { image: 'api' },
    ]);
    const problem = read.ok ? '' : read.problem;
    for (const part of [
      'names wrker, which is no service of the group',
      'is not a key of this place',
      'names api a second time',
      'has no service',
      'depends on itself in a ring: api -> web -> api',
    ])
      expect(problem).toContain(part);
  });

  test('refuses what belongs to one service, beside the problems of its entries', () => {
    expect(
      problemsOf([{ service: 'api', image: 'aip' }, { service: 'web' }], {
        image: 'r.example.com/web:1',
        'desired-count': 3,
        'task-definition': 'web',
      }),
    ).toEqual([
      'image is not read where service-group is deployed',
      'task-definition is not read where service-group is deployed',
      'desired-count is not read where service-group is deployed',
      'service-group[0].image is no entry of images',
      'service-group[1].image is missing',
    ]);
  });

  test('is not read by the other modes, which need a service', () => {
    expect(problemsOf([{ service: 'api', image: 'api' }], { mode: 'status', images: undefined })).toEqual([
      'service-group is not read by mode: status',
      'service is required: service-group is read by mode: deploy alone',
    ]);
  });
});
