/** Words over their picture in a cell. */
import sharp from 'sharp';
import { expect, it } from 'vitest';
import type { Explanation } from '../../src/explain/explanation.ts';
import { showWords } from '../../src/notebook/words.ts';

const explanation: Explanation = {
  ...{ caption: 'a dog', method: 'attention', side: 2, width: 200, height: 100 },
  words: [
    {
      ...{ text: 'a', logprob: 0, dependence: 0.1, place: 'all over the picture' },
      map: Float32Array.of(1, 1, 1, 1),
    },
    {
      ...{ text: 'dog', logprob: Math.log(0.5), dependence: 3, place: 'upper left' },
      map: Float32Array.of(1, 0, 0, 0),
    },
  ],
};

it('is a row a word: the picture clear where the word comes from, and dark elsewhere', async () => {
  const grey = await sharp({
    create: { width: 200, height: 100, channels: 3, background: '#808080' },
  })
    .png()
    .toBuffer();
  const { html, text } = await showWords(grey, explanation);
  expect(text.split('\n')).toEqual([
    'word  where                 probability  depends on the picture',
    'a     all over the picture  100 %        hardly',
    'dog   upper left            50 %         wholly',
  ]);
  const tiles = [...html.matchAll(/base64,([\w+/=]+)/g)].map(([, data]) =>
    Buffer.from(data, 'base64'),
  );
  const [clear, veiled] = await Promise.all(
    tiles.map((tile) => sharp(tile).raw().toBuffer({ resolveWithObject: true })),
  );
  expect([veiled.info.width, veiled.info.height]).toEqual([112, 56]);
  const at = ({ data }: { data: Buffer }, x: number, y: number) => data[3 * (y * 112 + x)];
  for (const [x, y] of [
    [5, 5],
    [106, 5],
    [5, 50],
    [106, 50],
  ])
    expect(at(clear, x, y)).toBeCloseTo(128, -1);
  expect(at(veiled, 5, 5)).toBeCloseTo(128, -1);
  expect(at(veiled, 106, 5)).toBeLessThan(60);
  expect(at(veiled, 106, 50)).toBeLessThan(60);
});
