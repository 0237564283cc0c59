import { type Api, decodeRequestBody, encodeResponse, type Reader } from '@tickfold/kafka-protocol';

/** What a handler may know about where a request came from. */
export interface RequestContext {
  version: number;
  clientId: string;
  /** `/127.0.0.1`, as Kafka writes a client's host. */
  clientHost: string;
  advertisedHost: string;
  advertisedPort: number;
  /** Aborted when the connection or the broker closes: nobody waits for the answer any longer, or should. */
  signal: AbortSignal;
  /** Calls the listener when the answer is sent, and its bytes may change; never where it could not be sent. */
  onSent(listener: () => void): void;
}

/** Answers a request. `undefined`: this request has no response. */
export type Handler<Request, Response> = (
  request: Request,
  context: RequestContext,
) => Promise<Response | undefined> | Response | undefined;

/** An API with its handler behind one type. */
export interface Route {
  readonly api: { readonly name: string; readonly key: number };
  readonly minVersion: number;
  readonly maxVersion: number;
  /** May begin while earlier requests of its kind on the same connection are not answered yet. */
  readonly overlaps: boolean;
  /** Holds nothing of the request any longer when its answer is there, so that the frame's memory may be used again. */
  readonly letsGoOfFrame: boolean;
  /** Decodes and starts before it returns. Resolves to the response's frame. @throws ProtocolError */
  answer(correlationId: number, body: Reader, context: RequestContext): Promise<Buffer[] | undefined>;
}

export function route<Request, Response>(
  api: Api<Request, Response>,
  handle: Handler<Request, Response>,
  { overlaps = false, letsGoOfFrame = false }: { overlaps?: boolean; letsGoOfFrame?: boolean } = {},
): Route {
  const { minVersion, maxVersion } = api;
  return {
    api,
    minVersion,
    maxVersion,
    overlaps,
    letsGoOfFrame,
    async answer(correlationId, body, context) {
      const request = decodeRequestBody(api, context.version, body);
      const response = await handle(request, context);
      return response === undefined ? undefined : encodeResponse(api, context.version, correlationId, response);
    },
  };
}
