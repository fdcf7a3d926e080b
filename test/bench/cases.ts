import { createReadStream } from 'node:fs';
import { decode } from '../../core/decode/decode.ts';
import { compileMap, latestVersion } from '../../core/normalize/mapper.ts';
import { compileRows } from '../../core/normalize/rows.ts';
import { normalizeLanding } from '../../core/normalize/run.ts';
import type { AnySource } from '../../core/source/source.ts';
import type { Item, Table } from '../../core/table/table.ts';
import { ndjsonBlocks } from './data.ts';
import { flat, nested } from './sources.ts';

/** One way to go through a file; answers the rows it saw. */
export type Case = (file: string) => Promise<number>;

const read = (file: string) => createReadStream(file, { highWaterMark: 64 * 1024 });
const file = { key: 'bench', lastModified: '2026-03-02T00:00:00Z' };
const lastModifiedMs = Date.UTC(2027, 0, 1);

async function eachLine(path: string, take: (line: string) => unknown): Promise<number> {
  let rows = 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of read(path) as AsyncIterable<Buffer>) {
    const block = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = block.indexOf(10); end >= 0; end = block.indexOf(10, start)) {
      take(block.toString('utf8', start, end));
      rows += 1;
      start = end + 1;
    }
    rest = block.subarray(start);
  }
  return rows;
}

function decodeOnly(source: AnySource): Case {
  return async (path) => {
    let rows = 0;
    for await (const batch of decode(read(path), source.config.format ?? { name: 'ndjson' })) rows += batch.rows.length;
    return rows;
  };
}

function decodeAndMap(source: AnySource): Case {
  return async (path) => {
    let map: ReturnType<typeof compileMap> | undefined;
    let rows = 0;
    const latest = latestVersion(lastModifiedMs);
    for await (const batch of decode(read(path), source.config.format ?? { name: 'ndjson' })) {
      map ??= compileMap(source.config, batch.columns);
      for (const row of batch.rows) if ('payload' in map(row, file, latest)) rows += 1;
    }
    return rows;
  };
}

function decodeMapAndMarshal(source: AnySource): Case {
  return async (path) => {
    const record = {
      entity: 'order',
      sourceId: 'bench',
      uploadId: 'a'.repeat(26),
      contentId: 'b'.repeat(26),
      append: false,
    };
    const normalize = compileRows(source.config, { record, lastModifiedMs, revision: 1, file });
    let rows = 0;
    for await (const batch of decode(read(path), source.config.format ?? { name: 'ndjson' }))
      rows += normalize(batch).puts.length;
    return rows;
  };
}

/** A whole upload through normalize, its writes thrown away: `path` is its size in bytes. */
async function normalizeUpload(size: string): Promise<number> {
  const table: Pick<Table, 'get' | 'put' | 'putMany' | 'update' | 'writeRecords'> = {
    get: async () => undefined,
    put: async () => ({ done: true }),
    putMany: async () => {},
    update: async (key) => ({ done: true, item: key as Item }),
    writeRecords: async (puts) => puts.map(() => 'written'),
  };
  const metadata = {
    'firn-source': 'bench',
    'firn-bucket': 'bench',
    'firn-key': Buffer.from('orders.ndjson').toString('base64url'),
    'firn-etag': 'bench',
    'firn-size': size,
    'firn-modified': new Date(lastModifiedMs).toISOString(),
  };
  const read = async () => new Uint8Array();
  async function* body() {
    yield* ndjsonBlocks(Number(size));
  }
  const object = { metadata, body: body(), sizeBytes: Number(size), read, discard: () => {} };
  const done = await normalizeLanding(`landing/source=bench/dt=2027-01-01/${'a'.repeat(26)}/orders.ndjson`, {
    registry: { build: '2027', sources: [{ id: 'bench', hash: 'bench', source: nested }] },
    table: table as Table,
    store: { open: async () => object, putObject: async () => {} },
    spool: async () => {
      throw new Error('nothing here is read by range');
    },
    send: async () => {},
    sendLater: async () => {},
    partBytes: Number.POSITIVE_INFINITY,
    marginMs: 0,
    now: () => lastModifiedMs,
    remainingMs: () => Number.POSITIVE_INFINITY,
  });
  if (done.kind !== 'normalized') throw new Error(`the upload was not normalized but ${done.kind}`);
  return done.books.accepted.count;
}

export const cases = {
  'ndjson JSON.parse': (path) => eachLine(path, JSON.parse),
  'ndjson decode': decodeOnly(nested),
  'ndjson decode+map': decodeAndMap(nested),
  'ndjson decode+map+marshal': decodeMapAndMarshal(nested),
  'csv split': (path) => eachLine(path, (line) => line.split(',')),
  'csv decode': decodeOnly(flat),
  'csv decode+map': decodeAndMap(flat),
  'csv decode+map+marshal': decodeMapAndMarshal(flat),
  'normalize upload': normalizeUpload,
  nothing: async () => 0,
} satisfies Record<string, Case>;
