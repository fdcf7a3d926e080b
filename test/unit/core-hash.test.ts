import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { coreHash } from '../../deploy/core-hash.ts';
import { root } from '../../deploy/folders.ts';

/** Formats, and what opens them: by what file names in core/decode begin with. */
const decoders = /^(avro|bzip2|csv|decode|fixed-width|gzip|json|ndjson|parquet|snappy|unpack|xlsx|xml|zstd)\b.*\.ts$/;

it('a change of any decoder, field type or of the mapping becomes a new revision', async () => {
  const { files } = await coreHash();
  const wanted = async (folder: string) => (await readdir(join(root, folder))).map((name) => `${folder}/${name}`);
  const decoding = (await wanted('core/decode')).filter((file) => decoders.test(file.slice('core/decode/'.length)));

  expect(decoding.length).toBeGreaterThan(50);
  expect(decoding.filter((file) => !files.includes(file))).toEqual([]);
  for (const file of ['core/normalize/rows.ts', 'core/normalize/mapper.ts', 'core/fields/decimal.ts']) {
    expect(files).toContain(file);
  }
});
