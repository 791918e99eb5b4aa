/** The rows of a list, fetched a page at a time as they are looked at. */
import { signal } from '@preact/signals';
import type { ReviewRow } from '../../../src/review/server/schema.ts';

/** Rows that are fetched at a time. */
const pageSize = 100;

export class Rows {
  /** Rows by their place in the list. */
  readonly #rows = new Map<number, ReviewRow>();
  readonly #indexes = new Map<number, number>();
  readonly #asked = new Map<number, Promise<void>>();
  readonly #fetch: (start: number, count: number) => Promise<readonly ReviewRow[]>;
  readonly total: number;
  /** Counts changes, so that what shows rows is drawn anew. */
  readonly version = signal(0);

  constructor(
    total: number,
    fetch: (start: number, count: number) => Promise<readonly ReviewRow[]>,
  ) {
    this.total = total;
    this.#fetch = fetch;
  }

  /** A row, where it was fetched. */
  at(index: number): ReviewRow | undefined {
    void this.version.value;
    return this.#rows.get(index);
  }

  /** Where a draft is in the list, if its row was fetched. */
  indexOf(place: number): number | undefined {
    return this.#indexes.get(place);
  }

  /** Another state of a row. */
  put(row: ReviewRow): void {
    const index = this.#indexes.get(row.place);
    if (index === undefined) return;
    this.#rows.set(index, row);
    this.version.value += 1;
  }

  /** Fetches the rows from one to another that are not there. @throws Refused */
  async need(from: number, to: number): Promise<void> {
    const first = Math.floor(Math.max(0, from) / pageSize);
    const last = Math.floor(Math.min(this.total - 1, to) / pageSize);
    const pages = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
    await Promise.all(pages.map((page) => this.#page(page)));
  }

  #page(page: number): Promise<void> {
    const known = this.#asked.get(page);
    if (known) return known;
    const work = this.#fill(page * pageSize);
    this.#asked.set(page, work);
    // What failed is asked for again.
    work.catch(() => this.#asked.delete(page));
    return work;
  }

  async #fill(start: number): Promise<void> {
    const rows = await this.#fetch(start, pageSize);
    for (const [i, row] of rows.entries()) {
      this.#rows.set(start + i, row);
      this.#indexes.set(row.place, start + i);
    }
    this.version.value += 1;
  }
}
