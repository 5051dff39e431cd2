import { describe, expect, test } from '@jest/globals';
import { planOf } from '../../../actions/deploy-ecs/src/decide.ts';
import type { DeployRequest } from '../../../actions/deploy-ecs/src/inputs.ts';
import { planReport, reportOf } from '../../../actions/deploy-ecs/src/report.ts';
import { minutes, seconds } from '../../../src/domain/duration.ts';
import type { RolloutResult } from '../../../src/domain/ecs/result.ts';
import type { EcsDeployment, EcsService } from '../../../src/domain/ecs/service.ts';
import type { Situation } from '../../../src/domain/ecs/start.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const RUNS = `r.example.com/web@${DIGEST}`;
const WANTED = `r.example.com/web@sha256:${'b'.repeat(64)}`;
const request = (given: Partial<DeployRequest> = {}): DeployRequest => ({
  cluster: 'shop',
  service: 'web-service',
  container: undefined,
  image: WANTED,
  roles: undefined,
  settings: undefined,
  release: 'v1',
  named: 'by-itself',
  desired: undefined,
  timeout: minutes(20),
  onFailure: 'rollback',
  onCancel: 'rollback',
  onOutdated: 'fail',
  onConflict: 'fail',
  region: undefined,
  roleToAssume: undefined,
  allowedAccountIds: undefined,
  mode: 'deploy',
  dryRun: 'no',
  approval: { kind: 'none' },
  checks: undefined,
  address: { url: undefined, from: undefined },
  definition: undefined,
  edits: undefined,
  before: undefined,
  after: undefined,
  ...given,
});

describe('the report', () => {
  const result = (given: Partial<RolloutResult>): RolloutResult => ({
    outcome: 'succeeded',
    taskDefinition: 'arn:aws:ecs:us-west-2:1:task-definition/web:8',
    previousTaskDefinition: 'arn:aws:ecs:us-west-2:1:task-definition/web:7',
    reason: 'because.',
    changed: true,
    diagnosis: [],
    ...given,
  });
  const rows = [
    { outcome: 'succeeded', conclusion: 'success', headline: 'web-service runs web:8 after 42s: because.' },
    { outcome: 'unchanged', conclusion: 'success', headline: 'web-service is unchanged: because.' },
    {
      outcome: 'rolled-back',
      conclusion: 'failure',
      headline: 'web-service rolled back from web:8 after 42s: because.',
    },
    {
      outcome: 'failed',
      conclusion: 'failure',
      headline:
        'web-service failed to deploy web:8 after 42s: because. Look at service web-service in cluster shop: ECS may still be trying.',
    },
    {
      outcome: 'superseded',
      conclusion: 'failure',
      headline:
        'web-service was taken over before the release of web:8 was over: because. Nothing of the other deployment was touched; re-run to deploy this image again.',
    },
    {
      outcome: 'timed-out',
      conclusion: 'failure',
      headline:
        'web-service did not come to an end with web:8 in 42s: because. Look at service web-service in cluster shop: ECS may still be working on it.',
    },
  ] as const;
  test.each(rows)('of $outcome is a $conclusion', ({ outcome, conclusion, headline }) => {
    expect(reportOf(result({ outcome }), request(), seconds(42))).toMatchObject({ outcome, conclusion, headline });
  });

  test('gives the three ARNs, empty where there is none', () => {
    const { previousTaskDefinition: _, ...first } = result({ serviceDeploymentArn: 'arn:sd' });
    expect(reportOf(first, request(), seconds(1)).outputs).toMatchObject({
      'task-definition-arn': 'arn:aws:ecs:us-west-2:1:task-definition/web:8',
      'previous-task-definition-arn': '',
      'service-deployment-arn': 'arn:sd',
    });
  });

  test('of one that is left says so in the summary too', () => {
    const { summary } = reportOf(result({ outcome: 'failed' }), request({ onFailure: 'leave' }), seconds(1));
    expect(JSON.stringify(summary)).toContain('It was left as it is (on-failure: leave).');
  });

  test('shows what was seen as text that is not ours', () => {
    const { summary } = reportOf(result({ outcome: 'failed', diagnosis: ['a', 'b'] }), request(), seconds(1));
    expect(summary.at(-1)).toEqual({ kind: 'verbatim', text: 'a\nb' });
  });
});

describe('the plan', () => {
  const primary: EcsDeployment = {
    id: 'ecs-svc/1',
    status: 'PRIMARY',
    taskDefinition: 'arn:td/web:7',
    desired: 3,
    running: 3,
    pending: 0,
    failed: 0,
    rolloutState: 'COMPLETED',
  };
  const situation = (given: Partial<EcsService> = {}): Situation => ({
    service: {
      arn: 'arn:svc',
      ref: { cluster: 'shop', service: 'web-service' },
      status: 'ACTIVE',
      taskDefinition: 'arn:td/web:7',
      desired: 3,
      running: 3,
      pending: 0,
      deployments: [primary],
      events: [],
      loadBalancers: [],
      tags: {},
      ...given,
    },
    current: {
      arn: 'arn:td/web:7',
      family: 'web',
      body: { containerDefinitions: [{ name: 'web', image: RUNS }] },
      tags: {},
    },
  });
  const moving = { deployments: [{ ...primary, rolloutState: 'IN_PROGRESS' as const }] };
  const rows = [
    {
      name: 'registers and deploys another image',
      given: {},
      wish: { desired: 4 },
      start: 'deploy',
      lines: [
        'Register a revision after web:7 with:',
        `- web.image: ${RUNS}`,
        `+ web.image: ${WANTED}`,
        'Update web-service to it',
        'Set the desired count from 3 to 4',
        'Follow that deployment for its end, or the way back',
      ],
    },
    {
      name: 'does nothing for the same image',
      given: {},
      wish: { image: RUNS },
      start: 'unchanged',
      lines: ['Nothing: 3 of 3 tasks run web:7 with this image'],
    },
    {
      name: 'scales the same image',
      given: {},
      wish: { image: RUNS, desired: 1 },
      start: 'scale',
      lines: ['Set the desired count from 3 to 1', 'Wait until 1 tasks run web:7, which has this image already'],
    },
    {
      name: 'waits for the same image to be steady',
      given: { running: 2 },
      wish: { image: RUNS },
      start: 'settle',
      lines: ['Wait until 3 tasks run web:7, which has this image already'],
    },
    {
      name: 'follows the same image in flight',
      given: moving,
      wish: { image: RUNS },
      start: 'attach',
      lines: ['Follow the deployment of web:7 that is in flight already (ecs-svc/1)'],
    },
    {
      name: 'refuses beside another deployment',
      given: moving,
      wish: {},
      start: 'conflict',
      lines: ['Refuse: the deployment of web:7 is in flight (the tags of the service name no release of this action)'],
    },
    {
      name: 'waits beside another deployment when asked',
      given: moving,
      wish: { onConflict: 'wait' as const },
      start: 'conflict',
      lines: ['Wait for the end of the deployment of web:7, then look again'],
    },
    {
      name: 'deploys a failed revision again',
      given: { deployments: [{ ...primary, rolloutState: 'FAILED' as const }] },
      wish: { image: RUNS, onFailure: 'leave' as const },
      start: 'restart',
      lines: ['Deploy web:7 again: the last deployment of web:7 failed', 'Follow that deployment for its end'],
    },
    {
      name: 'refuses a service of CodeDeploy',
      given: { controller: 'CODE_DEPLOY' },
      wish: {},
      start: 'refuse',
      lines: ['Refuse: its deployment controller CODE_DEPLOY is not supported'],
    },
  ];
  test.each(rows)('$name', ({ given, wish, start, lines }) => {
    expect(planOf(situation(given), request(wish), { run: '100/1' })).toMatchObject({ start, lines });
  });

  test('that would be refused is red', () => {
    const red = planReport(planOf(situation(moving), request(), { run: '100/1' }), request());
    expect(red).toMatchObject({
      conclusion: 'failure',
      outcome: 'planned',
      changed: false,
      headline: 'web-service: would be refused; nothing was changed.',
    });
    expect(planReport(planOf(situation(), request(), { run: '100/1' }), request())).toMatchObject({
      conclusion: 'success',
      headline: 'web-service: would deploy; nothing was changed.',
    });
  });
});
