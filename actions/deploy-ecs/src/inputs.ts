import { type Duration, hours, minutes } from '../../../src/domain/duration.ts';
import { imageInputs, imageOf } from '../../../src/domain/image-inputs.ts';
import { type Checked, type InputsOf, bad, count, duration, good, oneOf, text } from '../../../src/domain/inputs.ts';
import { awsInputs, ecsInputs, ecsWords, stageInputs } from '../../../src/domain/stage-inputs.ts';

export const spec = {
  cluster: ecsInputs.cluster,
  service: text({
    description: 'Name of the ECS service. Example: `production-shop-service`.',
    from: 'stage',
    required: true,
  }),
  container: ecsInputs.container,
  ...imageInputs,
  'desired-count': count({
    description: ecsWords['desired-count'],
    from: 'stage',
    min: 0,
    max: 5_000,
  }),
  timeout: duration({
    description: ecsWords.timeout,
    from: 'stage',
    fallback: '20m',
    min: minutes(1),
    max: hours(24),
  }),
  'on-failure': oneOf(['rollback', 'leave'], {
    description:
      'What happens to a deployment that failed or timed out: `rollback` takes the last good revision back and waits for it.',
    from: 'stage',
    fallback: 'rollback',
  }),
  'on-cancel': ecsInputs['on-cancel'],
  'on-conflict': oneOf(['fail', 'wait'], {
    description:
      "What happens when somebody else's deployment is in flight. One of the same image is followed in any case.",
    from: 'stage',
    fallback: 'fail',
  }),
  'release-id': text({
    description:
      'Name of the release in the tags of the service, the same in every stage. Without it the image stands there. Example: `v1.4.0`.',
  }),
  ...awsInputs,
  ...stageInputs,
} as const;

export interface Request {
  readonly cluster: string;
  readonly service: string;
  /** Absent: the only container. */
  readonly container: string | undefined;
  /** Whole reference. */
  readonly image: string;
  readonly release: string;
  readonly desired: number | undefined;
  readonly timeout: Duration;
  readonly onFailure: 'rollback' | 'leave';
  readonly onCancel: 'rollback' | 'leave';
  readonly onConflict: 'fail' | 'wait';
  readonly region: string | undefined;
  readonly roleToAssume: string | undefined;
  readonly allowedAccountIds: readonly string[] | undefined;
  readonly mode: 'deploy' | 'plan';
}

type Values = InputsOf<typeof spec>;

export function toRequest(values: Values): Checked<Request> {
  const image = imageOf(values);
  if (!image.ok) return image;
  if (image.value === undefined)
    return bad({
      input: 'image',
      problem: 'is missing',
      accepted: 'image with a reference, or images with the output of the build',
    });
  return good({
    cluster: values.cluster,
    service: values.service,
    container: values.container,
    image: image.value,
    release: values['release-id'] ?? image.value,
    desired: values['desired-count'],
    timeout: values.timeout,
    onFailure: values['on-failure'],
    onCancel: values['on-cancel'],
    onConflict: values['on-conflict'],
    region: values.region,
    roleToAssume: values['role-to-assume'],
    allowedAccountIds: values['allowed-account-ids'],
    mode: values['dry-run'] ? 'plan' : 'deploy',
  });
}
