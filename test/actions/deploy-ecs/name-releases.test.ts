import { describe, expect, test } from '@jest/globals';
import { nameReleases } from '../../../actions/deploy-ecs/src/execute/name.ts';
import { type Request, spec, toRequest } from '../../../actions/deploy-ecs/src/inputs.ts';
import { CloudFailure } from '../../../src/domain/retry-policy.ts';
import { readInputs } from '../../../src/runtime/read-inputs.ts';
import type { DefinitionSource } from '../../../src/engine/ecs-rollout/rollout.ts';
import type { TaskDefinition } from '../../../src/ports/ecs.ts';

const { signal } = new AbortController();
const ROLE = 'arn:aws:iam::111122223333:role/web';
const DIGEST = `sha256:${'a'.repeat(64)}`;

async function requestOf(inputs: Readonly<Record<string, string>>): Promise<Request> {
  const given = { cluster: 'shop', service: 'web', ...inputs };
  const environment = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  );
  const read = await readInputs(spec, { action: 'deploy-ecs', environment, workspace: '/', mask: () => undefined });
  if (!read.ok) throw new Error(read.problems.map(({ input, problem }) => `${input} ${problem}`).join());
  const request = toRequest(read.value.values, read.value.given);
  if (!request.ok) throw new Error(request.problems.map(({ input, problem }) => `${input} ${problem}`).join());
  return request.value;
}

interface Seen {
  readonly inputs: Readonly<Record<string, string>>;
  readonly definition?: DefinitionSource;
  /** Newest of the family; absent: it cannot be read. */
  readonly newest?: number;
}

async function named({ inputs, definition, newest }: Seen): Promise<{ name: string; reads: readonly string[] }> {
  const reads: string[] = [];
  const ecs = {
    describeTaskDefinition(family: string): Promise<TaskDefinition> {
      reads.push(family);
      if (newest === undefined) throw new CloudFailure('not-found', { what: `Could not read ${family}` });
      const arn = `arn:aws:ecs:us-west-2:111122223333:task-definition/${family}:${newest}`;
      return Promise.resolve({ arn, family, body: {}, tags: {} });
    },
  };
  const request = await nameReleases(await requestOf(inputs), { ecs, definition, definitions: new Map() }, signal);
  return { name: 'release' in request ? request.release : '', reads };
}

const written = (image: string): DefinitionSource => ({
  kind: 'written',
  body: { family: 'web', containerDefinitions: [{ name: 'web', image }] },
  tags: {},
});
const family: DefinitionSource = { kind: 'registered', name: 'web-task' };

describe('the name of a release that nobody named', () => {
  const file = { 'task-definition': 'deploy/task.json' };

  test('has the content of its file in it: two contents are two releases, the same one is the same', async () => {
    const one = await named({ inputs: file, definition: written(`r/web@${DIGEST}`) });
    const same = await named({ inputs: file, definition: written(`r/web@${DIGEST}`) });
    const other = await named({ inputs: file, definition: written('r/web@sha256:b') });
    expect(one.name).toMatch(/^deploy\/task\.json [0-9a-f]{16}$/);
    expect(same.name).toBe(one.name);
    expect(other.name).not.toBe(one.name);
    expect(one.reads).toEqual([]);
  });

  test('has the revision of a family in it that is the newest now', async () => {
    const inputs = { 'task-definition': 'web-task' };
    expect(await named({ inputs, definition: family, newest: 7 })).toEqual({
      name: 'web-task web-task:7',
      reads: ['web-task'],
    });
    expect((await named({ inputs, definition: family, newest: 8 })).name).toBe('web-task web-task:8');
    // What cannot be read is told by the release itself.
    expect((await named({ inputs, definition: family })).name).toBe('web-task');
  });

  const asItIs: readonly (Seen & { readonly name: string; readonly release: string })[] = [
    {
      name: 'a revision with its number',
      inputs: { 'task-definition': 'web-task:7' },
      definition: { kind: 'registered', name: 'web-task:7' },
      release: 'web-task:7',
    },
    {
      name: 'a release with a name',
      inputs: { ...file, 'release-id': 'v1' },
      definition: written('r/web:1'),
      release: 'v1',
    },
    {
      name: 'an image',
      inputs: { image: `r/web@${DIGEST}` },
      release: `r/web@${DIGEST}`,
    },
  ];
  test.each(asItIs)('is as it is for $name', async ({ inputs, definition, release }) => {
    expect(await named({ inputs, ...(definition === undefined ? {} : { definition }) })).toEqual({
      name: release,
      reads: [],
    });
  });

  test('is not of the newest revision where the release itself registers one in that family', async () => {
    const image = `r/web@${DIGEST}`;
    const more = [{ image }, { containers: '{ web: { environment: { A: "1" } } }' }, { 'task-role-arn': ROLE }];
    for (const given of more) {
      const seen = { inputs: { 'task-definition': 'web-task', ...given }, definition: family };
      const [first, again] = [await named({ ...seen, newest: 7 }), await named({ ...seen, newest: 8 })];
      expect(again).toEqual(first);
      expect(first.reads).toEqual([]);
    }
  });

  test('has beside its image all that comes with it: one image with other variables or another file is another release', async () => {
    const image = `r/web@${DIGEST}`;
    const variables = (value: string) =>
      named({ inputs: { image, containers: `{ web: { environment: { A: "${value}" } } }` } });
    const [one, same, other] = [await variables('1'), await variables('1'), await variables('2')];
    expect(one.name).toMatch(new RegExp(`^${image} [0-9a-f]{16}$`));
    expect(same.name).toBe(one.name);
    expect(other.name).not.toBe(one.name);
    const from = (content: string) => named({ inputs: { ...file, image }, definition: written(content) });
    expect((await from('r/web:1')).name).toMatch(new RegExp(`^${image} deploy/task\\.json [0-9a-f]{16}$`));
    expect((await from('r/web:2')).name).not.toBe((await from('r/web:1')).name);
  });

  test('is made for each service of a group', async () => {
    const group = '[{ service: api, task-definition: a.json }, { service: web, task-definition: b.json }]';
    const request = await requestOf({ service: '', 'service-group': group });
    const definitions = new Map([
      ['api', written('r/api:1')],
      ['web', written('r/web:1')],
    ]);
    const ecs = { describeTaskDefinition: () => Promise.reject(new Error('nothing is read')) };
    const named = await nameReleases(request, { ecs, definition: undefined, definitions }, signal);
    expect(named.mode === 'deploy-group' ? named.members.map(({ deploy }) => deploy.release) : []).toEqual([
      expect.stringMatching(/^a\.json [0-9a-f]{16}$/),
      expect.stringMatching(/^b\.json [0-9a-f]{16}$/),
    ]);
  });
});
