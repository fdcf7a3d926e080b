import { corrupt } from './parquet-footer.ts';
import { type ColumnOptions, openPages, type Page } from './parquet-pages.ts';

/**
 * One column of one row group as a stream of entries: a value or a null, with its levels. Reading an entry is
 * synchronous; `load` brings more of them.
 */
export interface Column {
  /** Whether every row is one entry. */
  readonly isFlat: boolean;
  /** Rows that are wholly loaded. */
  ready(): number;
  /** Loads the next page; false at the end. */
  load(): Promise<boolean>;
  /** Passes over this many rows. Pages in which nothing is wanted are not unpacked. */
  pass(rows: number): Promise<void>;
  /** Levels of the next entry; a repetition of 0 begins a row, as the end does. */
  repetition(): number;
  definition(): number;
  /** The next entry's value, or null. */
  take(): unknown;
  /** Ordinal, in the row group, of the row that the next entry begins or goes on with. */
  row(): number;
  /** Whether every entry has been taken. */
  isAtEnd(): boolean;
  close(): void;
}

export function openColumn(options: ColumnOptions): Column {
  const { leaf, open } = options;
  const name = `column ${leaf.path.join('.')}`;
  const source = openPages(options);
  /** Loaded and not yet used up; `page` is the first one, and the rest are places in it. */
  const pages: Page[] = [];
  let page: Page | undefined;
  let at = 0;
  let valueIndex = 0;
  let rowsLoaded = 0;
  let rowsBegun = 0;

  /** Loads a page, or passes over one that has no more than these rows, and says how many that were. */
  const more = async (unwanted: number): Promise<number | undefined> => {
    const next = await source.next(pages.length === 0 ? unwanted : 0);
    if (!next) return undefined;
    if ('passedRows' in next) {
      rowsLoaded += next.passedRows;
      rowsBegun += next.passedRows;
      return next.passedRows;
    }
    rowsLoaded += next.rows;
    pages.push(next);
    page ??= next;
    return 0;
  };

  const leavePage = () => {
    open.bytes -= pages.shift()?.cost ?? 0;
    [page] = pages;
    at = 0;
    valueIndex = 0;
  };

  const column: Column = {
    isFlat: leaf.repetition === 0,
    // The last row goes on in the next page, unless that begins another or there is none.
    ready: () => rowsLoaded - rowsBegun - (leaf.repetition > 0 && !source.isAtEnd() ? 1 : 0),
    load: async () => (await more(0)) !== undefined,
    async pass(rows) {
      for (let rest = rows; rest > 0; ) {
        for (; rest > 0 && column.ready() > 0; rest--) {
          const row = rowsBegun;
          do column.take();
          while (column.row() === row);
        }
        const passed = rest > 0 ? await more(rest) : 0;
        if (passed === undefined) throw corrupt(`${name} has fewer rows than its row group`);
        rest -= passed;
      }
    },
    repetition: () => page?.repetitions?.[at] ?? 0,
    definition: () => (page?.definitions ? (page.definitions[at] as number) : leaf.definition),
    take() {
      if (!page) throw corrupt(`${name} has fewer values than the others`);
      const { definitions, repetitions, entries, valueAt } = page;
      if (!repetitions || repetitions[at] === 0) rowsBegun++;
      const isPresent = !definitions || definitions[at] === leaf.definition;
      at++;
      const value = isPresent ? valueAt(valueIndex++) : null;
      if (at === entries) leavePage();
      return value;
    },
    row: () => rowsBegun - (column.repetition() > 0 ? 1 : 0),
    isAtEnd: () => !page && source.isAtEnd(),
    close() {
      open.bytes -= pages.reduce((sum, { cost }) => sum + cost, 0);
      source.close();
    },
  };
  return column;
}
