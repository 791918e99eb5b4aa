/** Gathers differences between computed and expected values, and prints them as a table. */

interface Row {
  cases: number;
  largest: number;
  /** The case with the largest difference. */
  where: string;
}

export class Comparisons {
  readonly #rows = new Map<string, Row>();
  readonly #tolerance: number;
  #complaints = 0;

  constructor(tolerance: number) {
    this.#tolerance = tolerance;
  }

  /** Compares two numbers; anything but a number differs infinitely. */
  number(metric: string, where: string, computed: number, expected: unknown): void {
    const difference = typeof expected === 'number' ? Math.abs(computed - expected) : Number.NaN;
    this.#add(metric, where, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
  }

  /** Compares two lists of numbers; the difference is the largest of their elements'. */
  numbers(metric: string, where: string, computed: ArrayLike<number>, expected: unknown): void {
    let largest = Number.POSITIVE_INFINITY;
    if (Array.isArray(expected) && expected.length === computed.length) {
      largest = Math.max(0, ...expected.map((value, index) => Math.abs(computed[index] - value)));
    }
    this.#add(metric, where, Number.isNaN(largest) ? Number.POSITIVE_INFINITY : largest);
  }

  /** Compares two texts: the difference is 0 or 1. The first few that differ are shown. */
  text(metric: string, where: string, computed: string, expected: unknown): void {
    const equal = computed === expected;
    this.#add(metric, where, equal ? 0 : 1);
    if (!equal && this.#complaints++ < 10) {
      console.error(`${metric}, ${where}:`);
      console.error(`  expected ${shortened(JSON.stringify(expected))}`);
      console.error(`  computed ${shortened(JSON.stringify(computed))}`);
    }
  }

  #add(metric: string, where: string, difference: number): void {
    const row = this.#rows.get(metric) ?? { cases: 0, largest: -1, where: '' };
    row.cases++;
    if (difference > row.largest) {
      row.largest = difference;
      row.where = where;
    }
    this.#rows.set(metric, row);
  }

  /** Prints the table; returns whether there were cases and none differed by more than the tolerance. */
  report(): boolean {
    const rows = [...this.#rows].map(([metric, { cases, largest, where }]) => {
      const bad = !(largest <= this.#tolerance);
      return [metric, `${cases}`, largest.toExponential(1), bad ? `FAILS at ${where}` : ''];
    });
    const table = [['metric', 'cases', 'largest difference', ''], ...rows];
    const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column].length)));
    for (const [metric, cases, largest, verdict] of table) {
      const cells = [
        metric.padEnd(widths[0]),
        cases.padStart(widths[1]),
        largest.padStart(widths[2]),
      ];
      console.log(`${cells.join('  ')}  ${verdict}`.trimEnd());
    }
    const failed = rows.filter(([, , , verdict]) => verdict !== '').length;
    if (rows.length === 0) console.log('Nothing to compare.');
    else if (failed > 0)
      console.log(`${failed} of ${rows.length} differ by more than ${this.#tolerance}.`);
    else console.log(`All ${rows.length} agree within ${this.#tolerance}.`);
    return rows.length > 0 && failed === 0;
  }
}

function shortened(text = 'nothing'): string {
  return text.length > 300 ? `${text.slice(0, 300)} ...` : text;
}
