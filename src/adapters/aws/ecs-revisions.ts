import {
  DeregisterTaskDefinitionCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  type ECSClient,
  ListClustersCommand,
  ListServicesCommand,
  ListTaskDefinitionsCommand,
  ListTasksCommand,
} from '@aws-sdk/client-ecs';
import { familyName, revisionName } from '../../domain/ecs/arn.ts';
import type { Ecs } from '../../ports/ecs.ts';
import { callAws } from './errors.ts';

/** Limits of the API: entries of a page, services and tasks of one Describe call. */
const PAGE = 100;
const SERVICES_A_CALL = 10;
const TASKS_A_CALL = 100;

/** Revisions of a family beyond the one that is deployed: what there is, who uses it, and the end of one. */
export function revisionsOf(
  client: ECSClient,
): Pick<Ecs, 'listRevisions' | 'deregisterTaskDefinition' | 'revisionsInUse'> {
  return {
    async listRevisions(family, signal) {
      const what = `Could not list the revisions of task definition ${family}`;
      const arns = await pages(async (token) => {
        const page = { familyPrefix: family, status: 'ACTIVE', sort: 'DESC', maxResults: PAGE, ...token } as const;
        const answer = await callAws({ action: 'ecs:ListTaskDefinitions', what }, signal, () =>
          client.send(new ListTaskDefinitionsCommand(page), { abortSignal: signal }),
        );
        return { items: answer.taskDefinitionArns, next: answer.nextToken };
      });
      // A prefix: `web` lists `web-worker` too.
      return arns.filter((arn) => familyName(arn) === family);
    },
    async deregisterTaskDefinition(arn, signal) {
      const what = `Could not deregister task definition ${revisionName(arn)}`;
      await callAws({ action: 'ecs:DeregisterTaskDefinition', what }, signal, () =>
        client.send(new DeregisterTaskDefinitionCommand({ taskDefinition: arn }), { abortSignal: signal }),
      );
    },
    async revisionsInUse(family, signal) {
      const what = `Could not find out who uses task definition ${family}`;
      const clusters = await pages(async (token) => {
        const answer = await callAws({ action: 'ecs:ListClusters', what }, signal, () =>
          client.send(new ListClustersCommand({ maxResults: PAGE, ...token }), { abortSignal: signal }),
        );
        return { items: answer.clusterArns, next: answer.nextToken };
      });
      const used = new Set<string>();
      for (const cluster of clusters) {
        for (const arn of await ofServices(client, { cluster, what }, signal)) used.add(arn);
        for (const arn of await ofTasks(client, { cluster, family, what }, signal)) used.add(arn);
      }
      return new Set([...used].filter((arn) => familyName(arn) === family));
    },
  };
}

async function ofServices(
  client: ECSClient,
  { cluster, what }: { readonly cluster: string; readonly what: string },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const services = await pages(async (token) => {
    const answer = await callAws({ action: 'ecs:ListServices', what }, signal, () =>
      client.send(new ListServicesCommand({ cluster, maxResults: PAGE, ...token }), { abortSignal: signal }),
    );
    return { items: answer.serviceArns, next: answer.nextToken };
  });
  const used: string[] = [];
  for (const group of chunks(services, SERVICES_A_CALL)) {
    const answer = await callAws({ action: 'ecs:DescribeServices', what }, signal, () =>
      client.send(new DescribeServicesCommand({ cluster, services: [...group] }), { abortSignal: signal }),
    );
    for (const { taskDefinition, deployments = [], taskSets = [] } of answer.services ?? []) {
      const all = [taskDefinition, ...[...deployments, ...taskSets].map((each) => each.taskDefinition)];
      used.push(...all.filter((arn) => arn !== undefined));
    }
  }
  return used;
}

async function ofTasks(
  client: ECSClient,
  { cluster, family, what }: { readonly cluster: string; readonly family: string; readonly what: string },
  signal: AbortSignal,
): Promise<readonly string[]> {
  // RUNNING is what shall run: tasks that still start are among them.
  const tasks = await pages(async (token) => {
    const answer = await callAws({ action: 'ecs:ListTasks', what }, signal, () =>
      client.send(new ListTasksCommand({ cluster, family, desiredStatus: 'RUNNING', maxResults: PAGE, ...token }), {
        abortSignal: signal,
      }),
    );
    return { items: answer.taskArns, next: answer.nextToken };
  });
  const used: string[] = [];
  for (const group of chunks(tasks, TASKS_A_CALL)) {
    const answer = await callAws({ action: 'ecs:DescribeTasks', what }, signal, () =>
      client.send(new DescribeTasksCommand({ cluster, tasks: [...group] }), { abortSignal: signal }),
    );
    used.push(...(answer.tasks ?? []).flatMap(({ taskDefinitionArn }) => taskDefinitionArn ?? []));
  }
  return used;
}

interface Page {
  readonly items: readonly string[] | undefined;
  readonly next: string | undefined;
}

/** More than any account has; a token that never ends must not keep the job. */
const MOST_PAGES = 1_000;

async function pages(read: (token: { readonly nextToken?: string }) => Promise<Page>): Promise<readonly string[]> {
  const all: string[] = [];
  let token: { readonly nextToken?: string } = {};
  for (let page = 0; page < MOST_PAGES; page++) {
    const { items, next } = await read(token);
    all.push(...(items ?? []));
    if (next === undefined) break;
    token = { nextToken: next };
  }
  return all;
}

const chunks = (all: readonly string[], size: number): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size));
