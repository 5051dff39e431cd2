import { describe, expect, test } from '@jest/globals';
import { callAws, describeAwsError, signsOf } from '../../../src/adapters/aws/errors.ts';
import { Cancelled, Failure } from '../../../src/domain/failure.ts';

const signal = new AbortController().signal;
const facts = { action: 'ecs:UpdateService', what: 'Could not update' };
const reset = Object.assign(new Error('socket hang up'), {
  name: 'TimeoutError',
  code: 'ECONNRESET',
  $metadata: { attempts: 5 },
});

describe('what an error shows', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED ::1:1'), { code: 'ECONNREFUSED' });
  const rows = [
    {
      name: 'a socket that was reset',
      thrown: reset,
      signs: { name: 'TimeoutError', message: 'socket hang up', code: 'ECONNRESET' },
    },
    {
      name: 'a name with two addresses that both refuse',
      thrown: new AggregateError([refused]),
      signs: { name: 'AggregateError', message: 'connect ECONNREFUSED ::1:1', code: 'ECONNREFUSED' },
    },
    {
      name: 'an answer with a status',
      thrown: Object.assign(new Error('no'), { name: 'X', $metadata: { httpStatusCode: 403 } }),
      signs: { name: 'X', message: 'no', httpStatus: 403 },
    },
    {
      name: 'a fetch whose cause says why',
      thrown: new TypeError('fetch failed', { cause: refused }),
      signs: { name: 'TypeError', message: 'fetch failed', code: 'ECONNREFUSED' },
    },
    { name: 'something that is no error', thrown: 'text', signs: { name: 'Error', message: 'text' } },
  ];
  test.each(rows)('is read off $name', ({ thrown, signs }) => {
    expect(signsOf(thrown)).toEqual(signs);
  });

  test('is explained in one clause', () => {
    expect(describeAwsError(reset, 'ecs:UpdateService')).toBe(
      'AWS did not answer ecs:UpdateService (ECONNRESET: socket hang up)',
    );
  });
});

describe('a call', () => {
  test('that was aborted throws the reason of the signal, not what the SDK made of it', async () => {
    const controller = new AbortController();
    const call = callAws(facts, controller.signal, () => {
      controller.abort(new Cancelled('SIGINT'));
      return Promise.reject(Object.assign(new Error('Request aborted'), { name: 'AbortError' }));
    });
    await expect(call).rejects.toBeInstanceOf(Cancelled);
  });

  test('whose credentials failed keeps that failure as it is', async () => {
    const failure = new Failure({ what: 'Could not assume role x' });
    await expect(callAws(facts, signal, () => Promise.reject(failure))).rejects.toBe(failure);
  });

  test('keeps the cause of its failure', async () => {
    await expect(callAws(facts, signal, () => Promise.reject(reset))).rejects.toMatchObject({
      kind: 'transient',
      cause: reset,
    });
  });
});
