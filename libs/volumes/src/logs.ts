import type { LogEngine, LogReader, PartitionLog, PartitionReader, TopicDescription } from '@tickfold/log-engine';
import { StreamError } from '@tickfold/stream';

/** What a client reads and what it writes to, as one. */
export class Logs {
  readonly reader: LogReader;
  readonly engine: LogEngine | undefined;

  constructor(reader: LogReader, engine: LogEngine | undefined) {
    this.reader = reader;
    this.engine = engine;
  }

  topics(): TopicDescription[] {
    const read = this.reader.topics();
    if (this.engine === undefined || this.engine === this.reader) return read;
    const names = new Set(read.map(({ name }) => name));
    return [...read, ...this.engine.topics().filter(({ name }) => !names.has(name))];
  }

  findTopic(name: string): TopicDescription | undefined {
    return this.reader.topic(name) ?? this.engine?.topic(name);
  }

  /** @throws StreamError `unknown-topic` */
  topic(name: string): TopicDescription {
    const found = this.findTopic(name);
    if (found === undefined) throw new StreamError('unknown-topic', `there is no topic '${name}'`);
    return found;
  }

  findPartition(topic: string, partition: number): PartitionReader | undefined {
    return this.reader.partition(topic, partition) ?? this.engine?.partition(topic, partition);
  }

  /** @throws StreamError `unknown-topic` */
  partition(topic: string, partition: number): PartitionReader {
    const found = this.findPartition(topic, partition);
    if (found !== undefined) return found;
    this.topic(topic);
    throw new StreamError('unknown-topic', `'${topic}' has no partition ${partition}`);
  }

  /**
   * The engine that holds a topic to write to.
   * @throws StreamError `unknown-topic`, `read-only`
   */
  engineOf(topic: string): LogEngine {
    this.topic(topic);
    const engine = this.writable(`write to '${topic}'`);
    if (engine !== this.reader && this.reader.topic(topic) !== undefined) {
      throw new StreamError('read-only', `cannot write to '${topic}': it is only read here`);
    }
    return engine;
  }

  /** @throws StreamError `read-only` */
  writable(what: string): LogEngine {
    if (this.engine === undefined) throw new StreamError('read-only', `cannot ${what}: this client only reads`);
    return this.engine;
  }

  /** @throws StreamError `unknown-topic`, `read-only` */
  writablePartition(topic: string, partition: number): PartitionLog {
    const found = this.engineOf(topic).partition(topic, partition);
    if (found === undefined) throw new StreamError('unknown-topic', `'${topic}' has no partition ${partition}`);
    return found;
  }
}
