import type { App } from '@tickfold/app-runtime';
import { exchangeName, type FeedRecord, type FeedSource, formatNewYork } from '@tickfold/market';
import { Counter, Gauge } from 'prom-client';

const EXCHANGE_BYTE = 9;
/** Status is refreshed this often. */
const REPORT_EVERY_MS = 500;
/** So many different unknown letters have a counter of their own; the layouts allow no more than 94 letters. */
const LETTERS = 128;

/** What ingest has done since it started, for `/healthz` and `/metrics`. */
export class Progress {
  readonly #app: Pick<App, 'metrics' | 'reportStatus' | 'setReady'>;
  readonly #unknownLetters = new Array<number>(LETTERS).fill(0);
  readonly #isKnownLetter = Array.from(
    { length: LETTERS },
    (_, code) => exchangeName(String.fromCharCode(code)) !== undefined,
  );
  #sent = 0;
  #malformed = 0;
  #eventTimeMs: number | undefined;
  #position = -1;
  #fields: Record<string, unknown> = {};
  #nextReportMs = 0;

  constructor(app: Pick<App, 'metrics' | 'reportStatus' | 'setReady'>) {
    this.#app = app;
    this.#publishMetrics();
  }

  begin(feed: FeedSource, speed: number): void {
    this.#fields = {
      source: feed.description,
      sourceIdentity: feed.identity,
      sourceDate: feed.eventDate,
      speed,
      warnings: feed.warnings,
      complete: false,
    };
    this.report();
  }

  tickSent(record: FeedRecord): void {
    this.#sent++;
    this.#eventTimeMs = record.eventTimeMs;
    this.#position = record.position;
    const letter = record.line[EXCHANGE_BYTE]!;
    if (!this.#isKnownLetter[letter]) this.#unknownLetters[letter]!++;
  }

  lineMalformed(): void {
    this.#malformed++;
  }

  /** Cheap enough to call for every chunk. */
  reportNowAndThen(nowMs: number): void {
    if (nowMs < this.#nextReportMs) return;
    this.#nextReportMs = nowMs + REPORT_EVERY_MS;
    this.report();
  }

  report(fields: Record<string, unknown> = {}): void {
    this.#fields = { ...this.#fields, ...fields };
    this.#app.reportStatus({
      ...this.#fields,
      ticksSent: this.#sent,
      malformed: this.#malformed,
      unknownExchanges: this.#unknownExchanges(),
      position: this.#position,
      eventTimeMs: this.#eventTimeMs ?? null,
      eventTime: this.#eventTimeMs === undefined ? null : formatNewYork(this.#eventTimeMs),
    });
  }

  #unknownExchanges(): Record<string, number> {
    const counted = this.#unknownLetters.map((count, code) => [String.fromCharCode(code), count] as const);
    return Object.fromEntries(counted.filter(([, count]) => count > 0));
  }

  #publishMetrics(): void {
    const registers = [this.#app.metrics];
    const collected = (name: string, help: string, total: () => number) =>
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(total());
        },
      });
    collected('tickfold_ingest_ticks_total', 'Ticks sent to market.ticks since start', () => this.#sent);
    collected('tickfold_ingest_malformed_total', 'Lines sent to market.dead-letter since start', () => this.#malformed);
    const unknownExchanges = () => this.#unknownExchanges();
    new Counter({
      name: 'tickfold_ingest_unknown_exchange_total',
      help: 'Ticks sent whose exchange letter nobody knows',
      labelNames: ['exchange'],
      registers,
      collect() {
        this.reset();
        for (const [exchange, count] of Object.entries(unknownExchanges())) this.inc({ exchange }, count);
      },
    });
    const eventTimeSeconds = () => (this.#eventTimeMs ?? 0) / 1000;
    new Gauge({
      name: 'tickfold_ingest_event_time_seconds',
      help: 'Event time of the last tick sent, seconds since 1970',
      registers,
      collect() {
        this.set(eventTimeSeconds());
      },
    });
  }
}
