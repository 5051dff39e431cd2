import type { Color } from '../../domain/traffic-split.ts';
import type { ClientConfig } from '../aws/client-config.ts';
import type { AlbTarget } from './alb-place.ts';
import type { Route53Target } from './route53-place.ts';
import type { OpenRouter, OpenTools } from './open-alb.ts';

/** Where the traffic is decided, as `router` in inputs and in sluice.yml says: exactly one of the two. */
export interface RouterChoice {
  readonly colors: Readonly<Record<Color, string>>;
  readonly alb?: Omit<AlbTarget, 'colors'>;
  readonly route53?: Omit<Route53Target, 'colors'>;
}

export type { OpenRouter, OpenTools } from './open-alb.ts';

export async function openRouter(
  config: ClientConfig,
  { alb, route53, colors }: RouterChoice,
  tools: OpenTools,
): Promise<OpenRouter> {
  if (route53 !== undefined) {
    const { openRoute53 } = await import('./open-route53.ts');
    return openRoute53(config, { ...route53, colors }, tools);
  }
  if (alb === undefined) throw new TypeError('a router is one of alb and route53');
  const { openAlb } = await import('./open-alb.ts');
  return openAlb(config, { ...alb, colors }, tools);
}
