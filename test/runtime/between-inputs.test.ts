import { describe, expect, test } from '@jest/globals';
import { spec as blueGreen, toRequest as toShift } from '../../actions/blue-green/src/inputs.ts';
import { spec as deployEcs, toRequest as toDeployment } from '../../actions/deploy-ecs/src/inputs.ts';
import { type InputSpec, describeProblem } from '../../src/domain/inputs.ts';
import type { ActionDefinition } from '../../src/runtime/action.ts';
import { problemsBetween } from '../../src/runtime/between-inputs.ts';
import { readInputs } from '../../src/runtime/read-inputs.ts';

async function told<S extends InputSpec>(
  { spec, toRequest }: Pick<ActionDefinition<S, unknown>, 'spec' | 'toRequest'>,
  inputs: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const environment = Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  );
  const read = await readInputs(spec, { action: 'any', environment, workspace: '/', mask: () => undefined });
  if (read.ok || !('rest' in read) || read.rest === undefined) throw new Error('something had to be wrong');
  return [...read.problems, ...problemsBetween({ toRequest }, read.rest)].map(describeProblem);
}
const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const ecs = { spec: deployEcs, toRequest: toDeployment };

describe('one message tells', () => {
  test('what is wrong between inputs beside what is wrong in one', async () => {
    const problems = await told(ecs, {
      cluster: 'shop',
      image: `r.example.com/web@${digest('a')}`,
      timeout: '20',
      rules: 'p95 >> 3',
      url: 'https://shop.example.com',
    });
    expect(problems.join('\n')).toMatch(/timeout: "20"/);
    expect(problems.join('\n')).toMatch(/service: is required/);
    expect(problems.join('\n')).toMatch(/rules/);
  });

  test('nothing of what depends on an input that cannot be read', async () => {
    const problems = await told(ecs, {
      cluster: 'shop',
      service: 'web',
      images: '{ web: { repository: shop, digest: none } }',
      registry: 'r.example.com',
      'image-name': 'web',
    });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^images/);
  });

  test('nothing between the inputs of a mode that is not known', async () => {
    expect(await told(ecs, { cluster: 'shop', service: 'web', mode: 'depoy' })).toHaveLength(1);
  });

  test('what blue-green would only have told the next time', async () => {
    const problems = await told(
      { spec: blueGreen, toRequest: toShift },
      {
        cluster: 'shop',
        router: '{ kind: alp }',
        services: '{ blue: a, green: b }',
        image: 'r/web:1',
        steps: '50,10',
        rules: 'foo',
      },
    );
    expect(problems.join('\n')).toMatch(/router/);
    expect(problems.join('\n')).toMatch(/steps/);
    expect(problems.join('\n')).toMatch(/rules/);
  });
});
