/** Maps over a picture: square grids of numbers, row by row, and what they say in words. */

/** A map of `from` x `from` cells as one of `to` x `to`, bilinear between the cells' middles. */
export function resizeGrid(values: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return values;
  const steps = Array.from({ length: to }, (_, i) => {
    const place = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5));
    const before = Math.floor(place);
    return { before, after: Math.min(from - 1, before + 1), share: place - before };
  });
  const result = new Float32Array(to * to);
  for (const [y, row] of steps.entries())
    for (const [x, column] of steps.entries()) {
      const between = (line: number): number =>
        (1 - column.share) * values[line * from + column.before] +
        column.share * values[line * from + column.after];
      result[y * to + x] = (1 - row.share) * between(row.before) + row.share * between(row.after);
    }
  return result;
}

/** A map under a Gaussian hill, its deviation in cells; at the edges what there is of the hill counts. */
export function smoothGrid(map: Float32Array, side: number, deviation: number): Float32Array {
  const weights = Array.from({ length: side }, (_, i) => {
    const row = Array.from({ length: side }, (_, j) =>
      Math.exp(-((i - j) ** 2) / (2 * deviation ** 2)),
    );
    const sum = row.reduce((a, b) => a + b, 0);
    return row.map((weight) => weight / sum);
  });
  const along = (
    values: Float32Array,
    at: (line: number, place: number) => number,
  ): Float32Array => {
    const result = new Float32Array(side * side);
    for (let line = 0; line < side; line++)
      for (const [place, row] of weights.entries())
        for (const [other, weight] of row.entries())
          result[at(line, place)] += weight * values[at(line, other)];
    return result;
  };
  const rowsDone = along(map, (line, place) => line * side + place);
  return along(rowsDone, (line, place) => place * side + line);
}

/** What speaks for a word, as shares of 1; all the same where nothing does. */
export function positiveShares(map: Float32Array): Float32Array {
  const positive = map.map((value) => Math.max(0, value));
  const sum = positive.reduce((a, b) => a + b, 0);
  return sum > 0 ? positive.map((value) => value / sum) : positive.fill(1 / map.length);
}

const columns = ['left', 'centre', 'right'] as const;
const rows = ['upper', 'middle', 'lower'] as const;

/** More than this part of a map lies in one of nine areas, or the map has no place. A ninth would be even. */
const least = 0.25;

/** Where in the picture a map lies: 'upper left', 'centre', ... or 'all over the picture'. */
export function placeOf(map: Float32Array, side: number): string {
  const areas = resizeGrid(positiveShares(map), side, side < 3 ? 3 : side);
  const edge = Math.sqrt(areas.length);
  const sums = new Float64Array(9);
  for (const [i, share] of areas.entries()) {
    const area = (position: number): number => Math.floor((3 * (position + 0.5)) / edge);
    sums[3 * area(Math.floor(i / edge)) + area(i % edge)] += share;
  }
  const best = sums.indexOf(Math.max(...sums));
  if (sums[best] < least * sums.reduce((a, b) => a + b, 0)) return 'all over the picture';
  if (best === 4) return 'centre';
  return `${rows[Math.floor(best / 3)]} ${columns[best % 3]}`;
}
