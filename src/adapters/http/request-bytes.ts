import { validateHeaderName, validateHeaderValue } from 'node:http';
import { messageOf } from '../../domain/failure.ts';
import type { FieldResult } from '../../domain/inputs.ts';
import type { ProbeRequest } from '../../ports/prober.ts';

/**
 * A request of HTTP/1.1 as it goes over the line. Path and query are those of a URL, which holds no blank and no line
 * end; header names and values that could break out of their line are a problem, in Node's own words.
 */
export function requestBytes({ method, host, headers, body }: ProbeRequest, url: URL): FieldResult<Buffer> {
  const whole = {
    host: host ?? url.host,
    connection: 'keep-alive',
    'accept-encoding': 'identity',
    ...headers,
    // RFC 9110 8.6: a method that usually has a body says that there is none.
    ...(body === undefined && !WITH_BODY.includes(method)
      ? {}
      : { 'content-length': String(Buffer.byteLength(body ?? '')) }),
  };
  const lines: string[] = [];
  for (const [name, value] of Object.entries(whole)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch (thrown) {
      return { ok: false, problem: messageOf(thrown) };
    }
    lines.push(`${name}: ${value}\r\n`);
  }
  const head = `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join('')}\r\n`;
  return { ok: true, value: Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body ?? '', 'utf8')]) };
}

const WITH_BODY = ['POST', 'PUT', 'PATCH'];
