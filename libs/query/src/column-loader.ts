import { DOUBLE, type DuckDBAppender, type DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';

/** The unit in which DuckDB takes rows in bulk. */
const CHUNK_ROWS = 2_048;

/**
 * Loads rows of numbers into a temporary table, in chunks of columns: several times faster than value by value, and texts
 * cost most of all, so that they come as numbers too (see `Dictionary`). A double holds every whole number up to 2^53.
 */
export class ColumnLoader {
  readonly #appender: DuckDBAppender;
  readonly #chunk: DuckDBDataChunk;
  readonly #columns: number[][];
  #rows = 0;

  private constructor(appender: DuckDBAppender, columnCount: number) {
    this.#appender = appender;
    this.#chunk = DuckDBDataChunk.create(Array.from({ length: columnCount }, () => DOUBLE));
    this.#columns = Array.from({ length: columnCount }, () => []);
  }

  static async create(connection: DuckDBConnection, table: string, columns: readonly string[]): Promise<ColumnLoader> {
    const definitions = columns.map((name) => `${name} DOUBLE`).join(', ');
    await connection.run(`CREATE TEMP TABLE ${table} (${definitions})`);
    return new ColumnLoader(await connection.createAppender(table, 'main', 'temp'), columns.length);
  }

  /** One value for each column, in their order. */
  add(...values: number[]): void {
    for (let column = 0; column < values.length; column++) this.#columns[column]![this.#rows] = values[column]!;
    this.#rows++;
    if (this.#rows === CHUNK_ROWS) this.#flush();
  }

  close(): void {
    this.#flush();
    this.#appender.closeSync();
  }

  #flush(): void {
    if (this.#rows === 0) return;
    for (const column of this.#columns) column.length = this.#rows;
    this.#chunk.rowCount = this.#rows;
    this.#chunk.setColumns(this.#columns);
    this.#appender.appendDataChunk(this.#chunk);
    this.#rows = 0;
  }
}

/** Texts numbered from 1 in order of first appearance, as SQL numbers the elements of a list. */
export class Dictionary {
  readonly texts: string[] = [];
  readonly #ids = new Map<string, number>();

  idOf(text: string): number {
    let id = this.#ids.get(text);
    if (id === undefined) {
      id = this.texts.push(text);
      this.#ids.set(text, id);
    }
    return id;
  }
}
