/** The scores of every image in a file. */
import { describe, expect, it } from 'vitest';
import { perImageFormat, perImageLines } from '../../src/score/per-image.ts';

describe('perImageLines', () => {
  const images = [{ image: '1', system: 's', caption: 'a "dog", running', scores: [0.5] }];

  it('writes JSON lines and CSV', () => {
    expect([...perImageLines('jsonl', ['Bleu_1'], images)].join('')).toBe(
      '{"image_id":"1","system":"s","caption":"a \\"dog\\", running","Bleu_1":0.5}\n',
    );
    expect([...perImageLines('csv', ['Bleu_1'], images)].join('')).toBe(
      'image_id,system,caption,Bleu_1\n1,s,"a ""dog"", running",0.5\n',
    );
  });

  it('knows the format by the ending', async () => {
    expect(await perImageFormat('x/Y.CSV')).toBe('csv');
    expect(await perImageFormat('/dev/stdout')).toBe('jsonl');
    for (const name of ['scores.txt', 'scores'])
      await expect(perImageFormat(name)).rejects.toThrow(/\.jsonl or \.csv/);
  });
});
