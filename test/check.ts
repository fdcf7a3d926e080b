/**
 * The gate: format, lint, types, tests, template, bundle budgets, in that order, stopping at the first that fails.
 * `npm test`, `npm run check` and CI all run this file.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Step {
  readonly name: string;
  readonly command: readonly string[];
  /** What to do when it fails. */
  readonly remedy: string;
}

const bin = (name: string) => join('node_modules', '.bin', name);
const reports = '.firn/check';
const vitest = (name: string, ...rest: readonly string[]) => [
  bin('vitest'),
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${reports}/${name}.json`,
  ...rest,
];

const steps: readonly Step[] = [
  { name: 'format', command: [bin('biome'), 'format', '.'], remedy: 'npm run fix' },
  { name: 'lint', command: [bin('biome'), 'lint', '.'], remedy: 'npm run fix, then mend what is left by hand' },
  { name: 'types', command: [bin('tsc'), '--noEmit'], remedy: 'mend the lines named above' },
  {
    name: 'tests',
    command: vitest('tests', '--exclude=test/template/**'),
    remedy: 'npx vitest run <file> runs one file',
  },
  { name: 'template', command: vitest('template', 'test/template'), remedy: 'npx vitest run test/template' },
  {
    name: 'bundle budgets',
    command: [process.execPath, 'deploy/check-budgets.ts'],
    remedy: 'see what grew, or raise deploy/budgets.ts',
  },
];

function counts(name: string): { passed: number; failed: number } {
  try {
    const report = JSON.parse(readFileSync(`${reports}/${name}.json`, 'utf8')) as Record<string, number>;
    return { passed: report['numPassedTests'] ?? 0, failed: report['numFailedTests'] ?? 0 };
  } catch {
    return { passed: 0, failed: 0 };
  }
}

mkdirSync(reports, { recursive: true });
const only = process.argv.slice(2);
for (const { name, command, remedy } of steps) {
  if (only.length > 0 && !only.includes(name)) continue;
  const started = performance.now();
  console.log(`\n── ${name}`);
  const [program = '', ...args] = command;
  const done = spawnSync(program, args, { stdio: 'inherit' });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (done.status !== 0) {
    console.error(`\n${name} failed after ${seconds} s. What to do: ${remedy}`);
    process.exit(1);
  }
  console.log(`   ${name}: fine, ${seconds} s`);
}
const all = [counts('tests'), counts('template')];
const total = (key: 'passed' | 'failed') => all.reduce((sum, each) => sum + each[key], 0);
console.log(`\nTests: ${total('passed')} passed, ${total('failed')} failed`);
