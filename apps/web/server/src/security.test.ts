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
  'localhost.:3000',
  '127.0.0.1.',
  '[::ffff:127.0.0.1]:3000',
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
  'localhost..',
  '[::ffff:10.0.0.1]',
])('the Host %s is refused', (host) => {
  expect(isAllowedHost(host, policy)).toBe(false);
});

test("a hostname is told without port, brackets and the root's dot", () => {
  expect(['a.b:80', 'a.b.:80', '[::1]:3000', ':80'].map(hostnameOf)).toEqual(['a.b', 'a.b', '::1', undefined]);
});
