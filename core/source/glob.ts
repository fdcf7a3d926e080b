/** Compiles a pattern against a whole key: `*` is anything but '/', `**` anything, `?` one character. */
export function compileGlob(pattern: string): (key: string) => boolean {
  const parts = pattern.split(/(\*\*+|\*|\?)/).map((part) => wildcards[part.slice(0, 2)] ?? literal(part));
  const expression = new RegExp(`^${parts.join('')}$`, 'su');
  return (key) => expression.test(key);
}

const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

const wildcards: Readonly<Record<string, string>> = { '*': '[^/]*', '**': '.*', '?': '.' };

/**
 * Whether a pattern certainly matches every key that starts and ends so: a `**` in it takes what lies between, and what
 * stands before and after it is met by the prefix and the suffix alone.
 */
export function matchesEverything(pattern: string, prefix: string, suffix: string): boolean {
  return [...pattern.matchAll(/\*\*+/g)].some((open) => {
    const before = compileGlob(pattern.slice(0, open.index));
    const after = compileGlob(pattern.slice(open.index + open[0].length));
    return heads(prefix).some(before) && tails(suffix).some(after);
  });
}

const heads = (text: string) => Array.from({ length: text.length + 1 }, (_, length) => text.slice(0, length));
const tails = (text: string) => Array.from({ length: text.length + 1 }, (_, start) => text.slice(start));
