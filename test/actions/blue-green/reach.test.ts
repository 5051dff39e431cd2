import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type Rule,
  DescribeRulesCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { type Cloud, startCloud } from '../../../sandbox/cloud.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { type Scene, POLICY, scene } from './scene.ts';
import { stringify } from 'yaml';

let cloud: Cloud;
let stage: Scene;
beforeAll(async () => {
  cloud = await startCloud({ clock: 'lock-step' });
  stage = await scene(cloud);
}, 60_000);
afterAll(() => cloud?.stop());

const UNPROVEN = { 'expect-version': '' };

describe('headers that do not reach each color alone are refused before anything is written', () => {
  test.each([
    { name: 'a name that is misspelt', headers: { 'x-colour': '{color}' }, says: /request for green \(x-colour\) meets rule \w+, by which users come/ },
    { name: 'the color in a header that no rule reads', headers: { 'x-color': 'blue', 'x-trace': '{color}' }, says: /request for green \(x-color, x-trace\) meets rule \w+, which leads to blue/ },
    { name: 'also in a dry run', headers: { 'x-colour': '{color}' }, says: /meets rule/, more: { 'dry-run': 'true' } },
  ])('$name', async ({ headers, says, more }) => {
    const before = await stage.truth();
    const inputs = { ...UNPROVEN, 'candidate-headers': JSON.stringify(headers), ...more };
    const result = await runBundle(stage.step(inputs));
    expect(result.exitCode).toBe(1);
    expect(JSON.stringify(result.annotations)).toMatch(/candidate-headers do not reach each color alone/);
    expect(JSON.stringify(result.annotations)).toMatch(says);
    expect(stage.writes('action')).toEqual([]);
    expect(await stage.truth()).toEqual(before);
  }, 60_000); // prettier-ignore
});

test('a variable that only these headers need does not bar a look or the way back', async () => {
  const headers = { 'x-color': '{color}', 'x-origin': '${ORIGIN_SECRET}' };
  const inputs = { 'candidate-headers': JSON.stringify(headers), image: '' };
  const looked = await runBundle(stage.step({ ...inputs, mode: 'rollback', 'dry-run': 'true' }));
  expect(looked.outputs).toMatchObject({ outcome: 'planned' });
  const begun = await runBundle(stage.step({ ...inputs, mode: 'shift' }));
  expect(begun.outputs).toMatchObject({ outcome: 'invalid-input' });
  expect(JSON.stringify(begun.annotations)).toContain('ORIGIN_SECRET');
}, 60_000);

test.each([
  { name: 'nothing proves whom it reaches: one warning', file: {}, warned: 1 },
  { name: 'a check looks for the version: none', file: { expect: { version: { json: '$.version' } } }, warned: 0 },
])('an address elsewhere is taken at its word; $name', async ({ file, warned }) => {
  const checks = { version: 1, checks: [{ name: 'version', get: '/version', ...file }] };
  const files = { 'policy.yml': stringify(POLICY), 'checks.yml': stringify(checks) };
  const version = { 'expect-version': warned === 0 ? 'v2' : '' };
  const inputs = { ...version, 'candidate-headers': '', 'candidate-url': 'http://{color}.localhost:1', 'dry-run': 'true' };
  const planned = await runBundle(stage.step(inputs, { files }));
  expect(planned.outputs).toMatchObject({ outcome: 'planned' });
  const said = planned.annotations.filter(({ message }) => message.includes('Nothing proves that http://{color}.localhost:1'));
  expect(said).toHaveLength(warned);
  expect(said.every(({ level }) => level === 'warning')).toBe(true);
}, 60_000); // prettier-ignore

test('rules of the listener that are crossed are refused, and only warned of where the answer itself proves the version', async () => {
  const client = new ElasticLoadBalancingV2Client(stage.world.client());
  const listener = stage.stacked.ruleArn.replace(':listener-rule/', ':listener/').replace(/\/[^/]*$/, '');
  const { Rules = [] } = await client.send(new DescribeRulesCommand({ ListenerArn: listener }));
  const byHeader = Rules.filter(({ Conditions }) => Conditions?.some(({ Field }) => Field === 'http-header'));
  const [one, other] = byHeader as [Rule, Rule];
  await client.send(new ModifyRuleCommand({ RuleArn: one.RuleArn, Actions: other.Actions }));
  await client.send(new ModifyRuleCommand({ RuleArn: other.RuleArn, Actions: one.Actions }));
  const refused = await runBundle(stage.step(UNPROVEN));
  expect(refused.exitCode).toBe(1);
  expect(JSON.stringify(refused.annotations)).toMatch(/request for blue \(x-color\) meets rule \w+, which leads to green/);
  // The version that the candidate answers with is asked for at weight 0.
  const CHECKS_OF_VERSION = { version: 1, checks: [{ name: 'version', get: '/version', expect: { version: { json: '$.version' } } }] };
  const files = { 'policy.yml': stringify(POLICY), 'checks.yml': stringify(CHECKS_OF_VERSION) };
  const asked = await runBundle(stage.step({ image: stage.images.bad, 'expect-version': 'not-there' }, { files }));
  expect(JSON.stringify(asked.annotations)).toMatch(/"level":"warning","title":"[^"]*","message":"candidate-headers do not reach each color alone/);
  expect(asked.outputs['outcome']).toBe('candidate-failed');
  client.destroy();
}, 120_000); // prettier-ignore
