import { startBroker } from '@tickfold/broker';
import { openLogEngine } from '@tickfold/log-engine';

/** A line of the broker's log, as the torture looks at it. */
export interface Line {
  level: 'debug' | 'info' | 'warn' | 'error';
  message: string;
  peer?: string;
  api?: string;
  version?: number;
  reason?: string;
  /** Of an error that nobody had thought of. */
  stack?: string;
}

export interface ServedBroker {
  readonly port: number;
  close(): Promise<void>;
}

/** The broker under torture. Topics come only by request: a damaged name would else make a volume for each. */
export async function serveBroker(dataDir: string, onLine: (line: Line) => void): Promise<ServedBroker> {
  const at =
    (level: Line['level']) =>
    ({ err, ...fields }: { err?: unknown }, message: string): void => {
      onLine({ ...fields, level, message, ...(err === undefined ? {} : { stack: stackOf(err) }) });
    };
  const broker = await startBroker({
    engine: await openLogEngine({ dataDir }),
    listeners: [{ name: 'torture', host: '127.0.0.1', port: 0, advertisedHost: '127.0.0.1' }],
    autoCreateTopics: false,
    // Sessions that end soon: groups have many divisions in little time.
    groups: { minSessionTimeoutMs: 500 },
    log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
  });
  return { port: broker.addresses[0]!.port, close: () => broker.close() };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
