/** A table of checks, each with its own tolerance and the largest difference found. */

interface Row {
  readonly check: string;
  readonly cases: number;
  readonly largest: number;
  readonly tolerance: string;
  readonly isGood: boolean;
  readonly note: string;
}

/** |computed - expected| may be up to absolute + relative |expected|. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative?: number;
}

export class Checks {
  readonly #rows: Row[] = [];

  /** Compares lists of numbers, named; a list of another length fails. */
  numbers(
    check: string,
    pairs: Iterable<
      readonly [name: string, computed: ArrayLike<number>, expected: ArrayLike<number>]
    >,
    { absolute, relative = 0 }: Tolerance,
  ): void {
    let cases = 0;
    let largest = 0;
    let note = '';
    for (const [name, computed, expected] of pairs) {
      cases += 1;
      if (computed.length !== expected.length)
        note ||= `${name}: ${computed.length} values, ${expected.length} expected`;
      for (let i = 0; i < expected.length; i++) {
        const difference = Math.abs(computed[i] - expected[i]);
        if (!(difference <= largest)) largest = difference;
        if (!(difference <= absolute + relative * Math.abs(expected[i])))
          note ||= `${name}[${i}]: ${computed[i]}, expected ${expected[i]}`;
      }
    }
    const tolerance = relative > 0 ? `${absolute} + ${relative} x` : String(absolute);
    if (cases === 0) note = 'nothing to compare';
    this.#rows.push({ check, cases, largest, tolerance, isGood: note === '', note });
  }

  /** Compares values that must be equal; the largest difference is the share that is not. */
  equal(
    check: string,
    pairs: Iterable<readonly [name: string, computed: unknown, expected: unknown]>,
  ): void {
    let cases = 0;
    let wrong = 0;
    let note = '';
    for (const [name, computed, expected] of pairs) {
      cases += 1;
      const [a, b] = [JSON.stringify(computed), JSON.stringify(expected)];
      if (a === b) continue;
      wrong += 1;
      note ||= `${name}: ${a}, expected ${b}`;
    }
    if (cases === 0) note = 'nothing to compare';
    this.#rows.push({
      check,
      cases,
      largest: cases > 0 ? wrong / cases : 0,
      tolerance: 'equal',
      isGood: note === '',
      note,
    });
  }

  /** A check that could not even run. */
  failed(check: string, error: unknown): void {
    const note = error instanceof Error ? error.message : String(error);
    this.#rows.push({ check, cases: 0, largest: Number.NaN, tolerance: '', isGood: false, note });
  }

  /** Prints the table. @returns whether all is well */
  report(): boolean {
    const cells = this.#rows.map((row) => [
      row.check,
      String(row.cases),
      row.largest === 0 ? '0' : row.largest.toExponential(1),
      row.tolerance,
      row.isGood ? 'ok' : `FAILS ${row.note.slice(0, 300)}`,
    ]);
    const table = [['check', 'cases', 'largest difference', 'allowed', ''], ...cells];
    const widths = [0, 1, 2, 3].map((i) => Math.max(...table.map((row) => row[i].length)));
    for (const row of table)
      console.log(
        row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd(),
      );
    const bad = this.#rows.filter((row) => !row.isGood).length;
    console.log(
      bad === 0
        ? `All ${this.#rows.length} checks agree.`
        : `${bad} of ${this.#rows.length} checks fail.`,
    );
    return bad === 0 && this.#rows.length > 0;
  }
}
