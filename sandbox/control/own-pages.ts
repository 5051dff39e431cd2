import type { MeasuredLoadBalancers } from '../plane/types.ts';
import type { CallEntry } from './call-log.ts';
import type { OwnAnswer, Served } from './front.ts';
import { metricsAnswer } from './metrics.ts';
import type { Regions } from './regions.ts';
import type { Sessions } from './sessions.ts';

export interface OwnPagesOptions {
  readonly sessions: Sessions;
  readonly regions: Regions;
  readonly balancers: MeasuredLoadBalancers;
  /** What a step's token request token starts with; its run follows after a dot. */
  readonly bearer: string;
  calls(): readonly CallEntry[];
}

/** What a world serves beside AWS: metrics of its target groups, identity tokens as GitHub gives them, its call log. */
export function ownPages({ sessions, regions, balancers, bearer, calls }: OwnPagesOptions): Served['serveOwn'] {
  const arnOf = (name: string): string | undefined =>
    regions.find(({ elb }) => elb.model().targetGroups.find((group) => group.name === name)?.arn);

  function identityToken(query: URLSearchParams, given: string | undefined): OwnAnswer {
    const [secret, run] = (given ?? '').split('.');
    if (secret !== bearer || run === undefined) return { status: 401, body: { message: 'the request token is wrong' } };
    const value = sessions.identityToken(run, query.get('audience') ?? 'https://github.com/sandbox');
    return { status: 200, body: { count: value.length, value } };
  }

  return ({ path, query, bearer: given }) => {
    switch (path) {
      case 'metrics':
        return metricsAnswer(query, { balancers, arnOf });
      case 'oidc':
        return identityToken(query, given);
      case 'calls':
        return { status: 200, body: calls() };
      default:
        return { status: 404, body: { message: `there is no ${path} here` } };
    }
  };
}
