import { expect, test } from '@jest/globals';
import { requestBytes } from '../../../src/adapters/http/request-bytes.ts';
import { seconds } from '../../../src/domain/duration.ts';

const bytes = (more: object, url = 'http://lb.test:8080/a?b=c d') => {
  const request = { method: 'GET', url, headers: {}, timeout: seconds(1), bodyLimit: 1, ...more };
  const made = requestBytes(request, new URL(url));
  return made.ok ? made.value.toString('utf8') : made;
};

test('a request says where it goes, and that its connection stays', () => {
  expect(bytes({ headers: { 'x-a': 'b' } })).toBe(
    'GET /a?b=c%20d HTTP/1.1\r\nhost: lb.test:8080\r\nconnection: keep-alive\r\naccept-encoding: identity\r\nx-a: b\r\n\r\n',
  );
});

test('the name of a host wins over that of the address', () => {
  expect(bytes({ host: 'shop.example.com' })).toContain('\r\nhost: shop.example.com\r\n');
});

test('a body is counted in bytes', () => {
  expect(bytes({ method: 'POST', body: 'grün' })).toMatch(/\r\ncontent-length: 5\r\n\r\ngrün$/);
});

test('a POST without a body says so, a GET says nothing', () => {
  expect(bytes({ method: 'POST' })).toContain('content-length: 0');
  expect(bytes({})).not.toContain('content-length');
});

test.each([
  { name: 'a line end in a value', headers: { 'x-a': 'b\r\nx-evil: 1' } },
  { name: 'a line end in a name', headers: { 'x-a\r\nx-evil': '1' } },
  { name: 'a character that no header has', headers: { 'x-a': '\u4f60' } },
])('$name makes no request', ({ headers }) => {
  expect(bytes({ headers })).toEqual({ ok: false, problem: expect.stringMatching(/nvalid|must be/) });
});
