import { CloudFailure } from '../../domain/retry-policy.ts';
import { ecrImageOf, targetOf } from '../../domain/ecs/references.ts';
import type { DeployConditions, Presence } from '../../ports/deploy-conditions.ts';
import type { Clock } from '../../ports/clock.ts';
import { type RoomSession, deployRoomOf } from './deploy-room.ts';
import { type CallFacts, callAws } from './errors.ts';
import type { AwsSession } from './session.ts';

const PARAMETERS_SAY_MISSING = 'does not exist';

/** Secrets Manager, Parameter Store, ECR and CloudWatch, each loaded when a definition names something of it; the rest is asked by hand. */
export function deployConditionsOf(
  session: Pick<AwsSession, 'clientConfig'> & RoomSession,
  clock: Clock,
): DeployConditions {
  const at = (region: string | undefined): AwsSession['clientConfig'] =>
    region === undefined || region === '' ? session.clientConfig : { ...session.clientConfig, region };
  return {
    ...deployRoomOf(session, clock),
    async reference(valueFrom, signal) {
      const target = targetOf(valueFrom);
      switch (target.kind) {
        case 'none':
          return { kind: 'unknown', why: target.why };
        case 'secret':
          return secret(at(target.region), target.arn, signal);
        case 'parameter':
          return parameter({ ...session, clientConfig: at(target.region) }, target.name, signal);
      }
    },
    async image(reference, signal) {
      const image = ecrImageOf(reference);
      if (image === undefined) return undefined;
      const { DescribeImagesCommand, ECRClient } = await import('./ecr-client.ts');
      const client = new ECRClient(at(image.region));
      const facts = { action: 'ecr:DescribeImages', what: `Could not look for image ${reference}` };
      const { registryId, repository: repositoryName, id } = image;
      return presence(facts, signal, async () => {
        const answer = await client.send(new DescribeImagesCommand({ registryId, repositoryName, imageIds: [id] }), {
          abortSignal: signal,
        });
        const status = answer.imageDetails?.[0]?.imageStatus;
        return status === undefined || status === 'ACTIVE' ? undefined : `its status is ${status}`;
      });
    },
    async alarms(names, signal) {
      const { CloudWatchClient, DescribeAlarmsCommand } = await import('./cloudwatch-client.ts');
      const client = new CloudWatchClient(session.clientConfig);
      try {
        const facts = { action: 'cloudwatch:DescribeAlarms', what: 'Could not read the deployment alarms' };
        const answer = await callAws(facts, signal, () =>
          client.send(
            new DescribeAlarmsCommand({ AlarmNames: [...names], AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] }),
            {
              abortSignal: signal,
            },
          ),
        );
        return [...(answer.MetricAlarms ?? []), ...(answer.CompositeAlarms ?? [])].flatMap(
          ({ AlarmName, StateValue }) =>
            AlarmName === undefined ? [] : [{ name: AlarmName, state: StateValue ?? '' }],
        );
      } catch (thrown) {
        if (!(thrown instanceof CloudFailure)) throw thrown;
        return { kind: 'unknown', why: thrown.facts.why ?? thrown.message };
      }
    },
  };
}

async function secret(config: AwsSession['clientConfig'], arn: string, signal: AbortSignal): Promise<Presence> {
  const { DescribeSecretCommand, SecretsManagerClient } = await import('./secrets-client.ts');
  const client = new SecretsManagerClient(config);
  const facts = { action: 'secretsmanager:DescribeSecret', what: `Could not look for secret ${arn}` };
  return presence(facts, signal, async () => {
    const answer = await client.send(new DescribeSecretCommand({ SecretId: arn }), { abortSignal: signal });
    return answer.DeletedDate === undefined ? undefined : 'is being deleted';
  });
}

async function parameter(
  { clientConfig, accountId }: Pick<AwsSession, 'clientConfig'> & Pick<RoomSession, 'accountId'>,
  name: string,
  signal: AbortSignal,
): Promise<Presence> {
  const [, , , , account] = name.split(':');
  // The filter knows names alone: that of a parameter another account shares would be looked for in this one.
  if (name.startsWith('arn:') && account !== accountId)
    return { kind: 'unknown', why: `${name} is of account ${account}, and the credentials are of ${accountId}` };
  const plain = name.startsWith('arn:') ? name.slice(name.indexOf(':parameter') + ':parameter'.length) : name;
  // Secrets by way of Parameter Store and public parameters are resolved, and listed by nobody.
  if (plain.startsWith('/aws/')) return { kind: 'unknown', why: `${plain} is of AWS, which lists none of its own` };
  const names = plain.startsWith('/') && !plain.slice(1).includes('/') ? [plain, plain.slice(1)] : [plain];
  const ParameterFilters = [{ Key: 'Name', Option: 'Equals', Values: names }];
  // Describe, not Get: the value is nobody's business here.
  const { DescribeParametersCommand, SSMClient } = await import('./ssm-client.ts');
  const client = new SSMClient(clientConfig);
  const facts = { action: 'ssm:DescribeParameters', what: `Could not look for parameter ${name}` };
  return presence(facts, signal, async () => {
    let NextToken: string | undefined;
    // A page may be empty and yet not be the last one.
    for (;;) {
      const asked = { ParameterFilters, ...(NextToken === undefined ? {} : { NextToken }) };
      const answer = await client.send(new DescribeParametersCommand(asked), { abortSignal: signal });
      if ((answer.Parameters ?? []).length > 0) return undefined;
      if (answer.NextToken === undefined) return PARAMETERS_SAY_MISSING;
      ({ NextToken } = answer);
    }
  });
}

/** `look` says what is wrong with what it found; undefined: nothing. */
async function presence(
  facts: CallFacts,
  signal: AbortSignal,
  look: () => Promise<string | undefined>,
): Promise<Presence> {
  try {
    const why = await callAws(facts, signal, look);
    return why === undefined ? { kind: 'there' } : { kind: 'missing', why };
  } catch (thrown) {
    if (!(thrown instanceof CloudFailure)) throw thrown;
    if (thrown.kind === 'not-found') return { kind: 'missing', why: 'does not exist' };
    return { kind: 'unknown', why: thrown.facts.why ?? thrown.message };
  }
}
