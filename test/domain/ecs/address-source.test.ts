import { expect, test } from '@jest/globals';
import { ADDRESS_SHAPE, addressFrom, readAddressSource } from '../../../src/domain/ecs/address-source.ts';

const whole = new RegExp(`^(?:${ADDRESS_SHAPE.source})$`);

test.each([
  { text: 'https://{load-balancer}', found: 'lb.example.com', is: 'https://lb.example.com' },
  { text: 'http://{load-balancer}:8080/app', found: 'lb.example.com', is: 'http://lb.example.com:8080/app' },
  {
    text: 'https://{stack-output:staging-shop/LoadBalancerDNS}/',
    found: 'lb.example.com',
    is: 'https://lb.example.com',
  },
  { text: 'https://{stack-output:shop/Url}', found: 'http://lb.example.com/old', is: 'https://lb.example.com' },
])('$text with $found is $is', ({ text, found, is }) => {
  expect(whole.test(text)).toBe(true);
  const source = readAddressSource(text);
  expect(source === undefined ? undefined : addressFrom(source, found)).toBe(is);
});

test.each(['{load-balancer}', 'https://shop.example.com', 'https://{stack-output:shop}', 'https://{other}'])(
  '%s is none',
  (text) => {
    expect(whole.test(text)).toBe(false);
    expect(readAddressSource(text)).toBeUndefined();
  },
);
