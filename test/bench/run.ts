/**
 * `npm run bench`: speeds as ratios measured in one run, and the peak memory of normalizing a large object.
 *
 * Every measurement is a process of its own, and the cases take turns, so that a drift of the machine hits them alike.
 * Numbers of different runs or machines are not comparable; the ratios are.
 */
import { spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { columns } from '../../cli/columns.ts';
import { type Case, cases } from './cases.ts';
import { csvBlocks, ndjsonBlocks } from './data.ts';

type Name = keyof typeof cases;

interface Measured {
  readonly ms: number;
  readonly rows: number;
  readonly peakBytes: number;
}

const dir = '.firn/bench';
const fileBytes = 100 * 1024 ** 2;
const rounds = 3;
const largeBytes = 1024 ** 3;
/** As serverless.yml starts the functions. */
const nodeOptions = ['--max-semi-space-size=16'];

function measure(name: Name, file: string): Measured {
  const child = spawnSync(process.execPath, [...nodeOptions, import.meta.filename, name, file], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(`${name} failed:\n${child.stderr}`);
  return JSON.parse(child.stdout) as Measured;
}

async function one(name: Name, file: string): Promise<void> {
  const run: Case = cases[name];
  const started = performance.now();
  const rows = await run(file);
  const measured: Measured = {
    ms: performance.now() - started,
    rows,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
  console.log(JSON.stringify(measured));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Throughput of each case as a share of the first one's, the base. */
function compare(names: readonly Name[], file: string): readonly (readonly (string | number)[])[] {
  const times = new Map<Name, number[]>(names.map((name) => [name, []]));
  const peaks = new Map<Name, number>();
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) {
      const { ms, peakBytes } = measure(name, file);
      times.get(name)?.push(ms);
      peaks.set(name, Math.max(peaks.get(name) ?? 0, peakBytes));
    }
  }
  const base = median(times.get(names[0] as Name) ?? []);
  return names.map((name) => {
    const ratio = base / median(times.get(name) ?? []);
    return [name, `${ratio.toFixed(2)} x`, `${Math.round((peaks.get(name) ?? 0) / 1024 ** 2)} MB`];
  });
}

async function main(): Promise<void> {
  mkdirSync(dir, { recursive: true });
  const files = { ndjson: `${dir}/orders.ndjson`, csv: `${dir}/orders.csv` };
  await pipeline(Readable.from(ndjsonBlocks(fileBytes)), createWriteStream(files.ndjson));
  await pipeline(Readable.from(csvBlocks(fileBytes)), createWriteStream(files.csv));
  const ndjson = compare(
    ['ndjson JSON.parse', 'ndjson decode', 'ndjson decode+map', 'ndjson decode+map+marshal'],
    files.ndjson,
  );
  const csv = compare(['csv split', 'csv decode', 'csv decode+map', 'csv decode+map+marshal'], files.csv);
  for (const line of columns(['throughput, first of each group = 1', 'ratio', 'peak memory'], [...ndjson, ...csv]))
    console.log(line);
  const empty = measure('nothing', '').peakBytes;
  const { rows, peakBytes } = measure('normalize upload', String(largeBytes));
  const over = Math.round((peakBytes - empty) / 1024 ** 2);
  console.log(`\nNormalizing 1 GB of NDJSON (${rows.toLocaleString('en-US')} rows): ${over} MB over an empty process.`);
}

const [name, file = ''] = process.argv.slice(2);
if (name !== undefined && name in cases) await one(name as Name, file);
else await main();
