import { afterEach, expect, test } from '@jest/globals';
import { clientConfig } from '../../../src/adapters/aws/client-config.ts';
import { deployConditionsOf } from '../../../src/adapters/aws/deploy-conditions.ts';
import { instant } from '../../../src/domain/duration.ts';
import { type Wire, type WireAnswer, type WireCall, startWire } from './wire.ts';

const { signal } = new AbortController();
let wire: Wire | undefined;
afterEach(async () => {
  await wire?.close();
  wire = undefined;
});

async function conditionsOver(answer: (call: WireCall, ordinal: number) => WireAnswer) {
  wire = await startWire(answer);
  const { url, calls } = wire;
  process.env['AWS_ENDPOINT_URL'] = url;
  const credentials = () => Promise.resolve({ accessKeyId: 'AKIATEST', secretAccessKey: 'secret' });
  const session = {
    accountId: '111122223333',
    region: 'us-west-2',
    credentials,
    endpointOf: () => url,
    clientConfig: clientConfig('us-west-2', '1-1', credentials),
  };
  const clock = { now: () => instant(0), sleep: () => Promise.resolve() };
  return { conditions: deployConditionsOf(session, clock), calls };
}

test('a parameter is looked for on every page: one may be empty and not be the last', async () => {
  const { conditions } = await conditionsOver((_, ordinal) => ({
    body: ordinal === 1 ? { Parameters: [], NextToken: 'more' } : { Parameters: [{ Name: '/web/key' }] },
  }));
  expect(await conditions.reference('/web/key', signal)).toEqual({ kind: 'there' });
});

test('a parameter that no page has is missing', async () => {
  const { conditions } = await conditionsOver(() => ({ body: { Parameters: [] } }));
  expect(await conditions.reference('/web/key', signal)).toEqual({ kind: 'missing', why: 'does not exist' });
});

test('a parameter of another account is not looked for in this one', async () => {
  const { conditions, calls } = await conditionsOver(() => ({ body: { Parameters: [] } }));
  const shared = 'arn:aws:ssm:us-west-2:444455556666:parameter/web/key';
  expect(await conditions.reference(shared, signal)).toMatchObject({ kind: 'unknown' });
  expect(calls).toEqual([]);
});

test.each([
  '/aws/reference/secretsmanager/web/key',
  'arn:aws:ssm:us-west-2:111122223333:parameter/aws/reference/secretsmanager/web/key',
  'arn:aws:ssm:us-west-2:111122223333:parameter/aws/service/ami',
])('%s is resolved without being listed: it is not looked for, and not missing', async (name) => {
  const { conditions, calls } = await conditionsOver(() => ({ body: { Parameters: [] } }));
  expect(await conditions.reference(name, signal)).toMatchObject({ kind: 'unknown' });
  expect(calls).toEqual([]);
});
