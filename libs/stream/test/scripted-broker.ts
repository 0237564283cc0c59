import { createServer, type Server, type Socket } from 'node:net';
import {
  type Api,
  apis,
  decodeRequestBody,
  decodeRequestHeader,
  encodeResponse,
  errorCodes,
  FrameSplitter,
  iterateBatches,
  RecordBatchBuilder,
  type RequestOf,
} from '@tickfold/kafka-protocol';

/** What of an API is needed to answer it. */
type Answered<Response> = Pick<Api<never, Response>, 'key' | 'flexibleSince' | 'response'>;

export interface ProducedRequest {
  partitions: { topic: string; partition: number; values: string[] }[];
  /** Partition, producer id and first sequence of each batch. */
  producers: string[];
  /** Answers with this error code in every partition. */
  answer(errorCode?: number): void;
  /** Ends the connection instead. */
  hangUp(): void;
}

/**
 * Speaks just enough Kafka to play bad turns: every produce request waits for the test's answer, every fetch is answered
 * at once with one record, whose value is its offset.
 */
export class ScriptedBroker {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #produced: ProducedRequest[] = [];
  #arrived: (() => void) | undefined;
  #fetchCount = 0;
  #lastProducerId = 0;

  private constructor(partitionCount: number) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#sockets.delete(socket));
      const splitter = new FrameSplitter(64 * 1024 * 1024);
      socket.on('data', (chunk) => {
        for (const frame of splitter.push(chunk)) this.#answer(socket, frame, partitionCount);
      });
    });
  }

  static async start(partitionCount: number): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker(partitionCount);
    await new Promise<void>((resolve) => broker.#server.listen(0, '127.0.0.1', resolve));
    return broker;
  }

  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return `127.0.0.1:${address.port}`;
  }

  /** Produce requests that wait for an answer. */
  get waiting(): number {
    return this.#produced.length;
  }

  /** Fetches that were answered so far. */
  get fetchCount(): number {
    return this.#fetchCount;
  }

  /** The oldest produce request that no test took yet. */
  async nextProduce(): Promise<ProducedRequest> {
    while (this.#produced.length === 0) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    return this.#produced.shift()!;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    // It may have been stopped already.
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #answer(socket: Socket, frame: Buffer, partitionCount: number): void {
    const { header, rest } = decodeRequestHeader(frame);
    const { apiVersion: version, correlationId } = header;
    const reply = <Response>(api: Answered<Response>, response: Response) => {
      for (const chunk of encodeResponse(api, version, correlationId, response)) socket.write(chunk);
    };
    if (header.apiKey === apis.metadata.key) {
      const { topics } = decodeRequestBody(apis.metadata, version, rest);
      reply(apis.metadata, metadataOf(topics ?? [], partitionCount));
    } else if (header.apiKey === apis.produce.key) {
      const request = decodeRequestBody(apis.produce, version, rest);
      this.#produced.push({
        partitions: partitionsOf(request),
        producers: producersOf(request),
        answer: (errorCode = errorCodes.NONE) => reply(apis.produce, produceResponse(request, errorCode)),
        hangUp: () => socket.destroy(),
      });
      this.#arrived?.();
    } else if (header.apiKey === apis.initProducerId.key) {
      const producerId = BigInt(++this.#lastProducerId);
      reply(apis.initProducerId, { throttleTimeMs: 0, errorCode: errorCodes.NONE, producerId, producerEpoch: 0 });
    } else if (header.apiKey === apis.fetch.key) {
      this.#fetchCount++;
      reply(apis.fetch, fetchResponse(decodeRequestBody(apis.fetch, version, rest)));
    } else {
      socket.destroy();
    }
  }
}

function metadataOf(topics: readonly { name: string }[], partitionCount: number) {
  return {
    throttleTimeMs: 0,
    brokers: [],
    clusterId: null,
    controllerId: 0,
    clusterAuthorizedOperations: 0,
    topics: topics.map(({ name }) => ({
      errorCode: name === 'missing' ? errorCodes.UNKNOWN_TOPIC_OR_PARTITION : errorCodes.NONE,
      name,
      isInternal: false,
      authorizedOperations: 0,
      partitions: Array.from({ length: partitionCount }, (_, index) => ({
        errorCode: errorCodes.NONE,
        index,
        leaderId: 0,
        leaderEpoch: 0,
        replicaNodes: [],
        isrNodes: [],
        offlineReplicas: [],
      })),
    })),
  };
}

function partitionsOf(request: RequestOf<typeof apis.produce>): ProducedRequest['partitions'] {
  return request.topics.flatMap(({ name, partitions }) =>
    partitions.map((entry) => ({
      topic: name,
      partition: entry.index,
      values: entry.records.flatMap((bytes) =>
        Array.from(iterateBatches(bytes)).flatMap((batch) =>
          Array.from(batch.records(), (record) => record.value!.toString()),
        ),
      ),
    })),
  );
}

function producersOf(request: RequestOf<typeof apis.produce>): string[] {
  return request.topics.flatMap(({ partitions }) =>
    partitions.flatMap(({ index, records }) =>
      records.flatMap((bytes) =>
        Array.from(iterateBatches(bytes), ({ header }) => `${index}: ${header.producerId}/${header.baseSequence}`),
      ),
    ),
  );
}

function produceResponse(request: RequestOf<typeof apis.produce>, errorCode: number) {
  return {
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ index }) => ({
        index,
        errorCode,
        baseOffset: 0n,
        logAppendTimeMs: -1n,
        logStartOffset: 0n,
        recordErrors: [],
        errorMessage: null,
      })),
    })),
  };
}

function fetchResponse(request: RequestOf<typeof apis.fetch>) {
  return {
    throttleTimeMs: 0,
    errorCode: errorCodes.NONE,
    sessionId: 0,
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ index, fetchOffset }) => ({
        index,
        errorCode: errorCodes.NONE,
        highWatermark: fetchOffset + 1n,
        lastStableOffset: fetchOffset + 1n,
        logStartOffset: 0n,
        abortedTransactions: null,
        preferredReadReplica: -1,
        records: [batchOfOne(fetchOffset)],
      })),
    })),
  };
}

function batchOfOne(offset: bigint): Buffer {
  const builder = new RecordBatchBuilder();
  builder.append(null, String(offset), 0);
  return builder.finish({ baseOffset: offset });
}
