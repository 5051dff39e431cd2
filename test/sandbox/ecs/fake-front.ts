import { handleEcs } from '../../../sandbox/control/ecs/handle.ts';
import type { AwsError, EcsContext } from '../../../sandbox/control/ecs/types.ts';
import { FakeCloud, GROUP } from '../core/fake-cloud.ts';

type Body = Readonly<Record<string, unknown>>;

export interface Definition {
  readonly revision: number;
  readonly image: string;
  readonly status?: 'ACTIVE' | 'INACTIVE';
  readonly networkMode?: string;
  readonly sidecar?: string;
  /** Its name; configured at launch. */
  readonly volume?: string;
}

/** DescribeTaskDefinition's answer, as moto gives it. */
function described({ revision, image, status = 'ACTIVE', networkMode, sidecar, volume }: Definition): Body {
  const web = {
    name: 'web',
    image,
    essential: true,
    environment: [{ name: 'COLOR', value: 'blue' }],
    portMappings: [{ containerPort: 80, hostPort: 80, protocol: 'tcp' }],
    stopTimeout: 10,
  };
  return {
    taskDefinitionArn: `arn:aws:ecs:us-west-2:111111111111:task-definition/web:${revision}`,
    family: 'web',
    revision,
    status,
    cpu: '256',
    memory: '512',
    ...(networkMode === undefined ? {} : { networkMode }),
    ...(volume === undefined ? {} : { volumes: [{ name: volume, configuredAtLaunch: true }] }),
    containerDefinitions: [
      web,
      ...(sidecar === undefined ? [] : [{ name: sidecar, image: 'sidecar', essential: false }]),
    ],
  };
}

/** The ECS API as the front calls it, on a cloud with a fake clock and task definitions from a list. */
export class FakeFront {
  readonly cloud = new FakeCloud().furnish();
  private readonly definitions: readonly Definition[];

  constructor(...definitions: readonly Definition[]) {
    this.definitions = definitions;
  }

  readonly context: EcsContext = {
    state: () => this.cloud.state,
    apply: (event) => this.cloud.send(event).state,
    now: () => this.cloud.now,
    taskDefinition: (ref) => {
      const found = this.definitions.find(({ revision }) => ref.split('/').at(-1) === `web:${revision}`);
      return Promise.resolve(found === undefined ? undefined : described(found));
    },
  };

  /** The output; an error of the API is thrown as a failed test. */
  async call(operation: string, input: Body = {}): Promise<Answer> {
    const answered = await handleEcs(operation, { cluster: 'main', ...input }, this.context);
    if (answered.kind === 'error') throw new Error(`${operation}: ${answered.code}: ${answered.message}`);
    return JSON.parse(JSON.stringify(answered.output)) as Answer;
  }

  /** The error; an output is thrown as a failed test. */
  async refused(operation: string, input: Body = {}): Promise<AwsError> {
    const answered = await handleEcs(operation, { cluster: 'main', ...input }, this.context);
    if (answered.kind === 'output') throw new Error(`${operation} was not refused`);
    return answered;
  }

  /** A service `web` of two good tasks that is steady. */
  async running(input: Body = {}): Promise<this> {
    await this.call('CreateService', { ...SERVICE_INPUT, ...input });
    this.cloud.settle();
    return this;
  }
}

export const LOAD_BALANCERS = [{ targetGroupArn: GROUP, containerName: 'web', containerPort: 80 }];
export const SERVICE_INPUT: Body = {
  serviceName: 'web',
  taskDefinition: 'web:1',
  desiredCount: 2,
  loadBalancers: LOAD_BALANCERS,
};

/** Of an answer, what the tests look at; the whole is there by name. */
export interface Answer {
  readonly [member: string]: unknown;
  readonly service: ShownService;
  readonly services: readonly ShownService[];
  readonly tasks: readonly ShownTask[];
  readonly task: ShownTask;
  readonly taskArns: readonly string[];
  readonly serviceArns: readonly string[];
  readonly nextToken?: string;
  readonly serviceDeployments: readonly ShownServiceDeployment[];
  readonly serviceRevisions: readonly Body[];
}

export interface ShownService {
  readonly [member: string]: unknown;
  readonly serviceArn: string;
  readonly runningCount: number;
  readonly currentServiceDeployment: string;
  readonly deployments: readonly { readonly [member: string]: unknown; readonly id: string }[];
}

export interface ShownTask {
  readonly [member: string]: unknown;
  readonly taskArn: string;
  readonly containers: readonly Body[];
}

export interface ShownServiceDeployment {
  readonly [member: string]: unknown;
  readonly serviceDeploymentArn: string;
  readonly status: string;
}
