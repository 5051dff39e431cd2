import { type InputProblem, oneOf, structure, text } from '../../../../src/domain/inputs.ts';
import { ecsWords } from '../../../../src/domain/stage-inputs.ts';
import type { Color } from '../../../../src/domain/traffic-split.ts';
import { COLORS_SCHEMA, readColors } from './router.ts';

/** Who deploys the candidate, and to what. */
export const serviceInputs = {
  deploy: oneOf(['ecs', 'none'], {
    description:
      'Who deploys the candidate: `ecs` rolls the image out to the service of its color; `none` leaves it to a step before, and whatever serves a color is judged, shifted and taken back. Then `cluster`, `services` and the image may be left out, and without services nothing is scaled. Example: `none`.',
    from: 'stage',
    fallback: 'ecs',
  }),
  cluster: text({ description: ecsWords.cluster, from: 'stage' }),
  services: structure(
    {
      description: 'Names of the two ECS services, by color. Example: `{ blue: shop-blue, green: shop-green }`.',
      from: 'stage',
      shape: COLORS_SCHEMA,
    },
    '{ blue, green }',
    readColors,
  ),
  'color-tag': text({
    description:
      'Tag of one of the services that names the live color. Live weights decide; the tag does only where they cannot tell (both colors have weight, or none has, and no shift explains it), and a tag that contradicts them is said. At the end of a shift it is corrected where it stands; a service without it gets none. Example: `LiveColor`.',
    from: 'stage',
    fallback: 'DeploymentColor',
  }),
};

export interface Services {
  readonly cluster: string;
  readonly services: Readonly<Record<Color, string>>;
}

interface Given {
  readonly deploy: 'ecs' | 'none';
  readonly cluster: string | undefined;
  readonly services: Services['services'] | undefined;
}

/** The services are needed where they are deployed to; elsewhere they are both there, to be scaled, or not at all. */
export function servicesOf({ deploy, cluster, services }: Given, problems: InputProblem[]): Services | undefined {
  if (cluster !== undefined && services !== undefined) return { cluster, services };
  const lacking = Object.entries({ cluster, services }).filter(([, value]) => value === undefined);
  const isPart = lacking.length === 1;
  if (deploy === 'ecs' || isPart)
    for (const [input] of lacking)
      problems.push({
        input,
        problem: 'is missing',
        accepted: isPart ? 'cluster and services, together' : 'the two ECS services and their cluster, or deploy: none',
      });
  return undefined;
}
