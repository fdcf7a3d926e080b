/**
 * Compares two keys as S3 lists them: by their UTF-8 bytes. JavaScript's own order compares UTF-16 units, in which the
 * surrogates of U+10000 and above come before U+E000…U+FFFF. Negative when `a` comes first.
 */
export function compareKeys(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let index = 0; index < shared; index += 1) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return left >= 0xd800 && right >= 0xd800 ? lifted(left) - lifted(right) : left - right;
  }
  return a.length - b.length;
}

/** A unit from U+D800 on, with the surrogates behind the rest: UTF-8 gives them four bytes, the others three. */
function lifted(unit: number): number {
  return unit < 0xe000 ? unit + 0x10000 : unit;
}
