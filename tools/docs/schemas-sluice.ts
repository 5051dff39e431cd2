import type { InputField } from '../../src/domain/inputs.ts';
import { type JsonSchema, closed } from '../../src/domain/json-schema.ts';
import type { SERVICE_KEYS, TOP_LEVEL_KEYS } from '../../src/runtime/read-config.ts';
import type { ActionContract } from './action-contract.ts';

/** One action's word on a key of a stage. */
interface Reader {
  readonly action: string;
  readonly field: InputField<unknown>;
}

type Contracts = readonly Pick<ActionContract, 'name' | 'spec'>[];

/** Keys that some action reads from a stage, and those that only the `with:` of a step can give; each in order. */
export function keysOf(contracts: Contracts): {
  readonly stage: readonly string[];
  readonly inputOnly: readonly string[];
} {
  const stage = [...readersOf(contracts).keys()];
  const all = new Set(contracts.flatMap(({ spec }) => Object.keys(spec)));
  return { stage, inputOnly: [...all].filter((key) => !stage.includes(key)).sort() };
}

function readersOf(contracts: Contracts): ReadonlyMap<string, readonly Reader[]> {
  const readers = new Map<string, Reader[]>();
  for (const { name: action, spec } of contracts) {
    for (const [key, field] of Object.entries(spec)) {
      if (field.from === 'stage') readers.set(key, [...(readers.get(key) ?? []), { action, field }]);
    }
  }
  return new Map([...readers].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * sluice.yml: the union of what all actions read from a stage. A key stands once in the file whoever reads it, so the
 * actions must say the same of it; where they do not, both texts are in the error.
 */
export function sluiceSchema(contracts: Contracts): JsonSchema {
  const readers = [...readersOf(contracts)];
  const problems = readers.flatMap(([key, all]) => problemsOf(key, all));
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const stage = closed(Object.fromEntries(readers.map(([key, all]) => [key, propertyOf(all)])), {
    type: ['object', 'null'],
    title: 'Stage',
    description:
      'Values that the actions take when the step does not give them. `{stage}` stands for the name of the stage.',
  });
  return {
    ...closed<(typeof TOP_LEVEL_KEYS)[number]>({
      services: {
        type: ['object', 'null'],
        description: 'What is released, by the name that it has in `images`.',
        additionalProperties: service,
      },
      stages: {
        type: ['object', 'null'],
        description: 'Where it is released to, in this order.',
        properties: {
          defaults: {
            $ref: '#/$defs/stage',
            title: 'Defaults',
            description: 'What holds for every stage that does not set the same key.',
          },
        },
        additionalProperties: { $ref: '#/$defs/stage' },
      },
    }),
    title: 'Configuration of Sluice',
    description: 'Values that differ between the environments, in one place: an action is told `stage: production`.',
    $defs: { stage },
  };
}

const NAME: JsonSchema = { type: 'string', minLength: 1 };

const service = closed<(typeof SERVICE_KEYS)[number]>(
  {
    repository: { ...NAME, description: 'Repository of its image, without the registry. Example: `team/api`.' },
    container: { ...NAME, description: 'Container of the task definition that gets the image. Example: `web`.' },
  },
  { type: ['object', 'null'], title: 'Service' },
);

function problemsOf(key: string, readers: readonly Reader[]): string[] {
  const texts = new Map(readers.map(({ action, field }) => [field.description, action]));
  const silent = readers.filter(({ field }) => field.shape === undefined);
  return [
    ...(texts.size === 1
      ? []
      : [`${key} means different things in one stage:`, ...[...texts].map(([text, action]) => `  ${action}: ${text}`)]),
    ...silent.map(({ action }) => `${key} of ${action} does not say its shape`),
  ];
}

function propertyOf(readers: readonly Reader[]): JsonSchema {
  const [first] = readers;
  const actions = readers.map(({ action }) => action);
  const shapes = new Map(readers.map(({ field: { shape = {} } }) => [JSON.stringify(shape), shape]));
  const [shape = {}, ...others] = shapes.values();
  const description = [first?.field.description, defaultOf(readers), `Read by ${actions.join(', ')}.`];
  return {
    description: description.filter((part) => part !== undefined).join(' '),
    ...(others.length === 0 ? shape : { anyOf: [shape, ...others] }),
  };
}

function defaultOf(readers: readonly Reader[]): string | undefined {
  const given = readers.flatMap(({ action, field: { fallback } }) => (fallback ? [{ action, fallback }] : []));
  const [first] = given;
  if (first === undefined) return undefined;
  const same = given.length === readers.length && given.every(({ fallback }) => fallback === first.fallback);
  if (same) return `Default: \`${first.fallback}\`.`;
  return `Default: ${given.map(({ action, fallback }) => `\`${fallback}\` (${action})`).join(', ')}.`;
}
