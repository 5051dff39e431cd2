import type { Action, TargetGroupStickinessConfig, TargetGroupTuple } from '@aws-sdk/client-elastic-load-balancing-v2';
import { type Duration, seconds } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import { type Color, type TrafficSplit, COLORS, NoLiveColor, splitOfWeights } from '../../domain/traffic-split.ts';

/** ARNs of the target groups. */
export type ColorGroups = Readonly<Record<Color, string>>;

/** The one forward action of a rule, as far as it matters here. */
export interface Forward {
  readonly weights: Readonly<Record<Color, number>>;
  /** Colors whose target group stands in the action, in its order. */
  readonly seated: readonly Color[];
  readonly stickiness: TargetGroupStickinessConfig | undefined;
}

/**
 * Reads the forward action and refuses what a shift must not touch: an action that forwards nowhere, to other target
 * groups too, or to none of the two. `where` is the rule as messages name it.
 */
export function forwardOf(actions: readonly Action[], groups: ColorGroups, where: string): Forward {
  const tuples = tuplesOf(actions);
  const why = tuples === undefined ? 'its last action does not forward' : whyNotOurs(tuples, groups);
  if (tuples === undefined || why !== undefined) {
    throw new Failure({
      what: `${where} cannot carry a shift`,
      why: why ?? '',
      now: 'Nothing was touched',
      next: `Let its forward action name ${groupName(groups.blue)}, ${groupName(groups.green)} or both, and nothing else with weight`,
    });
  }
  const weight = (color: Color): number => {
    const tuple = tuples.find(({ TargetGroupArn }) => TargetGroupArn === groups[color]);
    // A single target group is shown without a weight; it gets everything.
    return tuple === undefined ? 0 : (tuple.Weight ?? 1);
  };
  return {
    weights: { blue: weight('blue'), green: weight('green') },
    seated: tuples.flatMap(({ TargetGroupArn }) => COLORS.filter((color) => groups[color] === TargetGroupArn)),
    stickiness: forwardIn(actions)?.ForwardConfig?.TargetGroupStickinessConfig,
  };
}

/** ARNs that the forward action names, whosever they are; none when it does not forward. */
export const forwardedGroups = (actions: readonly Action[]): readonly string[] =>
  (tuplesOf(actions) ?? []).flatMap(({ TargetGroupArn }) => (TargetGroupArn === undefined ? [] : [TargetGroupArn]));

/** Those of them that get anything. */
export const servedGroups = (actions: readonly Action[]): readonly string[] =>
  (tuplesOf(actions) ?? []).flatMap(({ TargetGroupArn, Weight }) =>
    TargetGroupArn === undefined || Weight === 0 ? [] : [TargetGroupArn],
  );

const forwardIn = (actions: readonly Action[]): Action | undefined => actions.find(({ Type }) => Type === 'forward');

/** A forward to one target group may be given without a ForwardConfig. */
function tuplesOf(actions: readonly Action[]): readonly TargetGroupTuple[] | undefined {
  const forward = forwardIn(actions);
  if (forward === undefined) return undefined;
  const listed = forward.ForwardConfig?.TargetGroups ?? [];
  return listed.length > 0 ? listed : [{ TargetGroupArn: forward.TargetGroupArn }];
}

/** Another target group at weight 0 stands in nobody's way: it was the live one before blue and green were there. */
function whyNotOurs(tuples: readonly TargetGroupTuple[], groups: ColorGroups): string | undefined {
  const foreign = tuples.filter((tuple) => isForeign(tuple, groups));
  const names = (all: readonly TargetGroupTuple[]): string =>
    all.map(({ TargetGroupArn = '' }) => groupName(TargetGroupArn)).join(', ');
  if (foreign.length === tuples.length) return `it forwards to ${names(foreign)}, to neither color`;
  const weighty = foreign.filter(({ Weight = 1 }) => Weight > 0);
  return weighty.length === 0 ? undefined : `it also forwards to ${names(weighty)}`;
}

const isForeign = ({ TargetGroupArn }: TargetGroupTuple, groups: ColorGroups): boolean =>
  TargetGroupArn !== groups.blue && TargetGroupArn !== groups.green;

/** The live split. Throws NoLiveColor when both weights are 0. */
export function splitOf({ weights }: Forward): TrafficSplit {
  if (weights.blue === 0 && weights.green === 0) throw new NoLiveColor();
  return splitOfWeights(weights);
}

/** How long a client is kept on the color that it met first, whatever the weights say. */
export const stickyFor = ({ stickiness }: Forward): Duration =>
  seconds(stickiness?.Enabled === true ? (stickiness.DurationSeconds ?? 0) : 0);

/**
 * The whole list of actions with other weights. ModifyRule and ModifyListener replace the list, so everything else in it
 * (authentication before the forward, order, stickiness) is sent back as it was read.
 */
export function withSplit(actions: readonly Action[], groups: ColorGroups, split: TrafficSplit): Action[] {
  return replaced(actions, groups, {
    split,
    stickiness: forwardIn(actions)?.ForwardConfig?.TargetGroupStickinessConfig,
  });
}

/**
 * The way back: all weight to one color and no stickiness. Stickiness outranks weights, so clients that met the candidate
 * would stay with it until their cookie ends (repost.aws/questions/QUugYm4uzWSI2af5mnmMjlZQ).
 */
export function restoredTo(actions: readonly Action[], groups: ColorGroups, split: TrafficSplit): Action[] {
  return replaced(actions, groups, { split, stickiness: { Enabled: false } });
}

/** The same weights with stickiness as it was before a rollback dropped it. */
export function stuckFor(actions: readonly Action[], groups: ColorGroups, length: Duration): Action[] {
  const split = forwardOf(actions, groups, '').weights;
  return replaced(actions, groups, { split, stickiness: { Enabled: true, DurationSeconds: length / 1_000 } });
}

interface Replacement {
  readonly split: TrafficSplit;
  readonly stickiness: TargetGroupStickinessConfig | undefined;
}

function replaced(actions: readonly Action[], groups: ColorGroups, { split, stickiness }: Replacement): Action[] {
  const present = forwardedGroups(actions);
  const order = [...COLORS].sort((a, b) => place(present, groups[a]) - place(present, groups[b]));
  return actions.map((action) => {
    if (action.Type !== 'forward') return sendable(action);
    // With a ForwardConfig of two groups, a TargetGroupArn beside it is refused.
    const { TargetGroupArn: _single, ...rest } = action;
    const others = (tuplesOf([action]) ?? []).filter((tuple) => isForeign(tuple, groups));
    return {
      ...rest,
      ForwardConfig: {
        TargetGroups: [
          ...order.map((color) => ({ TargetGroupArn: groups[color], Weight: split[color] })),
          ...others.map(({ TargetGroupArn }) => ({ TargetGroupArn, Weight: 0 })),
        ],
        ...(stickiness === undefined ? {} : { TargetGroupStickinessConfig: stickiness }),
      },
    };
  });
}

const place = (present: readonly string[], arn: string): number => {
  const at = present.indexOf(arn);
  return at < 0 ? present.length : at;
};

/** A client secret is never shown; without this flag it would have to be given again. */
function sendable(action: Action): Action {
  const oidc = action.AuthenticateOidcConfig;
  return oidc === undefined
    ? action
    : { ...action, AuthenticateOidcConfig: { ...oidc, UseExistingClientSecret: true } };
}

/** `arn:...:targetgroup/shop-green/0123` -> `shop-green`. */
export const groupName = (arn: string): string => arn.split(':targetgroup/')[1]?.split('/')[0] ?? arn;
