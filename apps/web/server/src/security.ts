import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { ProblemError } from './problem.ts';

export interface HostPolicy {
  /** Address that the server is bound to. */
  host: string;
  /** Further names that it may be asked for by, without port. */
  allowedHosts: string[];
}

/** `ALLOWED_HOSTS`: names separated by commas. */
export function parseAllowedHosts(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}

/** Name or address of a Host header, without port, brackets and the root's dot; undefined where it is malformed. */
export function hostnameOf(hostHeader: string): string | undefined {
  const url = `http://${hostHeader}`;
  if (!URL.canParse(url)) return undefined;
  const { hostname, username, pathname, search, hash } = new URL(url);
  if (username !== '' || pathname !== '/' || search !== '' || hash !== '' || hostname === '') return undefined;
  return hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
}

/** 127.0.0.0/8 as IPv6 writes it after parsing. */
const MAPPED_LOOPBACK = /^::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}$/;

function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost' || hostname === '::1' || MAPPED_LOOPBACK.test(hostname)) return true;
  return isIP(hostname) === 4 && hostname.startsWith('127.');
}

export function isAllowedHost(hostHeader: string | undefined, policy: HostPolicy): boolean {
  if (hostHeader === undefined) return false;
  const hostname = hostnameOf(hostHeader);
  if (hostname === undefined) return false;
  return isLoopback(hostname) || hostname === policy.host.toLowerCase() || policy.allowedHosts.includes(hostname);
}

/** A proxy in front may speak https, so that the scheme is left out of the comparison. */
function isSameOrigin(origin: string, hostHeader: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host } = new URL(origin);
  if (protocol !== 'http:' && protocol !== 'https:') return false;
  return host === new URL(`${protocol}//${hostHeader}`).host;
}

const SAFE_METHODS = new Set(['GET', 'HEAD']);

/**
 * Any web page can send requests to a port of its visitor's machine. The Host check stops names that were rebound to
 * this address; the Origin check stops pages of other origins from changing anything. Both come before routing, so
 * that unknown paths refuse in the same way.
 */
export function guardOrigins(server: FastifyInstance, policy: HostPolicy): void {
  server.addHook('onRequest', async (request) => {
    const host = request.headers.host;
    if (!isAllowedHost(host, policy)) {
      throw new ProblemError(
        421,
        `The Host header "${host ?? ''}" is not a name of this server. Use http://localhost, or start it with ALLOWED_HOSTS=${host === undefined ? 'NAME' : (hostnameOf(host) ?? 'NAME')}.`,
      );
    }
    if (SAFE_METHODS.has(request.method)) return;
    const origin = request.headers.origin;
    if (origin === undefined || !isSameOrigin(origin, host as string)) {
      throw new ProblemError(
        403,
        origin === undefined
          ? `${request.method} needs an Origin header equal to http://${host}. Add it, or use the page itself.`
          : `The Origin "${origin}" may not ${request.method} here; only http://${host} may. Use the page itself.`,
      );
    }
  });
}

const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'", // both chart libraries set style attributes
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "form-action 'self'",
].join('; ');

/** Set before anything else, so that refusals and event streams carry them too. The API's docs set a policy of their own. */
export function sendSecurityHeaders(server: FastifyInstance): void {
  server.addHook('onRequest', async (_request, reply) => {
    reply.header('content-security-policy', CONTENT_SECURITY_POLICY);
    reply.header('x-content-type-options', 'nosniff');
    reply.header('referrer-policy', 'no-referrer');
    reply.header('cross-origin-resource-policy', 'same-origin');
  });
}
