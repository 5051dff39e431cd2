import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { InvalidInput } from '../../src/domain/inputs.ts';
import { readConfig, stageOf } from '../../src/runtime/read-config.ts';
import { readYaml } from '../../src/runtime/read-yaml.ts';
import { type StagePlan, planStages } from './plan.ts';
import { type Change, type Scaling, scaleDurations } from './scale.ts';

/** A user's configuration as it can be rehearsed, with a list of everything that differs from the file. */
export interface RehearsalConfiguration {
  readonly stages: readonly StagePlan[];
  /** Values of each stage, patterns expanded. */
  readonly values: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Text by path, beside the configuration: policies and checks with shorter durations. */
  readonly files: Readonly<Record<string, string>>;
  readonly changed: readonly string[];
}

/** What cannot be the same in a sandbox: accounts, roles and public addresses. They are taken out, and it is said. */
const FOREIGN = [
  'role-to-assume',
  'allowed-account-ids',
  'url',
  'url-from',
  'region',
  'registry',
  'candidate-headers',
] as const;

export async function readConfiguration(path: string, scaling: Scaling): Promise<RehearsalConfiguration> {
  const read = readConfig(await readFile(path, 'utf8'), path);
  if (!read.ok) throw new InvalidInput(path, read.problems);
  const values: Record<string, Record<string, unknown>> = {};
  for (const name of read.value.stages) {
    const stage = stageOf(read.value, name);
    if (!stage.ok) throw new InvalidInput(path, stage.problems);
    values[name] = Object.fromEntries([...stage.value.values].map(([key, { value }]) => [key, value]));
  }
  const stages = planStages(values, repositoryOf(read.value.services));
  const changed = [`roles, accounts, regions and addresses (${FOREIGN.join(', ')}) are the sandbox's`];
  for (const stage of Object.values(values)) for (const key of FOREIGN) delete stage[key];
  const scaledValues = scaled(values, 'stages', scaling, changed);
  const files: Record<string, string> = {};
  for (const file of new Set(
    stages.flatMap((stage) => [stage.checks, stage.policy].filter((each) => each !== undefined)),
  )) {
    files[file] = await scaledFile(join(dirname(path), file), file, scaling, changed);
  }
  return { stages, values: scaledValues, files, changed };
}

/** The sluice.yml that the bundles read. */
export const configurationText = (
  values: RehearsalConfiguration['values'],
  services: Readonly<Record<string, unknown>> = {},
): string => stringify({ services, stages: values });

function scaled<T>(value: T, name: string, scaling: Scaling, changed: string[]): T {
  const result = scaleDurations(value, scaling);
  changed.push(...result.changes.map((change) => describe(name, change)));
  return result.value as T;
}

async function scaledFile(path: string, name: string, scaling: Scaling, changed: string[]): Promise<string> {
  const read = readYaml(await readFile(path, 'utf8'), name);
  if (!read.ok) throw new InvalidInput(name, read.problems);
  return stringify(scaled(read.value.value, name, scaling, changed));
}

const describe = (file: string, { path, from, to }: Change): string => `${file} ${path}: ${from} -> ${to}`;

/** The first service's repository; a rehearsal releases one image. */
function repositoryOf(services: Readonly<Record<string, unknown>>): string {
  const [first] = Object.values(services);
  const repository =
    typeof first === 'object' && first !== null ? (first as Record<string, unknown>)['repository'] : undefined;
  return typeof repository === 'string' ? repository : 'rehearsal/app';
}
