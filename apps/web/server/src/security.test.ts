import { expect, test } from 'vitest';
import { hostnameOf, isAllowedHost, parseAllowedHosts } from './security.ts';

const policy = { host: '192.168.1.5', allowedHosts: parseAllowedHosts('Desk.example, other') };

test.each([
  'localhost',
  'localhost:3000',
  'LOCALHOST:3000',
  '127.0.0.1:3000',
  '127.3.2.1',
  '[::1]:3000',
  '192.168.1.5:3000',
  'desk.example:3000',
  'other',
])('the Host %s is one of this server', (host) => {
  expect(isAllowedHost(host, policy)).toBe(true);
});

test.each([
  undefined,
  '',
  'evil.example',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  'evil.example:3000',
  'user@localhost',
  'localhost/path',
  'localhost?x',
  '127.evil',
  '192.168.1.6',
])('the Host %s is refused', (host) => {
  expect(isAllowedHost(host, policy)).toBe(false);
});

test('a hostname is told without port and brackets', () => {
  expect([hostnameOf('a.b:80'), hostnameOf('[::1]:3000'), hostnameOf(':80')]).toEqual(['a.b', '::1', undefined]);
});
