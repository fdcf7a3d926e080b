import type { Put } from '../table/record-item.ts';
import type { WriteOutcome } from '../table/table.ts';
import type { PartBooks } from '../upload/books.ts';
import { RowCounter } from '../upload/row-set.ts';
import type { SideFile } from '../upload/side-file.ts';

/** What became of a row, as the keys file spells it: written, stale, collapsed, contradiction. */
export type KeyOutcome = 'w' | 's' | 'c' | 'x';

const letters = { written: 'w', stale: 's', contradiction: 'x' } as const satisfies Partial<
  Record<WriteOutcome, KeyOutcome>
>;

type KeysBooks = Pick<PartBooks, 'accepted' | 'collapsed' | 'stale' | 'contradictions' | 'keyFiles'>;

/** Logs the key of every accepted record with its outcome, and counts the books of a part on the way. */
export class KeysLog {
  readonly #file: SideFile;
  readonly #before: KeysBooks;
  readonly #accepted: RowCounter;
  readonly #collapsed: RowCounter;
  readonly #stale: RowCounter;
  #contradictions: number;

  /** `before`: what the part had come to when this turn began. */
  constructor(file: SideFile, before: KeysBooks) {
    this.#file = file;
    this.#before = before;
    this.#accepted = new RowCounter(before.accepted);
    this.#collapsed = new RowCounter(before.collapsed);
    this.#stale = new RowCounter(before.stale);
    this.#contradictions = before.contradictions;
  }

  /** `outcomes` stand in the order of `kept`. */
  async add(kept: readonly Put[], outcomes: readonly WriteOutcome[], collapsed: readonly Put[]): Promise<void> {
    for (const [index, put] of kept.entries()) {
      const outcome = outcomes[index] ?? 'contradiction';
      // A record that the table refuses is in quarantine, not among the accepted.
      if (outcome === 'refused') continue;
      if (outcome === 'stale') this.#stale.add(put.position, put.output);
      if (outcome === 'contradiction') this.#contradictions += 1;
      this.#log(put, letters[outcome]);
    }
    for (const put of collapsed) {
      this.#collapsed.add(put.position, put.output);
      this.#log(put, 'c');
    }
    await this.#file.ready();
  }

  /** Writes what is not written yet, and answers with the books, what was before included. More may be added then. */
  async flush(): Promise<KeysBooks> {
    return {
      accepted: this.#accepted.value(),
      collapsed: this.#collapsed.value(),
      stale: this.#stale.value(),
      contradictions: this.#contradictions,
      keyFiles: [...this.#before.keyFiles, ...(await this.#file.flush())],
    };
  }

  #log(put: Put, outcome: KeyOutcome): void {
    this.#accepted.add(put.position, put.output);
    this.#file.add(`[${put.position},${put.output},"${outcome}",${JSON.stringify(put.pk)},${JSON.stringify(put.sk)}]`);
  }
}
