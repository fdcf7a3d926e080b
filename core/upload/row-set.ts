/**
 * A set of rows as a count and a fingerprint: the sum modulo 2¹²⁸ of a hash of each row's number. Two sets that were
 * counted in any order, in any pieces, by different layers, are equal exactly when both agree (up to chance of 2⁻¹²⁸),
 * and a row counted twice shows instead of hiding a row that is lost.
 */
export interface RowSet {
  readonly count: number;
  /** 32 hex digits. */
  readonly fingerprint: string;
}

export const emptySet: RowSet = { count: 0, fingerprint: '0'.repeat(32) };
const modulus = 1n << 128n;
const word = 0x1_0000_0000;

// The finalizer of MurmurHash3: every input bit reaches every output bit.
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Counts rows into a set, on from `before`. Order does not matter. Some tens of nanoseconds a row, no allocation. */
export class RowCounter {
  #count: number;
  // Four 32-bit limbs, least significant first. A limb may run over its 32 bits between rows and is carried each time.
  #limbs: number[];

  constructor(before: RowSet = emptySet) {
    this.#count = before.count;
    this.#limbs = [24, 16, 8, 0].map((at) => Number.parseInt(before.fingerprint.slice(at, at + 8), 16));
  }

  add(position: number, output: number): void {
    this.#count += 1;
    const low = (position % word) >>> 0;
    const high = Math.floor(position / word);
    let carry = 0;
    for (let limb = 0; limb < 4; limb += 1) {
      const seed = mix(0x9e3779b9 * (limb + 1));
      const hashed = mix(mix(mix(low ^ seed) + high) ^ mix(output + 0x51ed270b * (limb + 1)));
      const sum = (this.#limbs[limb] ?? 0) + hashed + carry;
      carry = sum >= word ? Math.floor(sum / word) : 0;
      this.#limbs[limb] = sum % word;
    }
  }

  value(): RowSet {
    const fingerprint = this.#limbs
      .map((limb) => limb.toString(16).padStart(8, '0'))
      .reverse()
      .join('');
    return { count: this.#count, fingerprint };
  }
}

/** The sum of sets: equal to their union when they share no row. */
export function sum(...sets: readonly RowSet[]): RowSet {
  let count = 0;
  let fingerprint = 0n;
  for (const set of sets) {
    count += set.count;
    fingerprint = (fingerprint + BigInt(`0x${set.fingerprint}`)) % modulus;
  }
  return { count, fingerprint: fingerprint.toString(16).padStart(32, '0') };
}

export function equalSets(a: RowSet, b: RowSet): boolean {
  return a.count === b.count && a.fingerprint === b.fingerprint;
}

/** A row's number as records carry it: its position, and `.<output>` when transform made several of it. */
export function rowNumber(position: number, output: number): string {
  return output === 0 ? String(position) : `${position}.${output}`;
}

/** Position and output of a row's number, or undefined when the text is none. */
export function parseRowNumber(text: string): readonly [position: number, output: number] | undefined {
  const match = /^(\d{1,16})(?:\.(\d{1,7}))?$/.exec(text);
  return match ? [Number(match[1]), Number(match[2] ?? 0)] : undefined;
}
