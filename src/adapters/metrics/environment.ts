import type { InputProblem } from '../../domain/inputs.ts';
import type { Color } from '../../domain/traffic-split.ts';
import type { Arm } from '../../ports/metric-provider.ts';

/** What the texts of a source may name. */
export interface MetricPlace {
  readonly metric: string;
  /** Which color is which arm of the shift that is judged; asked at each measurement, because a shift decides it. */
  colorOf(arm: Arm): Color;
  targetGroupOf(color: Color): string;
  /** A variable of the step's environment. */
  environment(name: string): string | undefined;
}

/** Puts the environment in place of `${NAME}`; a variable that is not set becomes a problem of the input. */
export const withEnvironment =
  ({ metric, environment }: MetricPlace, problems: InputProblem[]) =>
  (text: string, key: string): string =>
    text.replaceAll(/\$\{([^}]*)\}/g, (whole, name: string) => {
      const found = environment(name);
      if (found === undefined)
        problems.push({
          input: `metrics.${metric}.${key}`,
          given: whole,
          problem: 'names an environment variable that is not set',
          accepted: `\`env: ${name}: ...\` on the step`,
        });
      return found ?? '';
    });

/** Puts values in place of `{name}`. */
export const fill = (template: string, values: Readonly<Record<string, string>>): string =>
  template.replaceAll(/\{([a-z-]+)\}/g, (whole, name: string) => values[name] ?? whole);

/** `{color}` and `{target-group}` of one arm. */
export function namesOf(place: MetricPlace, arm: Arm): Readonly<Record<'color' | 'target-group', string>> {
  const color = place.colorOf(arm);
  return { color, 'target-group': place.targetGroupOf(color) };
}
