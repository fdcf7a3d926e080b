import { basename, dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import type { Mistake } from '../core/source/check.ts';
import { root } from '../deploy/folders.ts';
import type { FailedSource, SourceFile } from '../deploy/registry.ts';

/** Something wrong with a source, and where. */
export interface SourceProblem {
  /** Ids of the sources it lies in; the first is the one whose file is named. */
  readonly sources: readonly string[];
  /** Absolute path. */
  readonly file: string;
  /** Counted from 1, where it is known. */
  readonly line?: number;
  readonly message: string;
}

/** Why a source could not be loaded: one problem for each fault the compiler found, or the one that importing it gave. */
export function loadProblems({ id, file, error }: FailedSource): readonly SourceProblem[] {
  const faults = compilerFaults(error.cause).map(({ text, location }) => {
    // A fault may lie in a file that the source imports.
    const inside = location !== null && resolve(root, location.file) === file;
    const where = location !== null && !inside ? ` (${location.file}:${location.line})` : '';
    return problem([id], file, inside ? location.line : undefined, `it cannot be compiled: ${text}${where}`);
  });
  return faults.length > 0 ? faults : [problem([id], file, lineOfFrame(error.cause, file), error.message)];
}

/** A mistake of sources that were loaded, at the property, or the declaration, of the first of them. */
export function mistakeProblem(
  { sources, message, at }: Mistake,
  files: readonly SourceFile[],
  textOf: (file: string) => string,
): SourceProblem {
  const file = files.find(({ id }) => id === sources[0])?.file ?? '';
  const text = textOf(file);
  return problem(sources, file, (at && propertyAt(text, at)) ?? declaredAt(text), message);
}

/** The line of the only call of `defineSource` in a source's text; undefined when there is none or more than one. */
export function declaredAt(text: string): number | undefined {
  const calls = [...text.matchAll(/\bdefineSource\s*\(/g)];
  return calls.length === 1 ? text.slice(0, calls[0]?.index).split('\n').length : undefined;
}

/**
 * The line of a property in the only declaration of a source's text: what names of properties lead to, as far as they
 * stand there. Undefined when the first is not there, as where it comes from a spread.
 */
export function propertyAt(text: string, path: readonly string[]): number | undefined {
  const declared = declaredAt(text);
  if (declared === undefined) return undefined;
  const lines = text.split('\n').map((line) => (/^\s*(\/\/|\/?\*)/.test(line) ? '' : line));
  let found: number | undefined;
  let from = declared - 1;
  for (const name of path) {
    const escaped = name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const property = new RegExp(`(^|[\\s{,(])(['"]?)${escaped}\\2\\s*:`);
    const index = lines.findIndex((line, at) => at >= from && property.test(line));
    if (index < 0) break;
    found = index + 1;
    from = index;
  }
  return found;
}

/** A problem as one line: `sources/orders.ts:4: …`, the path relative to the working directory where it lies in it. */
export function problemLine({ file, line, message }: SourceProblem, cwd: string): string {
  return `${shownPath(file, cwd)}${line === undefined ? '' : `:${line}`}: ${message}`;
}

/** A path relative to the working directory, absolute when it lies outside. */
export function shownPath(file: string, cwd: string): string {
  const path = relative(cwd, file);
  return path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path) ? file : path;
}

function problem(sources: readonly string[], file: string, line: number | undefined, message: string): SourceProblem {
  return { sources, file, message, ...(line !== undefined && { line }) };
}

interface CompilerFault {
  readonly text: string;
  readonly location: { readonly file: string; readonly line: number } | null;
}

/** What esbuild's failure lists; nothing for any other error. */
function compilerFaults(cause: unknown): readonly CompilerFault[] {
  const listed = cause instanceof Error && 'errors' in cause ? cause.errors : undefined;
  return Array.isArray(listed) ? (listed as readonly CompilerFault[]) : [];
}

/** The line of the source's own file that an error of its import came through, with source maps switched on. */
function lineOfFrame(cause: unknown, file: string): number | undefined {
  const stack = cause instanceof Error ? (cause.stack ?? '') : '';
  // The compiled file may lie elsewhere, and then its map says where the source is only by the end of its path.
  const ending = `/${basename(dirname(file))}/${basename(file)}:`;
  const frame = stack.split('\n').find((each) => /^\s+at /.test(each) && each.includes(ending));
  const line = frame?.match(/\.ts:(\d+):\d+\)?$/)?.[1];
  return line === undefined ? undefined : Number(line);
}
