import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { eksAuthorization, eksToken } from '../../../src/adapters/kubernetes/eks.ts';
import { instant, minutes } from '../../../src/domain/duration.ts';
import { fakeClock } from '../../fakes/clock.ts';

const AT = instant(Date.parse('2026-11-24T10:00:00Z'));
const identity = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI', sessionToken: 'a/session+token=' };
const session = { region: 'us-west-2', credentials: () => Promise.resolve(identity) };

const urlIn = (token: string): URL =>
  new URL(Buffer.from(token.replace('k8s-aws-v1.', ''), 'base64url').toString('utf8'));

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** The signature of a presigned GET, by the steps of AWS's documentation and without the library. */
function signatureOf(url: URL, headers: Readonly<Record<string, string>>): string {
  const asked = [...url.searchParams].filter(([name]) => name !== 'X-Amz-Signature');
  const encoded = asked.map((pair) => pair.map((part) => encodeURIComponent(part)).join('=')).sort();
  const names = Object.keys(headers).sort();
  const canonical = [
    'GET',
    url.pathname,
    encoded.join('&'),
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    createHash('sha256').update('').digest('hex'),
  ].join('\n');
  const date = url.searchParams.get('X-Amz-Date') ?? '';
  const scope = [date.slice(0, 8), 'us-west-2', 'sts', 'aws4_request'];
  const toSign = ['AWS4-HMAC-SHA256', date, scope.join('/'), createHash('sha256').update(canonical).digest('hex')];
  const key = scope.reduce<string | Buffer>((at, part) => hmac(at, part), `AWS4${identity.secretAccessKey}`);
  return hmac(key, toSign.join('\n')).toString('hex');
}

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
    expect(asked['X-Amz-Signature']).toBe(signatureOf(url, headers));
    expect(asked['X-Amz-Signature']).not.toBe(signatureOf(url, { ...headers, 'x-k8s-aws-id': 'other' }));
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
