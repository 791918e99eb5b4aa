/** Maps on grids: resized, shared out, and said in words. */
import { describe, expect, it } from 'vitest';
import { placeOf, positiveShares, resizeGrid, smoothGrid } from '../../src/explain/grid.ts';

/** 1 in one cell, else 0. */
function point(side: number, row: number, column: number): Float32Array {
  const map = new Float32Array(side * side);
  map[row * side + column] = 1;
  return map;
}

describe('a map', () => {
  it('keeps what is even, and a slope, when it is resized', () => {
    expect([...resizeGrid(new Float32Array(9).fill(2), 3, 7)]).toEqual(new Array(49).fill(2));
    const slope = Float32Array.from({ length: 16 }, (_, i) => i % 4);
    expect([...resizeGrid(slope, 4, 2).subarray(0, 2)]).toEqual([0.5, 2.5]);
    expect([...resizeGrid(Float32Array.of(0, 1, 0, 1), 2, 4).subarray(0, 4)]).toEqual([
      0, 0.25, 0.75, 1,
    ]);
  });

  it('keeps what is even and its highest place when it is smoothed', () => {
    for (const value of smoothGrid(new Float32Array(25).fill(2), 5, 1))
      expect(value).toBeCloseTo(2, 5);
    const smooth = smoothGrid(point(7, 2, 4), 7, 1);
    const at = (row: number, column: number): number => smooth[row * 7 + column];
    expect(smooth.indexOf(Math.max(...smooth))).toBe(2 * 7 + 4);
    // A Gaussian hill: a cell away e^-1/2 of its height, across e^-1; up to what the edge takes.
    expect(at(3, 4) / at(2, 4)).toBeCloseTo(Math.exp(-0.5), 1);
    expect(at(3, 3)).toBeCloseTo((at(3, 4) * at(2, 3)) / at(2, 4), 6);
  });

  it('is shared out over what speaks for the word', () => {
    expect([...positiveShares(Float32Array.of(3, -5, 1, 0))]).toEqual([0.75, 0, 0.25, 0]);
    expect([...positiveShares(Float32Array.of(-1, 0, 0, 0))]).toEqual([0.25, 0.25, 0.25, 0.25]);
  });

  it('says where it lies', () => {
    expect(placeOf(point(7, 0, 0), 7)).toBe('upper left');
    expect(placeOf(point(7, 3, 3), 7)).toBe('centre');
    expect(placeOf(point(7, 6, 3), 7)).toBe('lower centre');
    expect(placeOf(point(24, 12, 23), 24)).toBe('middle right');
    expect(placeOf(point(1, 0, 0), 1)).toBe('all over the picture');
    expect(placeOf(new Float32Array(49).fill(-1), 7)).toBe('all over the picture');
  });
});
