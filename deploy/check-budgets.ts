// Bundles every function with the project's sources and says how much of its budget each takes. A step of the gate.
import { budgets, overBudget } from './budgets.ts';
import { writeBuild } from './build.ts';
import { bundleAll } from './bundle.ts';
import { inputsFrom } from './folders.ts';
import { functionNames } from './functions.ts';

const build = await writeBuild({ ...inputsFrom(process.env, 'dev'), build: new Date().toISOString() });
const bundles = await bundleAll(build);
const thousands = (bytes: number) => `${Math.round(bytes / 1000).toLocaleString('en')} kB`;
for (const name of functionNames) {
  console.log(`${name.padEnd(10)} ${thousands(bundles[name].bytes).padStart(9)} of ${thousands(budgets[name])}`);
}
const problems = overBudget(bundles);
if (problems.length > 0) {
  console.error(`\nOver budget:\n${problems.join('\n')}`);
  process.exitCode = 1;
}
