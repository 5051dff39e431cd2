import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateRuleCommand,
  DescribeRulesCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { DescribeServicesCommand, DescribeTaskDefinitionCommand, ECSClient, type Service } from '@aws-sdk/client-ecs';
import { DEMO_USER, tokenFor } from '../../../sandbox/application/tokens.ts';
import type { Cloud, World } from '../../../sandbox/cloud.ts';
import { type SandboxGitHub, startGitHub } from '../../../sandbox/github/front.ts';
import { COLOR_HEADER } from '../../../sandbox/rehearse/chain.ts';
import { configurationText, readConfiguration } from '../../../sandbox/rehearse/configuration.ts';
import type { StagePlan } from '../../../sandbox/rehearse/plan.ts';
import { type Users, startUsers } from '../../../sandbox/users/start-users.ts';
import { type Stack, stack } from '../../../sandbox/world.ts';
import { seconds } from '../../../src/domain/duration.ts';
import { type Repositories, makeRepositories, namingTheSuite } from './repositories.ts';
import { type WorkflowDispatch, type WorkflowRun, runWorkflow } from './runner.ts';

const EXAMPLE = resolve(import.meta.dirname, '../../../examples/wesign-charts');
const REPOSITORY = 'wesign/charts';
/** A policy of minutes is judged in seconds; see sandbox/rehearse/scale.ts for what stays as it is. */
const SCALING = { divisor: 100, floor: seconds(1) };
const STABLE = '1.4.0';
const PATHS = ['/', '/analytics/realtime-charts', '/version'];

/** WeSign Charts: its three stages in an AWS account of their own, its repository and its people on GitHub. */
export interface System {
  readonly world: World;
  readonly github: SandboxGitHub;
  readonly repositories: Repositories;
  /** Load on production: what the metrics are made of, and who would notice. */
  readonly users: Users;
  /** `{"web":{...}}` of an image that is pushed now. */
  publish(tag: string): Promise<string>;
  dispatch(workflow: string, inputs: Readonly<Record<string, string>>, options?: DispatchOptions): Promise<WorkflowRun>;
  /** What people do when the next request is opened: a comment each. Gives the moment of that request, once it was. */
  answer(comments: Readonly<Record<string, string>>): { readonly askedAt: () => number };
  /** Requests for approval that were opened so far. */
  requests(): number;
  /** Percent of production's traffic by color. */
  weights(): Promise<Readonly<Record<string, number>>>;
  /** Until a color has some of production's traffic. */
  untilLive(color: string): Promise<void>;
  /** From now on production answers 503 on a path, whatever runs behind it. */
  breakPath(path: string): Promise<void>;
  /** Tag of the image that a service of the stage runs. */
  release(stage: string, service?: string): Promise<string>;
  /** Tasks that the service of a rolling stage is asked to run. */
  desired(stage: string): Promise<number | undefined>;
  /** Operations that changed something in AWS, in order, since a moment of the sandbox's clock. */
  changes(since?: number): readonly string[];
  close(): Promise<void>;
}

export interface Attempt {
  readonly id: string;
  readonly attempt: number;
}

export interface DispatchOptions extends Pick<WorkflowDispatch, 'onStep' | 'event'> {
  /** Default: the first attempt of a run of its own. */
  readonly attempt?: Attempt;
}

export async function openSystem(cloud: Cloud): Promise<System> {
  const world = await cloud.createWorld({ tasks: 'processes' });
  const plans = (await readConfiguration(join(EXAMPLE, 'sluice.yml'), SCALING)).stages;
  const stable = await world.publishImage({ repository: plans[0]?.repository ?? '', tag: STABLE });
  const built = await Promise.all(plans.map((plan) => stack(world, specOf(plan, stable.pinned))));
  const stacks = new Map(plans.map(({ name }, index) => [name, built[index] as Stack]));
  const github = await startGitHub({
    repository: REPOSITORY,
    people: { alice: 'write', bob: 'read', carol: 'read', dave: 'write' },
  });
  const repositories = makeRepositories(REPOSITORY, await callerFiles(world, stacks));
  const production = stacks.get('production') as Stack;
  const host = plans.find(({ name }) => name === 'production')?.host ?? '';
  const users = startUsers({ url: production.url, host, ratePerSecond: 60, paths: PATHS });
  const clients = { ecs: new ECSClient(world.client()), elb: new ElasticLoadBalancingV2Client(world.client()) };
  const registry = stable.pinned.slice(0, stable.pinned.indexOf('/'));
  const metrics = `${cloud.url}/sandbox/${world.name}/metrics`;
  const parts: Parts = { world, github, repositories, stacks, clients, metrics };
  const tags = new Map([[stable.pinned, STABLE]]);
  let runs = 700;
  return {
    world,
    github,
    repositories,
    users,
    async publish(tag) {
      const { digest, pinned } = await world.publishImage({ repository: plans[0]?.repository ?? '', tag });
      const repository = pinned.slice(registry.length + 1, pinned.indexOf('@'));
      tags.set(pinned, tag);
      return JSON.stringify({ web: { repository, digest, tag } });
    },
    dispatch: (workflow, inputs, { attempt = { id: String(++runs), attempt: 1 }, ...options } = {}) =>
      dispatch(parts, { workflow, inputs, attempt, ...options }),
    answer(comments) {
      let asked = Number.NaN;
      github.afterNext(`POST ${ISSUES}`, async (data) => {
        asked = world.now();
        const path = `${ISSUES}/${(data as { number: number }).number}/comments`;
        for (const [login, body] of Object.entries(comments)) await github.as(login, `POST ${path}`, { body });
      });
      return { askedAt: () => asked };
    },
    requests: () => github.calls().filter(({ call, status }) => call === `POST ${ISSUES}` && status === 201).length,
    weights: () => weightsOf(parts, production),
    async untilLive(color) {
      for (const deadline = Date.now() + 60_000; ; await sleep(200)) {
        if (((await weightsOf(parts, production))[color] ?? 0) > 0) return;
        if (Date.now() > deadline) throw new Error(`${color} got no traffic in a minute`);
      }
    },
    async breakPath(path) {
      const answer = { StatusCode: '503', ContentType: 'text/plain', MessageBody: 'broken\n' };
      await clients.elb.send(
        new CreateRuleCommand({
          ListenerArn: production.listenerArn,
          // After the rules that reach one color alone, before the one that carries the traffic.
          Priority: 5,
          Conditions: [{ Field: 'path-pattern', PathPatternConfig: { Values: [path] } }],
          Actions: [{ Type: 'fixed-response', FixedResponseConfig: answer }],
        }),
      );
    },
    async release(stage, service = 'service') {
      const image = await imageOf(parts, stacks.get(stage) as Stack, service);
      return tags.get(image) ?? image;
    },
    desired: async (stage) => (await serviceOf(parts, stacks.get(stage) as Stack, 'service'))?.desiredCount,
    changes: (since = 0) =>
      world
        .calls()
        .flatMap(({ run, mutating, at, operation }) =>
          run !== 'fixture' && mutating && at >= since ? [operation] : [],
        ),
    async close() {
      await users.stop();
      clients.ecs.destroy();
      clients.elb.destroy();
      await github.close();
      await world.close();
      repositories.remove();
    },
  };
}

interface Parts {
  readonly world: World;
  readonly github: SandboxGitHub;
  readonly repositories: Repositories;
  readonly stacks: ReadonlyMap<string, Stack>;
  readonly clients: { readonly ecs: ECSClient; readonly elb: ElasticLoadBalancingV2Client };
  /** Where the team's metrics service answers. */
  readonly metrics: string;
}

const ISSUES = `/repos/${REPOSITORY}/issues`;
/** Whoever starts a run; its own approval would not count. */
const ACTOR = 'dave';

function specOf(plan: StagePlan, image: string) {
  const { name, cluster, services, targetGroups, loadBalancer, desired, container, port } = plan;
  return {
    stage: name,
    names: { cluster, services, targetGroups, loadBalancer },
    desired,
    image,
    container,
    listener: { port, protocol: 'HTTPS' as const },
    environment: { API_TOKEN: tokenFor(DEMO_USER) },
    ...(plan.release === 'blue-green' ? { colors: true as const, colorHeader: COLOR_HEADER } : {}),
  };
}

/** The example's files, with the sandbox's accounts and addresses in the place of the example's. */
async function callerFiles(world: World, stacks: ReadonlyMap<string, Stack>): Promise<Record<string, string>> {
  const { values, files } = await readConfiguration(join(EXAMPLE, 'sluice.yml'), SCALING);
  const stages = Object.fromEntries(
    Object.entries(values).map(([name, stage]) => [
      name,
      {
        ...stage,
        url: stacks.get(name)?.url,
        registry: `${world.account}.dkr.ecr.${world.region}.amazonaws.com`,
        region: world.region,
        'role-to-assume': `arn:aws:iam::${world.account}:role/deploy-${name}`,
        'allowed-account-ids': [world.account],
        ...(stage['router'] === undefined
          ? {}
          : { 'candidate-headers': { [COLOR_HEADER]: '{color}' }, 'settle-for': '1s', 'begin-within': '30s' }),
      },
    ]),
  );
  const rewritten = (text: string): string =>
    text
      // A release that never gets healthy is red after some seconds, not after half a minute.
      .replaceAll(/\bcount: 30\b/g, 'count: 5');
  const workflows = join(EXAMPLE, '.github/workflows');
  return {
    'sluice.yml': configurationText(stages),
    ...Object.fromEntries(Object.entries(files).map(([path, text]) => [path, rewritten(text)])),
    ...Object.fromEntries(
      readdirSync(workflows).map((file) => [
        `.github/workflows/${file}`,
        namingTheSuite(readFileSync(join(workflows, file), 'utf8')),
      ]),
    ),
  };
}

interface Asked extends Pick<WorkflowDispatch, 'onStep' | 'event'> {
  readonly workflow: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly attempt: Attempt;
}

async function dispatch(
  { world, github, repositories, metrics }: Parts,
  { workflow, inputs, attempt, ...options }: Asked,
): Promise<WorkflowRun> {
  github.setRun({ ...attempt, actor: ACTOR, triggeringActor: ACTOR, commit: repositories.commit });
  // A run of its own in the call log. No keys: each job takes its role by the identity token, as on GitHub.
  const {
    AWS_ACCESS_KEY_ID: _id,
    AWS_SECRET_ACCESS_KEY: _key,
    AWS_SESSION_TOKEN: _token,
    ...env
  } = await world.run(`${attempt.id}-${attempt.attempt}`);
  return runWorkflow({
    repositories,
    workflow,
    inputs,
    secrets: {
      GITHUB_TOKEN: github.tokens['github-actions'] ?? '',
      CHARTS_TOKEN: tokenFor(DEMO_USER),
      METRICS_URL: metrics,
    },
    env: { ...env, GITHUB_API_URL: github.url },
    run: { ...attempt, actor: ACTOR },
    limit: 240_000,
    ...options,
  });
}

async function weightsOf(
  { clients }: Parts,
  { listenerArn, ruleArn, services }: Stack,
): Promise<Record<string, number>> {
  const { Rules = [] } = await clients.elb.send(new DescribeRulesCommand({ ListenerArn: listenerArn }));
  const rule = Rules.find((each) => each.RuleArn === ruleArn);
  const groups = rule?.Actions?.find(({ Type }) => Type === 'forward')?.ForwardConfig?.TargetGroups ?? [];
  return Object.fromEntries(
    Object.entries(services).map(([color, { targetGroupArn }]) => [
      color,
      groups.find(({ TargetGroupArn }) => TargetGroupArn === targetGroupArn)?.Weight ?? 0,
    ]),
  );
}

async function serviceOf(
  { clients }: Parts,
  { cluster, services }: Stack,
  service: string,
): Promise<Service | undefined> {
  const wanted = { cluster, services: [services[service]?.name ?? ''] };
  const { services: [found] = [] } = await clients.ecs.send(new DescribeServicesCommand(wanted));
  return found;
}

async function imageOf(parts: Parts, stack: Stack, service: string): Promise<string> {
  const { taskDefinition: revision = '' } = (await serviceOf(parts, stack, service)) ?? {};
  const { taskDefinition } = await parts.clients.ecs.send(
    new DescribeTaskDefinitionCommand({ taskDefinition: revision }),
  );
  return taskDefinition?.containerDefinitions?.[0]?.image ?? '';
}
