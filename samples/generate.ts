import { createWriteStream } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/**
 * The one sample too large to keep in the repository: a morning of three coffee roasters, one reading a second each.
 * The beans' temperature follows a roast of 500 seconds, from 90 °C to about 212 °C.
 */
const rows = 100_000;
const rowsPerChunk = 1_000;
const machines = ['rst-lisboa-1', 'rst-lisboa-2', 'rst-porto-1'] as const;
const beans = [
  'Etiópia Guji',
  'Brasil Serra da Mantiqueira',
  'São Tomé Monte Café',
  'Timor-Leste Ermera',
  '京都ブレンド',
] as const;
const roastSeconds = 500;
const firstShift = Date.UTC(2026, 2, 2, 6);

/** More than 2^53, where a double would begin to skip numbers. */
const firstSequence = 9_007_199_254_740_993n;

/** Rows that are bad on purpose, by their number from 0. samples/README.md lists them. */
const spoiled: Readonly<Record<number, (line: string) => string>> = {
  10007: (line) => line.replace(/"bean":[\d.]+/, '"bean":"ERR"'),
  23456: (line) => line.replace(/"machine":"[^"]+",/, ''),
  42000: (line) => line.slice(0, 120),
  61803: (line) => line.replace(/"seq":(\d+)/, '"seq":$1.5'),
  77777: (line) => line.replace(/"energy_j":/, '"energy_j":99999999999999999999'),
  88888: (line) => line.replace(/"at":\d+/, '"at":"14:13"'),
};

/**
 * Writes the generated samples below `outDir`, as `<source>/<file>`, and returns these two for each. Takes under two
 * seconds and little memory. The rows are the same everywhere, the compressed bytes on every run of one Node version.
 * A file appears under its name only when it is complete.
 */
export async function generateSamples(outDir: string): Promise<readonly { source: string; file: string }[]> {
  const sample = { source: 'roaster-readings', file: '2026-03-02.ndjson.gz' };
  const path = join(outDir, sample.source, sample.file);
  const unfinished = `${path}.${process.pid}.part`;
  await mkdir(dirname(path), { recursive: true });
  await pipeline(chunks(), createGzip({ level: 5 }), createWriteStream(unfinished));
  await rename(unfinished, path);
  return [sample];
}

function* chunks(): Generator<Buffer> {
  const random = randomNumbers(20_260_302);
  for (let first = 0; first < rows; first += rowsPerChunk) {
    let chunk = '';
    for (let row = first; row < first + rowsPerChunk; row += 1) {
      const line = reading(row, random);
      chunk += `${spoiled[row]?.(line) ?? line}\n`;
    }
    yield Buffer.from(chunk);
  }
}

// Written by hand instead of JSON.stringify, which cannot write numbers with more digits than a double holds.
function reading(row: number, random: () => number): string {
  const machine = row % machines.length;
  const second = Math.floor(row / machines.length);
  const roast = Math.floor(second / roastSeconds);
  const progress = (second % roastSeconds) / roastSeconds;
  const celsius = (degrees: number) => (degrees + random()).toFixed(9);
  const exhaust = row % 7 === 0 ? '' : `,"exhaust":${celsius(140 + 60 * progress)}`;
  const joules = 418_207_116_000 + machine * 97_311_204_118 + second * 3_240 + Math.floor(random() * 3_240);
  const billionths = String(Math.floor(random() * 1e9)).padStart(9, '0');
  return [
    `{"machine":"${machines[machine]}"`,
    `"batch":"B-0302-${machine + 1}${String(roast + 1).padStart(2, '0')}"`,
    `"bean":"${beans[(roast + machine * 2) % beans.length]}"`,
    `"seq":${firstSequence + BigInt(row)}`,
    `"at":${firstShift + second * 1_000 + machine * 333}`,
    `"celsius":{"bean":${celsius(90 + 122 * progress ** 0.7)},"drum":${celsius(205 + 20 * progress)}${exhaust}}`,
    `"energy_j":${joules}.${billionths}}`,
  ].join(',');
}

/** Numbers from 0 to below 1, the same ones for the same seed (a 32-bit counter, well mixed). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
