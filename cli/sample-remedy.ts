import { csv } from '../core/decode/csv.ts';
import { decompress } from '../core/decode/decompress.ts';
import type { Format } from '../core/decode/format.ts';
import { sniffFormat } from '../core/decode/sniff.ts';
import { xlsx } from '../core/decode/xlsx.ts';
import { xml } from '../core/decode/xml.ts';
import { findXmlRow } from '../core/decode/xml-head.ts';
import { peek } from '../core/normalize/peek.ts';
import { findTitleRows, uniqueColumns } from '../core/source/infer-format.ts';
import type { Input } from './inputs.ts';
import { readSample, type Sample, type UnreadFile } from './sample.ts';

/** A format that reads samples better than the one that was found, and what a person should look at. */
export interface Remedy {
  readonly format: Format;
  readonly message: string;
}

/** As much of an object as formats are found from. */
const HEAD_BYTES = 64 * 1024;

/** What a source can say so that samples are read as they are meant: the names, the rows of XML, where a sheet begins. */
export async function findRemedy(
  { samples, unread }: { readonly samples: readonly Sample[]; readonly unread: readonly UnreadFile[] },
  declared: Format | undefined,
): Promise<Remedy | undefined> {
  const nameless = unread.find(({ reason }) => reason.startsWith('decode.badHeader'));
  if (nameless) return await renamedHeader(nameless.input, declared);
  if (declared !== undefined) return undefined;
  const [refused] = unread;
  const [one] = samples;
  if (refused && !one) return await openXml(refused.input);
  return one?.format?.name === 'xlsx' ? await belowTitle(one.input) : undefined;
}

/** A format that names the columns itself, when it is the header that nothing could be read for. */
async function renamedHeader(input: Input, declared: Format | undefined): Promise<Remedy | undefined> {
  const found = declared ?? sniffFormat(await headOf(input), input.key);
  const message = 'the header lacks names, or has one twice: look at columns';
  if (found.name === 'csv') {
    const { name: _, ...options } = found;
    const header = await firstRow(input, csv({ ...options, header: false }));
    return header && { format: csv({ ...options, header: true, columns: uniqueColumns(header) }), message };
  }
  if (found.name !== 'xlsx') return undefined;
  const { name: _, ...options } = found;
  const header = await firstRow(input, xlsx({ ...options, header: false }));
  return header && { format: xlsx({ ...options, header: true, columns: uniqueColumns(header) }), message };
}

async function firstRow(input: Input, format: Format): Promise<readonly unknown[] | undefined> {
  const read = await readSample(input, format, 1);
  return 'reason' in read ? undefined : (read.rows[0] as readonly unknown[] | undefined);
}

/** XML whose repeated elements lie further inside than the root's children. */
async function openXml(input: Input): Promise<Remedy | undefined> {
  const row = findXmlRow(await headOf(input));
  if (row === undefined) return undefined;
  return { format: xml({ row }), message: `no child of the root is repeated, so each ${row} is taken for a row` };
}

/** A sheet whose table has a title above it. */
async function belowTitle(input: Input): Promise<Remedy | undefined> {
  const read = await readSample(input, xlsx({ header: false }), 1);
  const titles = 'reason' in read ? 0 : findTitleRows(read.rows as readonly (readonly unknown[])[]);
  const skipRows = 'reason' in read || titles === 0 ? undefined : read.positions[titles];
  if (skipRows === undefined) return undefined;
  const rows = skipRows === 1 ? 'the first row is' : `the first ${skipRows} rows are`;
  return { format: xlsx({ skipRows }), message: `${rows} taken for a title` };
}

async function headOf(input: Input): Promise<Uint8Array> {
  const bytes = await input.open();
  try {
    const plain = await decompress(bytes.body, { name: input.key });
    return (await peek(plain.bytes, HEAD_BYTES)).head;
  } finally {
    await bytes.close();
  }
}
