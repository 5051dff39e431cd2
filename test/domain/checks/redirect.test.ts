import { describe, expect, test } from '@jest/globals';
import type { Method, Redirects } from '../../../src/domain/checks/document.ts';
import { decideRedirect, destinationOf, harmless } from '../../../src/domain/checks/redirect.ts';

const BEHIND = destinationOf({ url: 'https://lb.example.net:8443', host: 'shop.example.com' }, '/login');
const SAME_HOST: Redirects = { kind: 'follow', hosts: [] };

const seen = (location: string | undefined, more: { status?: number; method?: Method; hasBody?: boolean } = {}) => ({
  status: 302,
  method: 'GET' as Method,
  hasBody: false,
  ...more,
  location,
});

describe('where a check goes', () => {
  test.each([
    {
      name: 'the target itself',
      target: { url: 'http://a.example:81' },
      path: '/x?y=1',
      connect: 'http://a.example:81/x?y=1',
      url: 'http://a.example:81/x?y=1',
    },
    {
      name: 'below the path of the target',
      target: { url: 'http://a.example/app/' },
      path: '/x',
      connect: 'http://a.example/app/x',
      url: 'http://a.example/app/x',
    },
    {
      name: 'another name at an address',
      target: { url: 'https://10.0.0.1:8443', host: 'shop.example.com' },
      path: '/',
      connect: 'https://10.0.0.1:8443/',
      url: 'https://shop.example.com/',
    },
    {
      name: 'a path that looks like a host',
      target: { url: 'http://a.example' },
      path: '//evil.example/x',
      connect: 'http://a.example//evil.example/x',
      url: 'http://a.example//evil.example/x',
    },
  ])('$name', ({ target, path, connect, url }) => {
    const destination = destinationOf(target, path);
    expect([destination.connect.href, destination.url.href]).toEqual([connect, url]);
  });
});

describe('a redirect is followed', () => {
  test.each([
    {
      name: 'inside the target, at the same address',
      redirect: seen('/home'),
      connect: 'https://lb.example.net:8443/home',
      host: 'shop.example.com',
      headers: 'all',
    },
    {
      name: 'to the own name in full',
      redirect: seen('https://shop.example.com/home'),
      connect: 'https://lb.example.net:8443/home',
      host: 'shop.example.com',
      headers: 'all',
    },
    {
      name: 'to another port of the own name, without credentials',
      redirect: seen('https://shop.example.com:9443/'),
      connect: 'https://lb.example.net:9443/',
      host: 'shop.example.com:9443',
      headers: 'harmless',
    },
    {
      name: 'to an allowed host, without credentials',
      redirect: seen('https://login.example.com/'),
      connect: 'https://login.example.com/',
      host: undefined,
      headers: 'harmless',
    },
  ])('$name', ({ redirect, connect, host, headers }) => {
    const rules = { redirects: { kind: 'follow' as const, hosts: ['login.example.com'] }, target: BEHIND };
    const decision = decideRedirect(redirect, BEHIND, rules);
    expect(decision).toMatchObject({ kind: 'follow', hop: { headers, method: 'GET', to: { ...(host && { host }) } } });
    expect(decision.kind === 'follow' && decision.hop.to.connect.href).toBe(connect);
    expect(decision.kind === 'follow' && decision.hop.to.host).toBe(host);
  });

  test.each([
    { name: '303 after POST', status: 303, method: 'POST', next: 'GET', body: 'dropped' },
    { name: '302 after POST', status: 302, method: 'POST', next: 'GET', body: 'dropped' },
    { name: '302 after DELETE', status: 302, method: 'DELETE', next: 'DELETE', body: 'kept' },
    { name: '307 after POST', status: 307, method: 'POST', next: 'POST', body: 'kept' },
    { name: '303 after HEAD', status: 303, method: 'HEAD', next: 'HEAD', body: 'kept' },
  ] as const)('with the method that browsers use: $name', ({ status, method, next, body }) => {
    const decision = decideRedirect(seen('/x', { status, method, hasBody: true }), BEHIND, {
      redirects: SAME_HOST,
      target: BEHIND,
    });
    expect(decision).toMatchObject({ kind: 'follow', hop: { method: next, body } });
  });
});

describe('a redirect is refused', () => {
  test.each([
    {
      name: 'to a host that is not allowed',
      redirect: seen('https://evil.example/'),
      why: 'redirect to evil.example, which is not in follow-redirects',
    },
    {
      name: 'to a host that only looks allowed',
      redirect: seen('//shop.example.com.evil.example/'),
      why: 'redirect to shop.example.com.evil.example',
    },
    { name: 'from https to http', redirect: seen('http://shop.example.com/'), why: 'redirect from https to http' },
    { name: 'to another scheme', redirect: seen('file:///etc/passwd'), why: 'not an http(s) URL' },
    { name: 'with credentials', redirect: seen('https://a:b@shop.example.com/'), why: 'with credentials in the URL' },
    { name: 'without a location', redirect: seen(undefined), why: 'status 302 without a location' },
    { name: 'to nonsense', redirect: seen('https://'), why: 'not an http(s) URL' },
    {
      name: 'with the body across origins',
      redirect: seen('https://shop.example.com:1/', { status: 307, method: 'POST', hasBody: true }),
      why: 'would send the body to',
    },
  ])('$name', ({ redirect, why }) => {
    expect(decideRedirect(redirect, BEHIND, { redirects: SAME_HOST, target: BEHIND })).toEqual({
      kind: 'refused',
      why: expect.stringContaining(why),
    });
  });
});

test.each([
  { name: 'redirects are not followed', status: 302, redirects: { kind: 'never' } as Redirects },
  { name: 'the status is no redirect', status: 200, redirects: SAME_HOST },
  { name: 'the status is 304', status: 304, redirects: SAME_HOST },
])('an answer is final when $name', ({ status, redirects }) => {
  expect(decideRedirect(seen('/x', { status }), BEHIND, { redirects, target: BEHIND })).toEqual({ kind: 'final' });
});

test('only harmless headers cross origins', () => {
  expect(
    harmless({ authorization: 'a', cookie: 'b', 'x-api-key': 'c', accept: '*/*', 'user-agent': 'sluice' }),
  ).toEqual({ accept: '*/*', 'user-agent': 'sluice' });
});
