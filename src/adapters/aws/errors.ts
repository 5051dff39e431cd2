import { Failure, type FailureFacts } from '../../domain/failure.ts';
import {
  type CloudErrorKind,
  CloudFailure,
  type ErrorSigns,
  classifyCloudError,
  explainCloudError,
} from '../../domain/retry-policy.ts';

/** What is said when a call fails. */
export interface CallFacts {
  /** The IAM action of the call: `ecs:UpdateService`. */
  readonly action: string;
  /** `Could not update ECS service web in cluster shop` */
  readonly what: string;
  readonly now?: string;
  /** Told unless the kind of error has an advice of its own. */
  readonly next?: string;
  /** Better than the general advice for these kinds. */
  readonly advice?: Partial<Readonly<Record<CloudErrorKind, string>>>;
}

/** Makes one call of the SDK. An aborted one throws the signal's reason; every other error becomes a CloudFailure. */
export async function callAws<T>(facts: CallFacts, signal: AbortSignal, send: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  try {
    return await send();
  } catch (thrown) {
    signal.throwIfAborted();
    // A provider of ours that could not get credentials has said all there is to say.
    if (thrown instanceof Failure) throw thrown;
    throw awsFailure(thrown, facts);
  }
}

export function awsFailure(thrown: unknown, { action, what, now, next, advice }: CallFacts): CloudFailure {
  const signs = signsOf(thrown);
  const kind = classifyCloudError(signs);
  const explained = explainCloudError(kind, signs, action);
  const told = advice?.[kind] ?? explained.next ?? next;
  const facts: FailureFacts = {
    what,
    why: explained.why,
    ...(now === undefined ? {} : { now }),
    ...(told === undefined ? {} : { next: told }),
  };
  return new CloudFailure(kind, facts, { cause: thrown });
}

/** The why of a Failure that is thrown by the caller itself. */
export function describeAwsError(thrown: unknown, action: string): string {
  const signs = signsOf(thrown);
  return explainCloudError(classifyCloudError(signs), signs, action).why;
}

/**
 * Reads what the SDK, Node's sockets (an AggregateError for a name with two addresses) and fetch (a cause) leave on an
 * error. By its fields, not by instanceof: an error of another realm is one too.
 */
export function signsOf(thrown: unknown): ErrorSigns {
  if (!isObject(thrown)) return { name: 'Error', message: String(thrown) };
  const several = thrown['errors'];
  const inner: unknown = Array.isArray(several) ? several[0] : thrown['cause'];
  const code = textField(thrown, 'code') ?? textField(inner, 'code');
  const metadata = thrown['$metadata'];
  const status = isObject(metadata) ? metadata['httpStatusCode'] : undefined;
  return {
    name: textField(thrown, 'name') ?? 'Error',
    message: textField(thrown, 'message') || (textField(inner, 'message') ?? ''),
    ...(code === undefined ? {} : { code }),
    ...(typeof status === 'number' ? { httpStatus: status } : {}),
  };
}

function textField(value: unknown, key: string): string | undefined {
  const field = isObject(value) ? value[key] : undefined;
  return typeof field === 'string' ? field : undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
