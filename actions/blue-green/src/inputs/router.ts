import { type FieldResult, nearestOf } from '../../../../src/domain/inputs.ts';
import { type JsonSchema, closed, oneKeyOf, wholly } from '../../../../src/domain/json-schema.ts';
import { type Color, COLORS } from '../../../../src/domain/traffic-split.ts';

/** Where the traffic is decided (exactly one of the two), and which target group or record is which color. */
export interface RouterRequest {
  readonly alb?: {
    readonly listener: string | undefined;
    readonly port: number | undefined;
    readonly rule: string | undefined;
  };
  readonly route53?: {
    readonly zone: string;
    readonly record: string;
    readonly targets: Readonly<Record<Color, string>> | undefined;
    readonly health: string | undefined;
  };
  readonly colors: Readonly<Record<Color, string>>;
}

export const ROUTER_SHAPE =
  '{ alb: { listener, port, rule }, colors: { blue, green } } or { route53: { zone, record, targets, health }, colors: { blue, green } }';
const ALB_KEYS = ['listener', 'port', 'rule'] as const;
const ROUTE53_KEYS = ['zone', 'record', 'targets', 'health'] as const;
const KINDS = ['alb', 'route53'] as const;
const RULE = String.raw`default|[1-9]\d{0,4}|arn:.+:listener-rule\/app\/.+`;

const nameSchema = (description: string): JsonSchema => ({
  type: ['string', 'number'],
  pattern: String.raw`\S`,
  description,
});

/** As `readColors` reads it. */
export const COLORS_SCHEMA: JsonSchema = closed<Color>(
  { blue: nameSchema('Name of the blue one.'), green: nameSchema('Name of the green one.') },
  { required: COLORS },
);

/** As `readRouter` reads it. */
export const ROUTER_SCHEMA: JsonSchema = closed(
  {
    alb: closed<(typeof ALB_KEYS)[number]>({
      listener: nameSchema('Name of the load balancer, or ARN of the listener.'),
      port: {
        type: ['integer', 'string'],
        minimum: 1,
        maximum: 65_535,
        pattern: String.raw`^\s*\d+\s*$`,
        description: 'Port of the listener. Example: `443`.',
      },
      rule: {
        type: ['string', 'integer'],
        pattern: wholly(String.raw`\s*(?:${RULE})\s*`),
        patternErrorMessage: 'A priority, default, or the ARN of a rule',
        description: 'Priority, `default` or ARN. Without it the one rule of the listener that forwards to the colors.',
      },
    }),
    route53: closed<(typeof ROUTE53_KEYS)[number]>(
      {
        zone: nameSchema('Name or id of the hosted zone.'),
        record: nameSchema('Name that users ask for; its A, AAAA or CNAME records are weighted.'),
        targets: {
          ...COLORS_SCHEMA,
          description:
            'Target groups that tell whether a color serves, where the records lead to no load balancer of this account and have no health check.',
        },
        health: {
          type: 'string',
          pattern: String.raw`^https?://.*\{color\}`,
          patternErrorMessage: 'A URL with {color} in it',
          description:
            'URL that tells whether a color serves, where neither a load balancer of this account nor a health check does; `{color}` stands for the color. Example: `https://{color}.example.com/health`.',
        },
      },
      { required: ['zone', 'record'] },
    ),
    colors: {
      ...COLORS_SCHEMA,
      description: 'Names of the target groups; with route53 the set identifiers of the records.',
    },
  },
  { required: ['colors'], ...oneKeyOf(KINDS) },
);

export const ROUTES_SHAPE = 'a list of routers';
/** As `readRoutes` reads it. */
export const ROUTES_SCHEMA: JsonSchema = { type: 'array', minItems: 1, items: ROUTER_SCHEMA };

const LATER = ['ingress', 'gateway', 'service'];

type Mapping = Readonly<Record<string, unknown>>;
const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const wrong = (problem: string, accepted: string = ROUTER_SHAPE): FieldResult<never> => ({
  ok: false,
  problem,
  accepted,
});

export function readRouter(value: unknown): FieldResult<RouterRequest> {
  if (!isMapping(value)) return wrong('is not a mapping');
  const later = Object.keys(value).find((key) => LATER.includes(key));
  if (later !== undefined) return wrong(`names ${later}, which is not supported in this version`);
  const unknown = unknownKey(value, [...KINDS, 'colors']);
  if (unknown !== undefined) return unknown;
  const { alb, route53, colors } = value;
  if (alb !== undefined && route53 !== undefined) return wrong('has both alb and route53');
  const kind = route53 === undefined ? 'alb' : 'route53';
  const at = route53 ?? alb;
  if (!isMapping(at))
    return wrong(kind === 'alb' ? 'has no alb and no route53' : 'has a route53 that is not a mapping');
  const colored = readColors(colors);
  if (!colored.ok) return { ...colored, problem: `colors ${colored.problem}` };
  const extra = unknownKey(at, kind === 'alb' ? ALB_KEYS : ROUTE53_KEYS);
  if (extra !== undefined) return extra;
  return kind === 'alb' ? readAlb(at, colored.value) : readRoute53(at, colored.value);
}

function readAlb(alb: Mapping, colors: RouterRequest['colors']): FieldResult<RouterRequest> {
  const [listener, given, rule] = ALB_KEYS.map((key) => textOf(alb[key]));
  const empty = ALB_KEYS.find((key) => alb[key] !== undefined && textOf(alb[key]) === undefined);
  if (empty !== undefined) return wrong(`has an alb.${empty} that is neither a text nor a number`);
  const port = given === undefined ? undefined : /^\d+$/.test(given) ? Number(given) : Number.NaN;
  if (port !== undefined && !(port >= 1 && port <= 65_535))
    return wrong('has an alb.port that is no port', '1 to 65535');
  if (rule !== undefined && !new RegExp(wholly(RULE)).test(rule)) {
    return wrong('has an alb.rule that is no rule', 'a priority, default, or the ARN of a rule');
  }
  if (listener === undefined && rule?.startsWith('arn:') !== true)
    return wrong('has no alb.listener', 'the name of the load balancer, or the ARN of the listener');
  return { ok: true, value: { alb: { listener, port, rule }, colors } };
}

function readRoute53(given: Mapping, colors: RouterRequest['colors']): FieldResult<RouterRequest> {
  const [zone, record] = [textOf(given['zone']), textOf(given['record'])];
  if (zone === undefined) return wrong('has no route53.zone', 'the name or the id of the hosted zone');
  if (record === undefined) return wrong('has no route53.record', 'the name that users ask for');
  const targets = given['targets'] === undefined ? undefined : readColors(given['targets']);
  if (targets?.ok === false) return { ...targets, problem: `route53.targets ${targets.problem}` };
  const health = given['health'] === undefined ? undefined : healthOf(given['health']);
  if (health?.ok === false) return health;
  return { ok: true, value: { route53: { zone, record, targets: targets?.value, health: health?.value }, colors } };
}

function healthOf(value: unknown): FieldResult<string> {
  const text = textOf(value) ?? '';
  const parsed = text.includes('{color}') ? URL.parse(text.replaceAll('{color}', 'blue')) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.password !== '')
    return wrong('has a route53.health that is no URL of each color', 'https://{color}.example.com/health');
  return { ok: true, value: text };
}

/** Every place once: two moves of one rule would undo each other. */
export function readRoutes(value: unknown): FieldResult<readonly RouterRequest[]> {
  if (!Array.isArray(value) || value.length === 0) return wrong('is not a list of routers', ROUTES_SHAPE);
  const routes: RouterRequest[] = [];
  for (const [index, each] of value.entries()) {
    const read = readRouter(each);
    if (!read.ok) return { ...read, problem: `[${index}] ${read.problem}` };
    const again = routes.findIndex(
      ({ alb, route53 }) => JSON.stringify([alb, route53]) === JSON.stringify([read.value.alb, read.value.route53]),
    );
    if (again >= 0) return wrong(`[${index}] is the same place as [${again}]`, 'places that differ');
    routes.push(read.value);
  }
  return { ok: true, value: routes };
}

/** `{ blue, green }` with two different names. */
export function readColors(value: unknown): FieldResult<Readonly<Record<Color, string>>> {
  const accepted = '{ blue: NAME, green: NAME }';
  if (!isMapping(value)) return wrong('is not a mapping', accepted);
  const unknown = unknownKey(value, COLORS);
  if (unknown !== undefined) return unknown;
  const [blue, green] = COLORS.map((color) => textOf(value[color]));
  if (blue === undefined || green === undefined)
    return wrong(`has no ${blue === undefined ? 'blue' : 'green'}`, accepted);
  if (blue === green) return wrong('has the same name for both colors', accepted);
  return { ok: true, value: { blue, green } };
}

function unknownKey(value: Mapping, known: readonly string[]): FieldResult<never> | undefined {
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown === undefined) return undefined;
  const nearest = nearestOf(unknown, known);
  return { ...wrong(`has the unknown key ${unknown}`, known.join(', ')), ...(nearest ? { nearest } : {}) };
}

const textOf = (value: unknown): string | undefined =>
  (typeof value === 'string' && value.trim() !== '') || typeof value === 'number' ? String(value).trim() : undefined;
