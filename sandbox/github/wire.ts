import type { IncomingMessage, Server } from 'node:http';

/** `GET /repos/acme/shop/issues/*`: a `*` stands for one path segment. */
export function matches(pattern: string, call: string): boolean {
  const wanted = pattern.split('/');
  const given = call.split('/');
  return wanted.length === given.length && wanted.every((part, index) => part === '*' || part === given[index]);
}

/** The `body` of an issue or a comment in a request. */
export function bodyTextOf(body: string): string {
  try {
    const { body: text } = JSON.parse(body) as { body?: unknown };
    return typeof text === 'string' ? text : '';
  } catch {
    return '';
  }
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

export async function requestAs(
  url: string,
  token: string,
  call: string,
  body: unknown,
): Promise<{ status: number; data: unknown }> {
  const [method = 'GET', path = '/'] = call.split(' ');
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, data: text === '' ? undefined : (JSON.parse(text) as unknown) };
}

export function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '');
    });
  });
}
