import { describe, expect, test } from '@jest/globals';
import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import { forwardOf, restoredTo, splitOf, stickyFor, withSplit } from '../../../src/adapters/traffic/alb-actions.ts';
import { NoLiveColor, splitGiving } from '../../../src/domain/traffic-split.ts';

const arn = (name: string): string =>
  `arn:aws:elasticloadbalancing:us-west-2:111122223333:targetgroup/${name}/0123456789abcdef`;
const GROUPS = { blue: arn('shop-blue'), green: arn('shop-green') };
const forward = (tuples: readonly (readonly [string, number])[], more: object = {}): Action => ({
  Type: 'forward',
  Order: 2,
  ForwardConfig: { TargetGroups: tuples.map(([name, Weight]) => ({ TargetGroupArn: arn(name), Weight })), ...more },
});
const OIDC: Action = {
  Type: 'authenticate-oidc',
  Order: 1,
  AuthenticateOidcConfig: {
    Issuer: 'https://id.example.com', AuthorizationEndpoint: 'https://id.example.com/a', TokenEndpoint: 'https://id.example.com/t',
    UserInfoEndpoint: 'https://id.example.com/u', ClientId: 'shop', Scope: 'openid', SessionTimeout: 3_600,
  },
}; // prettier-ignore
const COGNITO: Action = {
  Type: 'authenticate-cognito',
  Order: 1,
  AuthenticateCognitoConfig: { UserPoolArn: 'p', UserPoolClientId: 'c', UserPoolDomain: 'd' },
};

describe('other weights', () => {
  test('leave every other action as it was read, in its order', () => {
    const actions = [COGNITO, forward([['shop-blue', 100], ['shop-green', 0]])]; // prettier-ignore
    expect(withSplit(actions, GROUPS, splitGiving('green', 10))).toEqual([COGNITO, forward([['shop-blue', 90], ['shop-green', 10]])]); // prettier-ignore
  });

  test('ask for the client secret that is there, because it is never shown', () => {
    const [sent] = withSplit([OIDC, forward([['shop-blue', 1]])], GROUPS, splitGiving('green', 10));
    expect(sent).toEqual({
      ...OIDC,
      AuthenticateOidcConfig: { ...OIDC.AuthenticateOidcConfig, UseExistingClientSecret: true },
    });
  });

  test('keep the order of the target groups and add the one that is missing', () => {
    const tuples = (actions: readonly Action[]) =>
      withSplit(actions, GROUPS, splitGiving('blue', 70))[0]?.ForwardConfig?.TargetGroups;
    expect(tuples([forward([['shop-green', 1], ['shop-blue', 1]])])).toEqual([{ TargetGroupArn: GROUPS.green, Weight: 30 }, { TargetGroupArn: GROUPS.blue, Weight: 70 }]); // prettier-ignore
    expect(tuples([forward([['shop-green', 1]])])).toEqual([{ TargetGroupArn: GROUPS.green, Weight: 30 }, { TargetGroupArn: GROUPS.blue, Weight: 70 }]); // prettier-ignore
  });

  test('turn the short form of a forward into the long one, without the TargetGroupArn that would be refused beside it', () => {
    const [sent] = withSplit([{ Type: 'forward', TargetGroupArn: GROUPS.blue }], GROUPS, splitGiving('blue', 100));
    expect(sent).toEqual({ Type: 'forward', ForwardConfig: { TargetGroups: [{ TargetGroupArn: GROUPS.blue, Weight: 100 }, { TargetGroupArn: GROUPS.green, Weight: 0 }] } }); // prettier-ignore
  });

  test('keep the stickiness of the rule', () => {
    const sticky = { TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: 3_600 } };
    const [sent] = withSplit([forward([['shop-blue', 1]], sticky)], GROUPS, splitGiving('green', 50));
    expect(sent?.ForwardConfig?.TargetGroupStickinessConfig).toEqual(sticky.TargetGroupStickinessConfig);
    expect(stickyFor(forwardOf([sent!], GROUPS, 'rule'))).toBe(3_600_000);
  });
});

describe('the way back', () => {
  test('gives one color everything and drops the stickiness; both colors stay in the rule', () => {
    const sticky = { TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: 3_600 } };
    const [auth, sent] = restoredTo([COGNITO, forward([['shop-blue', 50], ['shop-green', 50]], sticky)], GROUPS, splitGiving('blue', 100)); // prettier-ignore
    expect(auth).toEqual(COGNITO);
    expect(sent?.ForwardConfig).toEqual({
      TargetGroups: [{ TargetGroupArn: GROUPS.blue, Weight: 100 }, { TargetGroupArn: GROUPS.green, Weight: 0 }],
      TargetGroupStickinessConfig: { Enabled: false },
    }); // prettier-ignore
  });
});

describe('a rule is refused', () => {
  test.each([
    { name: 'that forwards to a third target group', actions: [forward([['shop-blue', 1], ['shop-canary', 1]])], why: 'it also forwards to shop-canary' },
    { name: 'that forwards to neither color', actions: [forward([['other', 1]])], why: 'it forwards to other, to neither color' },
    { name: 'that redirects', actions: [{ Type: 'redirect' } as Action], why: 'its last action does not forward' },
    { name: 'without an action', actions: [], why: 'its last action does not forward' },
  ])('$name', ({ actions, why }) => {
    expect(() => forwardOf(actions, GROUPS, 'ALB rule web-443/10')).toThrow(`ALB rule web-443/10 cannot carry a shift: ${why}`);
  }); // prettier-ignore
});

test.each([
  { name: 'a single target group has everything', actions: [{ Type: 'forward', TargetGroupArn: GROUPS.green } as Action], split: splitGiving('green', 100) },
  { name: 'weights of any size are shares', actions: [forward([['shop-blue', 900], ['shop-green', 99]])], split: { blue: 90.09, green: 9.91 } },
])('$name', ({ actions, split }) => {
  expect(splitOf(forwardOf(actions, GROUPS, 'rule'))).toEqual(split);
}); // prettier-ignore

test('no weight at all is no split', () => {
  const actions = [forward([['shop-blue', 0], ['shop-green', 0]])]; // prettier-ignore
  expect(() => splitOf(forwardOf(actions, GROUPS, 'rule'))).toThrow(NoLiveColor);
});
