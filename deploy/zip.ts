import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { zipSync } from 'fflate';
import type { Bundle } from './bundle.ts';
import { writeWhole } from './write-whole.ts';

// The earliest time a zip can hold. Equal bundles then make equal zips, whenever and wherever they are built.
const mtime = new Date(1980, 0, 1);

/** Writes a function's zip: `index.mjs` and its source map. Replaces the file if it exists. */
export async function writeZip(bundle: Bundle, file: string): Promise<void> {
  const [code, map] = await Promise.all([readFile(bundle.path), readFile(`${bundle.path}.map`)]);
  const zip = zipSync({ 'index.mjs': [code, { mtime }], 'index.mjs.map': [map, { mtime }] }, { level: 6 });
  await mkdir(dirname(file), { recursive: true });
  await writeWhole(file, zip);
}
