import { StreamError, type StreamErrorCode } from '../errors.ts';

/** What kafkajs puts into its errors; not every one of these classes is in its types. */
interface KafkaJsError {
  name: string;
  message: string;
  /** The protocol's name of the error. */
  type?: string;
  retriable?: boolean;
  cause?: unknown;
  errors?: unknown[];
  /** The request that a broker does not know. */
  apiName?: string;
}

/** The connection is gone, was never there, or leads to a broker that is none any more. */
const DISCONNECTED = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSLockTimeout',
  // Somebody else gave the connections up that this one was just using.
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
]);

/** By the name of the protocol's error; each other one that may pass by itself is `unavailable`, the rest `rejected`. */
const CODES: Readonly<Record<string, StreamErrorCode>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'unknown-topic',
  INVALID_TOPIC_EXCEPTION: 'unknown-topic',
  MESSAGE_TOO_LARGE: 'record-too-large',
  RECORD_LIST_TOO_LARGE: 'record-too-large',
  SASL_AUTHENTICATION_FAILED: 'unauthenticated',
  ILLEGAL_SASL_STATE: 'unauthenticated',
  UNSUPPORTED_SASL_MECHANISM: 'unauthenticated',
  UNSUPPORTED_VERSION: 'broker-too-old',
  UNSUPPORTED_FOR_MESSAGE_FORMAT: 'broker-too-old',
  INVALID_PRODUCER_EPOCH: 'fenced',
  INVALID_PRODUCER_ID_MAPPING: 'fenced',
  INVALID_TXN_STATE: 'fenced',
  TRANSACTION_COORDINATOR_FENCED: 'fenced',
  PRODUCER_FENCED: 'fenced',
  LEADER_NOT_AVAILABLE: 'unavailable',
  COORDINATOR_NOT_AVAILABLE: 'unavailable',
};

/** @param what the sentence that says what did not work: `records for 'market.ticks' were not appended` */
export function streamErrorOf(thrown: unknown, what: string): StreamError {
  if (thrown instanceof StreamError) return thrown;
  const error = innermost(thrown);
  const code = codeOf(error);
  const mend = code === 'unreachable' || code === 'disconnected' ? undefined : mendOf(error);
  return new StreamError(code, `${what}: ${wordsOf(error)}`, { cause: thrown, mend });
}

/** The name that the protocol has for the error, or undefined where the broker did not say one. */
export function protocolErrorOf(thrown: unknown): string | undefined {
  return typeOf(innermost(thrown));
}

/** Errors that are younger than kafkajs, by its words for them. */
const YOUNGER: Readonly<Record<string, string>> = { 'Unknown error code 90': 'PRODUCER_FENCED' };

function typeOf({ type, message }: KafkaJsError): string | undefined {
  return type === 'KAFKAJS_UNKNOWN_ERROR_CODE' ? (YOUNGER[message] ?? type) : type;
}

export function isConnectionLoss(thrown: unknown): boolean {
  const error = innermost(thrown);
  return DISCONNECTED.has(error.name) || wasClosedAmidRefresh(error);
}

/** kafkajs forgets the cluster's metadata when it disconnects, and looks for the brokers in it when an answer comes late. */
function wasClosedAmidRefresh(error: Error): boolean {
  return error instanceof TypeError && error.message.includes("null (reading 'brokers')");
}

/** kafkajs wraps an error each time that it gave up on it. */
function innermost(thrown: unknown): KafkaJsError {
  let error = thrown as KafkaJsError;
  for (;;) {
    const inner = error.errors?.[0] ?? error.cause;
    const wraps =
      error.name === 'KafkaJSNumberOfRetriesExceeded' ||
      error.name === 'KafkaJSNonRetriableError' ||
      error.name === 'KafkaJSAggregateError';
    if (!wraps || !(inner instanceof Error)) return error;
    error = inner as KafkaJsError;
  }
}

function codeOf(error: KafkaJsError): StreamErrorCode {
  const type = typeOf(error);
  if (type !== undefined) {
    const known = CODES[type];
    if (known !== undefined) return known;
    return error.retriable === true ? 'unavailable' : 'rejected';
  }
  if (DISCONNECTED.has(error.name)) return 'disconnected';
  if (error.name === 'KafkaJSSASLAuthenticationError') return 'unauthenticated';
  if (error.name === 'KafkaJSServerDoesNotSupportApiKey') {
    return error.apiName?.startsWith('Sasl') ? 'unauthenticated' : 'broker-too-old';
  }
  return 'rejected';
}

function mendOf(error: KafkaJsError): string | undefined {
  if (error.apiName?.startsWith('Sasl')) return 'The broker asks for no credentials: leave KAFKA_SASL_MECHANISM out.';
  if (error.name !== 'KafkaJSNotImplemented') return undefined;
  return 'Let the writer use another compression, or none.';
}

function wordsOf(error: KafkaJsError): string {
  const type = typeOf(error);
  return type === undefined ? error.message : `${error.message} (${type})`;
}
