import { avro } from '../core/decode/avro.ts';
import { csv } from '../core/decode/csv.ts';
import { fixedWidth } from '../core/decode/fixed-width.ts';
import type { Format } from '../core/decode/format.ts';
import { json } from '../core/decode/json.ts';
import { ndjson } from '../core/decode/ndjson.ts';
import { parquet } from '../core/decode/parquet.ts';
import { xlsx } from '../core/decode/xlsx.ts';
import { xml } from '../core/decode/xml.ts';
import { UsageError } from './usage-error.ts';

/** What may be said of a format on the command line; everything else is a source's to say. */
export interface FormatFlags {
  readonly delimiter?: string | undefined;
  readonly rows?: string | undefined;
  readonly row?: string | undefined;
  readonly sheet?: string | undefined;
  readonly columns?: string | undefined;
}

interface Known {
  readonly flag?: keyof FormatFlags;
  readonly make: (value: string | undefined) => Format;
}

const formats: Readonly<Record<string, Known>> = {
  csv: {
    flag: 'delimiter',
    make: (text) => csv(text === undefined ? {} : { delimiter: text.replaceAll('\\t', '\t') }),
  },
  ndjson: { make: () => ndjson() },
  json: { flag: 'rows', make: (rows) => json(rows === undefined ? {} : { rows }) },
  xml: { flag: 'row', make: (row) => xml(row === undefined ? {} : { row }) },
  xlsx: { flag: 'sheet', make: (sheet) => xlsx(sheet === undefined ? {} : { sheet }) },
  parquet: { make: () => parquet() },
  avro: { make: () => avro() },
  fixedWidth: { flag: 'columns', make: (columns) => fixedWidth({ columns: widths(columns) }) },
};

/** Names of formats as they are said on the command line. */
export const formatNames = Object.keys(formats);

/** The format of a name and its flag; undefined without a name. Throws a UsageError for what does not fit. */
export function formatOf(name: string | undefined, flags: FormatFlags): Format | undefined {
  const known = name === undefined ? undefined : formats[name];
  if (name !== undefined && !known) throw new UsageError(`There is no format ${name}: it is ${listed()}.`);
  for (const [flag, value] of Object.entries(flags)) {
    if (value === undefined || known?.flag === flag) continue;
    const owner = formatNames.find((each) => formats[each]?.flag === flag);
    throw new UsageError(`--${flag} goes with --format ${owner}.`);
  }
  try {
    return known?.make(known.flag && flags[known.flag]);
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
}

function listed(): string {
  return `${formatNames.slice(0, -1).join(', ')} or ${formatNames.at(-1)}`;
}

/** `id:10,name:20` as columns of fixed width. */
function widths(text: string | undefined): readonly { readonly name: string; readonly width: number }[] {
  const parts = (text ?? '').split(',').map((part) => /^\s*(.+?)\s*:\s*(\d{1,6})\s*$/.exec(part));
  if (text === undefined || parts.some((part) => !part))
    throw new UsageError('fixedWidth needs the widths of its columns: --columns id:10,name:20');
  return parts.map((part) => ({ name: part?.[1] ?? '', width: Number(part?.[2]) }));
}
