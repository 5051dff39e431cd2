import { type Checked, type InputProblem, bad, good, nearestOf } from '../domain/inputs.ts';
import { type YamlFile, type YamlPath, readYaml } from './read-yaml.ts';

/** Values under `stages.defaults` hold for every stage that does not set the same key. */
const DEFAULTS = 'defaults';
export const TOP_LEVEL_KEYS = ['services', 'stages'] as const;
export const SERVICE_KEYS = ['repository', 'container'] as const;

/** `sluice.yml`, read as far as all actions agree on it. */
export interface SluiceConfig {
  readonly file: string;
  /** Names in the order of the file, without `defaults`. */
  readonly stages: readonly string[];
  readonly services: Readonly<Record<string, unknown>>;
  readonly yaml: YamlFile;
}

/** One key of a stage. `{stage}` is expanded in it at any depth. */
export interface StageValue {
  readonly value: unknown;
  /** Scalars (in a list: each of them) as they are written, for inputs that are text; undefined for a map. */
  readonly text: string | readonly string[] | undefined;
  /** `sluice.yml:12:5 stages.production.cluster` */
  readonly where: string;
}

export interface Stage {
  readonly name: string;
  readonly values: ReadonlyMap<string, StageValue>;
}

/** Reads the file's outer shape; `file` is its name in messages. */
export function readConfig(text: string, file: string): Checked<SluiceConfig> {
  const yaml = readYaml(text, file);
  if (!yaml.ok) return yaml;
  const { value } = yaml.value;
  if (!isMapping(value)) return bad({ input: file, problem: 'is not a mapping', accepted: 'services and stages' });
  const problems = unknownKeys(yaml.value, [], TOP_LEVEL_KEYS);
  const mappings = [
    ['services'],
    ['stages'],
    ...keysOf(value['services']).map((key) => ['services', key]),
    ...keysOf(value['stages']).map((key) => ['stages', key]),
  ];
  for (const path of mappings) {
    const inner = valueAt(value, path);
    // `staging:` alone is a stage with nothing but the defaults.
    if (inner !== undefined && inner !== null && !isMapping(inner))
      problems.push({ input: placeOf(yaml.value, path), problem: 'is not a mapping' });
  }
  for (const name of keysOf(value['services'])) problems.push(...serviceProblems(yaml.value, ['services', name]));
  if (problems.length > 0) return bad(...problems);
  const services = isMapping(value['services']) ? value['services'] : {};
  return good({
    file,
    stages: keysOf(value['stages']).filter((name) => name !== DEFAULTS),
    services,
    yaml: yaml.value,
  });
}

/** The values of one stage: its own, and those of `defaults` for keys that it does not set (whole keys: maps are not merged inside). */
export function stageOf(config: SluiceConfig, name: string): Checked<Stage> {
  if (!config.stages.includes(name)) {
    const accepted = config.stages.length === 0 ? `${config.file} has no stages` : config.stages.join(', ');
    return bad({
      input: 'stage',
      given: name,
      problem: `is not a stage of ${config.file}`,
      accepted,
      ...suggestion(name, config.stages),
    });
  }
  const values = new Map<string, StageValue>();
  const problems: InputProblem[] = [];
  for (const group of [DEFAULTS, name]) {
    for (const key of keysOf(valueAt(config.yaml.value, ['stages', group]))) {
      const path = ['stages', group, key];
      const where = placeOf(config.yaml, path);
      const value = valueAt(config.yaml.value, path);
      // A file can say "absent" by leaving the key out, so a key without a value is a slip, never a quiet default.
      if (value === null || value === '')
        problems.push({ input: where, problem: 'has no value; give one or remove the key' });
      else if (Array.isArray(value) && value.some((entry) => entry === null || entry === ''))
        problems.push({ input: where, problem: 'has an entry without a value; give one or remove the entry' });
      else values.set(key, { value: expanded(value, name), text: textOf(config.yaml, path, value, name), where });
    }
  }
  return problems.length > 0 ? bad(...problems) : good({ name, values });
}

/** The input names of all actions: one action alone cannot tell a misspelt key from another action's. */
export interface KnownKeys {
  /** What a stage may hold. */
  readonly stage: readonly string[];
  /** What only the `with:` of a step can say: in a stage it would be overlooked. */
  readonly inputOnly: readonly string[];
}

/** Keys that no action reads from a stage, in `defaults` and in the stage of that name. */
export function unknownStageKeys(config: SluiceConfig, name: string, known: KnownKeys): readonly InputProblem[] {
  return [...new Set([DEFAULTS, name])].flatMap((group) =>
    keysOf(valueAt(config.yaml.value, ['stages', group]))
      .filter((key) => !known.stage.includes(key))
      .map((key) => {
        const input = placeOf(config.yaml, ['stages', group, key]);
        return known.inputOnly.includes(key)
          ? { input, problem: 'is not read from a stage', accepted: `${key} in the with: of the step` }
          : { input, problem: 'is not an input of any action', ...suggestion(key, known.stage) };
      }),
  );
}

const serviceProblems = (yaml: YamlFile, path: readonly string[]): readonly InputProblem[] => [
  ...unknownKeys(yaml, path, SERVICE_KEYS),
  ...SERVICE_KEYS.map((key) => [...path, key])
    .filter((inner) => valueAt(yaml.value, inner) !== undefined)
    .filter((inner) => typeof valueAt(yaml.value, inner) !== 'string' || valueAt(yaml.value, inner) === '')
    .map((inner) => ({ input: placeOf(yaml, inner), problem: 'is not text' })),
];

function unknownKeys(yaml: YamlFile, path: readonly string[], known: readonly string[]): InputProblem[] {
  return keysOf(valueAt(yaml.value, path))
    .filter((key) => !known.includes(key))
    .map((key) => ({
      input: placeOf(yaml, [...path, key]),
      problem: 'is not known here',
      accepted: known.join(', '),
      ...suggestion(key, known),
    }));
}

/** `sluice.yml:12:5 stages.production.cluster` */
const placeOf = (yaml: YamlFile, path: readonly string[]): string => `${yaml.where(path)} ${path.join('.')}`;

/** `{stage}` in a string, but not `{{stage}}`, which belongs to a template of the user's. */
const PATTERN = /(?<!\{)\{stage\}(?!\})/g;

const expandedText = (text: string, stage: string): string => text.replaceAll(PATTERN, () => stage);

function expanded(value: unknown, stage: string): unknown {
  if (typeof value === 'string') return expandedText(value, stage);
  if (Array.isArray(value)) return value.map((entry) => expanded(entry, stage));
  if (isMapping(value))
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, expanded(inner, stage)]));
  return value;
}

function textOf(yaml: YamlFile, path: YamlPath, value: unknown, stage: string): StageValue['text'] {
  if (Array.isArray(value)) {
    const entries = value.map((entry, index) => textOf(yaml, [...path, index], entry, stage));
    return entries.every((entry) => typeof entry === 'string') ? entries : undefined;
  }
  // `True` and `TRUE` are the same value to YAML; to an input that takes true and false as well.
  if (typeof value === 'boolean') return String(value);
  const written = yaml.textAt(path);
  return written === undefined ? undefined : expandedText(written, stage);
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const keysOf = (value: unknown): readonly string[] => (isMapping(value) ? Object.keys(value) : []);

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (isMapping(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined),
    value,
  );
}

function suggestion(given: string, choices: readonly string[]): { readonly nearest?: string } {
  const nearest = nearestOf(given, choices);
  return nearest === undefined ? {} : { nearest };
}
