import { type Duration, hours, minutes } from '../../../src/domain/duration.ts';
import { isRegistry, parseImage, pinnedReference } from '../../../src/domain/image-reference.ts';
import { type Images, parseImages } from '../../../src/domain/images.ts';
import {
  type Checked,
  type InputProblem,
  type InputsOf,
  bad,
  count,
  duration,
  good,
  nearestOf,
  oneOf,
  structure,
  text,
} from '../../../src/domain/inputs.ts';
import { awsInputs, stageInputs } from '../../../src/domain/stage-inputs.ts';

export const spec = {
  cluster: text({
    description: 'Name or ARN of the ECS cluster. Example: `production-shop-cluster`.',
    from: 'stage',
    required: true,
  }),
  service: text({
    description: 'Name of the ECS service. Example: `production-shop-service`.',
    from: 'stage',
    required: true,
  }),
  container: text({
    description:
      'Name of the container in the task definition that gets the image; needed when it has several. Example: `web`.',
    from: 'stage',
  }),
  image: text({
    description:
      'Image to deploy, by digest (better) or tag. Excludes `images`. Example: `123456789012.dkr.ecr.us-west-2.amazonaws.com/team/api@sha256:...`.',
  }),
  images: structure(
    {
      description:
        'The `images` output of the build, JSON with one entry per image; needs `registry`. Excludes `image`. Example: `{"api":{"repository":"team/api","digest":"sha256:..."}}`.',
    },
    'JSON object',
    (value) => {
      const checked = parseImages(value);
      if (checked.ok) return { ok: true, value: checked.value };
      const [first] = checked.problems;
      return {
        ok: false,
        problem: checked.problems.map(({ input, problem }) => `${input} ${problem}`).join('; '),
        ...(first?.accepted ? { accepted: first.accepted } : {}),
      };
    },
  ),
  'image-name': text({
    description: 'Which entry of `images` is deployed; needed when it has several. Example: `api`.',
    from: 'stage',
  }),
  registry: text({
    description:
      'Registry host that is put before the repository of `images`. Example: `123456789012.dkr.ecr.us-west-2.amazonaws.com`.',
    from: 'stage',
  }),
  'desired-count': count({
    description:
      'Tasks that the service shall run. Without it the service keeps its count, and autoscaling its say. Example: `3`.',
    from: 'stage',
    min: 0,
    max: 5_000,
  }),
  timeout: duration({
    description:
      'How long the new revision may take to become steady. The way back has 15m of its own; keep the limit of the job above both. Example: `15m`.',
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
  'on-cancel': oneOf(['rollback', 'leave'], {
    description: 'What happens to a deployment in flight when the job is cancelled or its process dies.',
    from: 'stage',
    fallback: 'rollback',
  }),
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

function imageOf(values: Values): Checked<string> {
  const { image, images } = values;
  if (image !== undefined && images !== undefined)
    return bad({ input: 'image', problem: 'excludes images: give one of the two' });
  if (image !== undefined) {
    const parsed = parseImage(image);
    return parsed.ok ? good(image) : parsed;
  }
  if (images === undefined)
    return bad({
      input: 'image',
      problem: 'is missing',
      accepted: 'image with a reference, or images with the output of the build',
    });
  return composed(images, values);
}

function composed(images: Images, values: Values): Checked<string> {
  const { registry } = values;
  const problems: InputProblem[] = [];
  if (registry === undefined)
    problems.push({
      input: 'registry',
      problem: 'is missing: images has repositories without it',
      accepted: 'the host of the registry',
    });
  else if (!isRegistry(registry))
    problems.push({
      input: 'registry',
      given: registry,
      problem: 'is not a host name',
      accepted: 'a host, with a port if need be, without https://',
    });
  const chosen = chooseImage(images, values['image-name']);
  if ('problem' in chosen) problems.push(chosen);
  else if (problems.length === 0) return good(pinnedReference(chosen, registry ?? ''));
  return bad(...problems);
}

function chooseImage(images: Images, name: string | undefined): Images[string] | InputProblem {
  const names = Object.keys(images);
  const chosen = name ?? (names.length === 1 ? names[0] : undefined);
  if (chosen === undefined)
    return {
      input: 'image-name',
      problem: `is missing: images has ${names.length} entries`,
      accepted: names.join(', '),
    };
  const image = images[chosen];
  if (image !== undefined) return image;
  const nearest = nearestOf(chosen, names);
  return {
    input: 'image-name',
    given: chosen,
    problem: 'is no entry of images',
    accepted: names.join(', '),
    ...(nearest === undefined ? {} : { nearest }),
  };
}
