/** Explanations as rows of JSON. */
import { expect, it } from 'vitest';
import { explanationRow } from '../../../src/explain/output/json.ts';

it('a row has the words with their maps as rows of a grid, to six digits', () => {
  const word = { text: 'dog', logprob: -1 / 3, dependence: 2, place: 'centre' };
  const row = explanationRow({
    ...{ caption: 'dog', method: 'attention', side: 2, width: 30, height: 20 },
    words: [{ ...word, map: Float32Array.of(0.1, 0.2, 0.3, 1e-9) }],
  });
  expect(JSON.parse(JSON.stringify(row))).toEqual({
    ...{ caption: 'dog', method: 'attention', width: 30, height: 20, side: 2 },
    words: [
      {
        ...{ text: 'dog', logprob: -0.333333, dependence: 2, place: 'centre' },
        map: [
          [0.1, 0.2],
          [0.3, 1e-9],
        ],
      },
    ],
  });
});
