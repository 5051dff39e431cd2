import { createHash, createHmac } from 'node:crypto';

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** The signature of a presigned GET of STS, by the steps of AWS's documentation (Signature Version 4) and without its library. */
export function signatureOf(url: URL, headers: Readonly<Record<string, string>>, secretAccessKey: string): string {
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
  const [, , region = ''] = (url.searchParams.get('X-Amz-Credential') ?? '').split('/');
  const scope = [date.slice(0, 8), region, 'sts', 'aws4_request'];
  const toSign = ['AWS4-HMAC-SHA256', date, scope.join('/'), createHash('sha256').update(canonical).digest('hex')];
  const key = scope.reduce<string | Buffer>((at, part) => hmac(at, part), `AWS4${secretAccessKey}`);
  return hmac(key, toSign.join('\n')).toString('hex');
}
