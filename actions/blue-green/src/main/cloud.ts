import type { ShiftRecord } from '../../../../src/domain/shift/record.ts';
import type { ClientConfig } from '../../../../src/adapters/aws/client-config.ts';
import type { OpenRouter } from '../../../../src/adapters/traffic/open-router.ts';
import type { Prober } from '../../../../src/ports/prober.ts';
import type { Journal } from '../../../../src/ports/journal.ts';
import type { ActionTools } from '../../../../src/runtime/action.ts';
import { joinRoutes, joinTargets } from '../../../../src/engine/shift/join-routes.ts';
import { otherColor } from '../../../../src/domain/traffic-split.ts';
import type { Listened } from '../decide/reach.ts';
import type { Ports } from '../execute/acting.ts';
import type { Request } from '../inputs.ts';

export type Cloud = Pick<Ports, 'router' | 'routes' | 'targets' | 'ecs' | 'conditions' | 'autoscaling'> & {
  readonly journal: Journal<ShiftRecord>;
  readonly clientConfig: ClientConfig;
  /** Of each route: where it is measured what users meet. */
  readonly meters: readonly OpenRouter['meterOf'][];
  /** Of each route whose listener has rules. */
  readonly listened: (signal: AbortSignal) => Promise<readonly Listened[]>;
};

export async function cloudOf(request: Request, tools: ActionTools & { readonly prober: Prober }): Promise<Cloud> {
  const { awsSession } = await import('../../../../src/adapters/aws/session.ts');
  const session = await awsSession(request, tools, tools.signal);
  const [{ ecsOf }, { deployConditionsOf }, { autoscalingOf }, { openRouter }] = await Promise.all([
    import('../../../../src/adapters/aws/ecs.ts'),
    import('../../../../src/adapters/aws/deploy-conditions.ts'),
    import('../../../../src/adapters/aws/autoscaling.ts'),
    import('../../../../src/adapters/traffic/open-router.ts'),
  ]);
  const { mode, to } = request;
  const left = mode === 'rollback' && to !== undefined ? otherColor(to) : undefined;
  const opened = await Promise.all(
    request.routes.map((route) => openRouter(session.clientConfig, route, { ...tools, left })),
  );
  for (const notice of new Set(opened.flatMap(({ notices }) => notices))) tools.log.warning(notice);
  const routes = opened.map(({ router }) => router);
  const [first] = opened;
  if (first === undefined) throw new TypeError('there is at least one route');
  return {
    router: joinRoutes(routes),
    routes,
    targets: joinTargets(opened.map(({ targets }) => targets)),
    // One record for all of them, on the first.
    journal: first.journal,
    meters: opened.map(({ meterOf }) => meterOf),
    listened: (signal) => listenedOn(opened, signal),
    ecs: ecsOf(session, tools.log),
    conditions: deployConditionsOf(session, tools.clock),
    autoscaling: autoscalingOf(session),
    clientConfig: session.clientConfig,
  };
}

const listenedOn = async (opened: readonly OpenRouter[], signal: AbortSignal): Promise<readonly Listened[]> =>
  Promise.all(
    opened.flatMap(({ router, rules, targets }) =>
      rules === undefined
        ? []
        : [rules(signal).then((found) => ({ name: router.name, rules: found, groupsOf: targets.groupsOf }))],
    ),
  );
