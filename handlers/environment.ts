import { misconfigured } from '../core/failure.ts';

/** Reads environment variables once an execution environment, and says everything that is missing at once. */
export function environment<N extends string>(names: readonly N[]): Readonly<Record<N, string>> {
  const missing = names.filter((name) => !process.env[name]);
  if (missing.length > 0) {
    const message = `Starting failed: the environment lacks ${missing.join(', ')}. The deployment sets them: deploy it again.`;
    throw misconfigured('environment.missing', message);
  }
  return Object.fromEntries(names.map((name) => [name, process.env[name] ?? ''])) as Record<N, string>;
}

/** A whole number above 0 from an environment variable. */
export function positive(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw misconfigured('environment.badNumber', `Starting failed: ${name} is not a whole number above 0. Set it anew.`);
}
