const PAGE_METHODS = new Set(['GET', 'HEAD']);

/**
 * True for an address that the page itself may know, such as `/diff?a=…&b=…`: not the API's, and not a file's, which
 * would be there.
 */
export function isPagePath(method: string, url: string): boolean {
  const path = url.split(/[?#]/, 1)[0]!;
  if (!PAGE_METHODS.has(method) || path === '/api' || path.startsWith('/api/')) return false;
  return !path.slice(path.lastIndexOf('/')).includes('.');
}
