import { Failure } from '../../src/domain/failure.ts';

/** What the sandbox has to build for one stage of a sluice.yml, and how the stage is released. */
export interface StagePlan {
  readonly name: string;
  /** A stage with a `router` is released by blue-green, every other one by deploy-ecs and smoke-test. */
  readonly release: 'rolling' | 'blue-green';
  readonly cluster: string;
  readonly container: string;
  readonly repository: string;
  /** One service for a rolling stage; blue first, then green, for blue-green. */
  readonly services: readonly string[];
  readonly targetGroups: readonly string[];
  readonly loadBalancer: string;
  readonly port: number;
  /** Tasks of the service that is live at the start. */
  readonly desired: number;
  /** Requests a second of the users of this stage. */
  readonly usersPerSecond: number;
  readonly host: string | undefined;
  readonly checks: string | undefined;
  readonly policy: string | undefined;
}

type Values = Readonly<Record<string, unknown>>;

/** Tasks and users grow from stage to stage, as they do for real; small enough for two cores. */
const SIZES = [
  { desired: 1, usersPerSecond: 5 },
  { desired: 2, usersPerSecond: 10 },
  { desired: 3, usersPerSecond: 60 },
] as const;

/** Plans every stage of a configuration whose `{stage}` patterns are already expanded, in the order of the file. */
export function planStages(stages: Readonly<Record<string, Values>>, repository: string): readonly StagePlan[] {
  const names = Object.keys(stages);
  return names.map((name, index) => {
    const values = stages[name] ?? {};
    const size = index === names.length - 1 ? SIZES[2] : (SIZES[index] ?? SIZES[1]);
    const shared = {
      name,
      cluster: text(values, 'cluster', name),
      container: text(values, 'container', name),
      repository,
      ...size,
      host: optional(values, 'host'),
      checks: optional(values, 'checks'),
      policy: optional(values, 'policy'),
    };
    return values['router'] === undefined ? rollingStage(values, shared) : blueGreenStage(values, shared);
  });
}

type Shared = Omit<StagePlan, 'release' | 'services' | 'targetGroups' | 'loadBalancer' | 'port'>;

function rollingStage(values: Values, shared: Shared): StagePlan {
  const service = text(values, 'service', shared.name);
  // The file names the service alone; its load balancer and target group get names of their own within ELBv2's 32 characters.
  const stem = service.replace(/-service$/, '').slice(0, 28);
  return {
    ...shared,
    release: 'rolling',
    services: [service],
    targetGroups: [`${stem}-tg`],
    loadBalancer: `${stem}-alb`,
    port: 443,
  };
}

function blueGreenStage(values: Values, shared: Shared): StagePlan {
  const router = record(values['router'], `stages.${shared.name}.router`);
  const alb = record(router['alb'], `stages.${shared.name}.router.alb`);
  const colors = record(router['colors'], `stages.${shared.name}.router.colors`);
  const services = record(values['services'], `stages.${shared.name}.services`);
  return {
    ...shared,
    release: 'blue-green',
    services: [text(services, 'blue', shared.name), text(services, 'green', shared.name)],
    targetGroups: [text(colors, 'blue', shared.name), text(colors, 'green', shared.name)],
    loadBalancer: text(alb, 'listener', shared.name),
    port: Number(alb['port'] ?? 443),
  };
}

function record(value: unknown, path: string): Values {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Values;
  throw new Failure({
    what: `${path} is missing`,
    why: 'the rehearsal builds the stage from it',
    next: `Add ${path} to the configuration`,
  });
}

function text(values: Values, key: string, stage: string): string {
  const value = values[key];
  if (typeof value === 'string' && value !== '') return value;
  throw new Failure({
    what: `Stage ${stage} has no ${key}`,
    why: 'the rehearsal builds the stage from it',
    next: `Add ${key} to the stage or to stages.defaults`,
  });
}

function optional(values: Values, key: string): string | undefined {
  const value = values[key];
  return typeof value === 'string' ? value : undefined;
}
