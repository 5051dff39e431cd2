import { Failure, type FailureFacts } from '../../domain/failure.ts';
import { CloudFailure, type ErrorSigns, classifyCloudError, explainCloudError } from '../../domain/retry-policy.ts';

/** What is said when a call fails. */
export interface CallFacts {
  /** The IAM action of the call: `ecs:UpdateService`. */
  readonly action: string;
  /** `Could not update ECS service web in cluster shop` */
  readonly what: string;
  readonly now?: string;
  /** Told unless the kind of error has a better advice. */
  readonly next?: string;
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

export function awsFailure(thrown: unknown, { action, what, now, next }: CallFacts): CloudFailure {
  const signs = signsOf(thrown);
  const kind = classifyCloudError(signs);
  const { why, next: advice } = explainCloudError(kind, signs, action);
  const facts: FailureFacts = {
    what,
    why,
    ...(now === undefined ? {} : { now }),
    ...((advice ?? next) === undefined ? {} : { next: (advice ?? next) as string }),
  };
  return new CloudFailure(kind, facts, { cause: thrown });
}

/** The why of a Failure that is thrown by the caller itself. */
export function describeAwsError(thrown: unknown, action: string): string {
  const signs = signsOf(thrown);
  return explainCloudError(classifyCloudError(signs), signs, action).why;
}

/** Reads what the SDK, Node's sockets (an AggregateError for a name with two addresses) and fetch (a cause) leave on an error. */
export function signsOf(thrown: unknown): ErrorSigns {
  if (!(thrown instanceof Error)) return { name: 'Error', message: String(thrown) };
  const inner = thrown instanceof AggregateError ? (thrown.errors as readonly unknown[])[0] : thrown.cause;
  const code = textField(thrown, 'code') ?? textField(inner, 'code');
  const metadata: unknown = Reflect.get(thrown, '$metadata');
  const status: unknown = isObject(metadata) ? metadata['httpStatusCode'] : undefined;
  const message = thrown.message || (inner instanceof Error ? inner.message : '');
  return {
    name: thrown.name,
    message,
    ...(code === undefined ? {} : { code }),
    ...(typeof status === 'number' ? { httpStatus: status } : {}),
  };
}

function textField(value: unknown, key: string): string | undefined {
  const field = isObject(value) ? value[key] : undefined;
  return typeof field === 'string' ? field : undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
