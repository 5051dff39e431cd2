import { Refused } from './refused.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * What RegisterTaskDefinition refuses and moto accepts. Sizes: "Task CPU and memory" of the Amazon ECS developer guide;
 * sentences as public reports quote them (github.com/mongodb/terraform-aws-ecs-task-definition/issues/38,
 * github.com/towardsthecloud/aws-cdk-examples/issues/1, github.com/Shippable/support/issues/3094).
 */
export function checkTaskDefinition(input: Json): void {
  checkTypes(input);
  checkSize(input);
  checkFamily(input['family']);
  const containers = (input['containerDefinitions'] ?? []) as readonly Json[];
  if (containers.length === 0) throw client('Container list cannot be empty.');
  for (const container of containers) checkContainer(container);
  const names = containers.map((container) => container['name']);
  if (new Set(names).size < names.length) throw client('Container names must be unique within a task definition.');
  if (!containers.some((container) => container['essential'] !== false)) {
    throw client('At least one container must be marked as essential.');
  }
  if ((input['requiresCompatibilities'] as readonly string[] | undefined)?.includes('FARGATE')) checkFargate(input);
}

/** github.com/awsdocs/amazon-ecs-developer-guide/pull/149 */
const LARGEST = 65_536;

function checkSize(input: Json): void {
  const length = Buffer.byteLength(JSON.stringify(input));
  if (length > LARGEST) throw client(`Actual length: '${length}'. Max allowed length is '${LARGEST}' bytes.`);
}

const client = (message: string): Refused => new Refused('ClientException', message);

function checkFamily(family: unknown): void {
  if (typeof family !== 'string' || family === '') throw client('Family should not be null or empty.');
  if (!/^[\w-]{1,255}$/.test(family)) throw client('Family contains invalid characters.');
}

const IMAGE = /^[a-zA-Z0-9_\-.:/@#]{1,255}$/;
// The reference grammar of distribution (github.com/distribution/reference): host, lower-case path, tag, digest.
const PATH =
  /^(?:[a-zA-Z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*/;
const REFERENCE = new RegExp(`${PATH.source}(?::[\\w][\\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`);

function checkContainer(container: Json): void {
  const { name, image } = container;
  if (typeof name !== 'string' || name === '') throw client('Container.name should not be null or empty.');
  if (!/^[\w-]{1,255}$/.test(name)) throw client('Container.name contains invalid characters.');
  if (typeof image !== 'string' || image === '') throw client('Container.image should not be null or empty.');
  if (!IMAGE.test(image) || !REFERENCE.test(image)) throw client('Container.image contains invalid characters.');
}

const GB = 1_024;
const steps = (from: number, to: number, by: number): readonly number[] =>
  Array.from({ length: (to - from) / by + 1 }, (_, index) => from + index * by);

/** CPU units to the MiB that go with them. */
const FARGATE_SIZES: ReadonlyMap<number, readonly number[]> = new Map([
  [256, [512, GB, 2 * GB]],
  [512, steps(GB, 4 * GB, GB)],
  [1_024, steps(2 * GB, 8 * GB, GB)],
  [2_048, steps(4 * GB, 16 * GB, GB)],
  [4_096, steps(8 * GB, 30 * GB, GB)],
  [8_192, steps(16 * GB, 60 * GB, 4 * GB)],
  [16_384, steps(32 * GB, 120 * GB, 8 * GB)],
]);

function checkFargate(input: Json): void {
  if (input['networkMode'] !== 'awsvpc') throw client('Fargate only supports network mode ‘awsvpc’.');
  for (const field of ['cpu', 'memory'] as const) {
    if (input[field] === undefined) throw client(`Fargate requires that '${field}' be defined at the task level.`);
  }
  const cpu = sizeOf(input['cpu'], { word: 'vCPU', per: 1_024 });
  const memory = sizeOf(input['memory'], { word: 'GB', per: GB });
  if (FARGATE_SIZES.get(cpu)?.includes(memory)) return;
  const given = `${String(input['cpu'])} CPU, ${String(input['memory'])} memory`;
  throw client(
    `No Fargate configuration exists for given values: ${given}. See the Amazon ECS documentation for the valid values.`,
  );
}

/** `1 GB` is kept as `1024`, as the service converts sizes when it registers them. */
export function withSizesInUnits(input: Json): Json {
  const cpu = sizeOf(input['cpu'], { word: 'vCPU', per: 1_024 });
  const memory = sizeOf(input['memory'], { word: 'GB', per: GB });
  return {
    ...input,
    ...(Number.isNaN(cpu) ? {} : { cpu: String(cpu) }),
    ...(Number.isNaN(memory) ? {} : { memory: String(memory) }),
  };
}

/** The JSON of the service knows numbers from texts, and names no field when they are mixed up (D#587 of the AWS action). */
function checkTypes(input: Json): void {
  for (const text of [input['cpu'], input['memory'], ...environmentValues(input)]) {
    if (text !== undefined && typeof text !== 'string') {
      throw new Refused('SerializationException', `${kindOf(text)} can not be converted to a String`);
    }
  }
  for (const container of (input['containerDefinitions'] ?? []) as readonly Json[]) {
    for (const { containerPort } of (container['portMappings'] ?? []) as readonly Json[]) {
      if (typeof containerPort === 'string') {
        throw new Refused('SerializationException', 'STRING_VALUE cannot be converted to Integer');
      }
    }
  }
}

const environmentValues = (input: Json): readonly unknown[] =>
  ((input['containerDefinitions'] ?? []) as readonly Json[]).flatMap((container) =>
    ((container['environment'] ?? []) as readonly Json[]).map(({ value }) => value),
  );

const kindOf = (value: unknown): string =>
  typeof value === 'number'
    ? 'NUMBER_VALUE'
    : typeof value === 'boolean'
      ? `${String(value).toUpperCase()}_VALUE`
      : 'START_OBJECT';

/** `512`, `0.5 vCPU`, `.5 vcpu`; `1024`, `1 GB`, `1GB`. */
function sizeOf(given: unknown, unit: { readonly word: string; readonly per: number }): number {
  const [, number, word] = /^\s*(\d*\.?\d+)\s*([a-z]*)\s*$/i.exec(String(given)) ?? [];
  if (number === undefined) return Number.NaN;
  if (word === '') return Number(number);
  return word?.toLowerCase() === unit.word.toLowerCase() ? Number(number) * unit.per : Number.NaN;
}
