/** Lines and columns of places in a text. */

/** Offsets at which lines begin; they end with \n, \r\n or \r. */
export function lineStarts(text: string): number[] {
  return [
    0,
    ...Array.from(text.matchAll(/\r\n|\n|\r/g), ({ index, 0: end }) => index + end.length),
  ];
}

/** Line and column of an offset, both from 1; columns count UTF-16 code units, as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** @param starts as `lineStarts` gives them */
export function positionOf(offset: number, starts: readonly number[]): Position {
  let [low, high] = [0, starts.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= offset) low = middle;
    else high = middle;
  }
  return { line: low + 1, column: offset - starts[low] + 1 };
}
