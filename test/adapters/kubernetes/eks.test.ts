import { describe, expect, test } from '@jest/globals';
import { signatureOf } from '../../../sandbox/kubernetes/eks/presigned.ts';
import { eksAuthorization, eksToken } from '../../../src/adapters/kubernetes/eks.ts';
import { instant, minutes } from '../../../src/domain/duration.ts';
import { fakeClock } from '../../fakes/clock.ts';

const AT = instant(Date.parse('2026-11-24T10:00:00Z'));
const identity = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI', sessionToken: 'a/session+token=' };
const session = { region: 'us-west-2', credentials: () => Promise.resolve(identity) };

const urlIn = (token: string): URL =>
  new URL(Buffer.from(token.replace('k8s-aws-v1.', ''), 'base64url').toString('utf8'));

describe('a token for EKS', () => {
  test('is a presigned question to the regional STS, signed for one cluster and one minute', async () => {
    const token = await eksToken('shop', session, AT);
    expect(token).toMatch(/^k8s-aws-v1\.[\w-]+$/);
    const url = urlIn(token);
    expect(`${url.origin}${url.pathname}`).toBe('https://sts.us-west-2.amazonaws.com/');
    const asked = Object.fromEntries(url.searchParams);
    expect(asked).toMatchObject({
      Action: 'GetCallerIdentity',
      Version: '2011-06-15',
      'X-Amz-Expires': '60',
      'X-Amz-SignedHeaders': 'host;x-k8s-aws-id',
      'X-Amz-Date': '20261124T100000Z',
      'X-Amz-Security-Token': identity.sessionToken,
    });
    const headers = { host: url.host, 'x-k8s-aws-id': 'shop' };
    expect(asked['X-Amz-Signature']).toBe(signatureOf(url, headers, identity.secretAccessKey));
    expect(asked['X-Amz-Signature']).not.toBe(
      signatureOf(url, { ...headers, 'x-k8s-aws-id': 'other' }, identity.secretAccessKey),
    );
  });

  test('is kept for 10 minutes, made anew when the server does not take it, and masked', async () => {
    const clock = fakeClock({ start: AT });
    const masked: string[] = [];
    const tools = { clock, mask: (value: string) => void masked.push(value) };
    const authorize = eksAuthorization('shop', session as never, tools);
    const { signal } = new AbortController();
    const first = await authorize(signal);
    await clock.advance(minutes(9));
    expect(await authorize(signal)).toBe(first);
    const fresh = await authorize(signal, 'fresh');
    expect(fresh).not.toBe(first);
    await clock.advance(minutes(10));
    expect(await authorize(signal)).not.toBe(fresh);
    expect(masked).toHaveLength(3);
    expect(`Bearer ${masked[0]}`).toBe(first);
  });

  test('in China asks the STS of China', async () => {
    const url = urlIn(await eksToken('shop', { ...session, region: 'cn-north-1' }, AT));
    expect(url.host).toBe('sts.cn-north-1.amazonaws.com.cn');
  });
});
