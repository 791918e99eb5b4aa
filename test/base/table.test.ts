import { expect, it } from 'vitest';
import { alignedLines } from '../../src/base/table.ts';

const rows = [
  ['metric', 'score', 'note'],
  ['CIDEr', '0.5', ''],
  ['x', '12.25', 'best'],
];

it('puts columns below each other, the first to the left and the others to the right', () => {
  expect(alignedLines(rows)).toEqual([
    'metric  score  note',
    'CIDEr     0.5',
    'x       12.25  best',
  ]);
});

it('puts them where they are wanted', () => {
  expect(alignedLines(rows, () => false)).toEqual([
    'metric  score  note',
    'CIDEr   0.5',
    'x       12.25  best',
  ]);
  expect(alignedLines([])).toEqual([]);
});
