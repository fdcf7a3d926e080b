import type { Bundles } from './bundle.ts';
import { type FunctionName, functionNames } from './functions.ts';

/**
 * The most bytes a function's `index.mjs` may have. Start-up grows with it: about 100 ms a megabyte. Each is what was
 * measured with the sources of this repository, and a tenth; who needs more raises it here, for others to see.
 */
export const budgets: Readonly<Record<FunctionName, number>> = {
  copy: 685_000,
  poll: 654_000,
  unpack: 655_000,
  normalize: 770_000,
  export: 580_000,
  // Carries the Snowflake driver, which is why no other function may.
  reconcile: 4_230_000,
};

/** One line for each function over its budget. */
export function overBudget(bundles: Bundles): readonly string[] {
  return functionNames
    .filter((name) => bundles[name].bytes > budgets[name])
    .map((name) => `${name}: ${bundles[name].bytes} bytes, its budget in deploy/budgets.ts is ${budgets[name]}`);
}
