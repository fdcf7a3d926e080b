#!/usr/bin/env node
// The `firn` command. Runs under whatever Node the machine has, finds Node 24, and does the work there: cli/firn.ts.
// Plain JavaScript of long ago, because its only job is to come through on an old Node.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

var ownNode = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));

if (Number(process.versions.node.split('.')[0]) >= 24) {
  import('./firn.ts');
} else if (existsSync(ownNode)) {
  runUnder(ownNode);
} else {
  // Says what is wrong and what to do, and exits 1.
  import('../deploy/node-gate.js');
}

/** @param {string} node */
function runUnder(node) {
  var program = fileURLToPath(new URL('./firn.ts', import.meta.url));
  var child = spawn(node, [program].concat(process.argv.slice(2)), { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both: this process only waits for what the other makes of it.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGHUP'));
  child.on('error', (error) => {
    console.error(`${node} does not run: ${error.message}\nWhat to do: \`npm ci\`, then the same command again.`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code === null ? 128 : code;
    if (signal === null) return;
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
