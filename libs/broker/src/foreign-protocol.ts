const HTTP_REQUEST = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE) (\S{0,80})/;
const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR = 3;

/** Names what the first bytes of a connection are when they are no Kafka: most often a browser or a TLS client. */
export function foreignProtocolOf(start: Buffer): string | undefined {
  const [, method, path] = HTTP_REQUEST.exec(start.toString('latin1', 0, 100)) ?? [];
  if (method !== undefined) return `an HTTP request (${method} ${path}) came to the Kafka port`;
  if (start[0] === TLS_HANDSHAKE && start[1] === TLS_MAJOR) return 'a TLS handshake came to the plain Kafka port';
  return undefined;
}
