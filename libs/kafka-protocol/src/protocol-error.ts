/** Why bytes are not what the protocol says. All of them end the connection; none is worth a retry. */
export type ProtocolErrorCode =
  /** The bytes end before the message does. */
  | 'truncated'
  /** A length, count or value that no message can have. */
  | 'malformed'
  /** Bytes are left over after the message. */
  | 'trailing-bytes'
  /** A frame announces more bytes than this side accepts. */
  | 'frame-too-large'
  /** The API exists, this version of it does not (here). */
  | 'unsupported-version';

export class ProtocolError extends Error {
  override name = 'ProtocolError';
  readonly code: ProtocolErrorCode;

  constructor(code: ProtocolErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
