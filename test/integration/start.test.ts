import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../../deploy/folders.ts';

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `npm start -- …` as npm does, without a terminal. */
function start(...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'cli', 'start.ts'), ...args], { cwd: root }, (error, stdout, stderr) => {
      const code = error ? Number(error.code) : 0;
      resolve({ code, stdout, stderr });
    });
  });
}

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firn-drop-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('npm start -- --drop', () => {
  it('ingests a folder of files and prints the books as one JSON line', async () => {
    await mkdir(join(dir, 'own', 'shops', 'deep folder'), { recursive: true });
    await mkdir(join(dir, 'own', 'stock-moves'), { recursive: true });
    const move = {
      move: 'M-1',
      kind: 'sale',
      shop: 'porto-foz',
      sku: 'BEAN-1',
      direction: 'out',
      units: 2,
      at: '2026-03-02T10:00:00Z',
    };
    const rows = [
      JSON.stringify(move),
      JSON.stringify({ ...move, move: 'M-2', units: 'many' }),
      JSON.stringify({ ...move, move: 'M-3', kind: 'transfer', from: 'a', to: 'b' }),
      JSON.stringify({ ...move, move: 'M-4', test: true }),
      '{"move": "M-5"',
    ];
    await writeFile(join(dir, 'own', 'stock-moves', 'moves + more (1).txt'), gzipSync(rows.join('\n')));

    const { code, stdout } = await start('--json', '--drop', join(dir, 'own'));

    const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
    expect(last).toMatchObject({
      uploads: [
        {
          source: 'stock-moves',
          state: 'loaded',
          rowsRead: 5,
          dropped: 1,
          quarantined: 2,
          accepted: 3,
          exported: 3,
          loaded: 3,
          closed: true,
        },
      ],
      totals: { rowsRead: 5, accepted: 3, loaded: 3 },
      warehouse: { STOCK_MOVES: 3, ORDERS: 0 },
    });
    expect(code).toBe(0);
  });

  it('says what it needs when a folder names no source', async () => {
    await mkdir(join(dir, 'wrong', 'nobody'), { recursive: true });

    const { code, stderr } = await start('--drop', join(dir, 'wrong'));

    expect(code).toBe(2);
    expect(stderr).toContain('nobody');
    expect(stderr).toContain('orders-lisbon');
  });

  it('refuses an option that it does not have', async () => {
    const { code, stderr } = await start('--frobnicate');
    expect(code).toBe(2);
    expect(stderr).toContain('--drop');
  });
});
