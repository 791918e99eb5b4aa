/** Runs that are taught with boxes: the alignment layer's attention moves into them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { tinyRuns } from '../tiny-runs.ts';

vi.setConfig({ testTimeout: 240_000 });

const runs = tinyRuns();
const colours = ['red', 'green', 'blue', 'yellow'];
const shapes = ['square', 'circle'];

/** Every picture's shape lies in its middle. */
beforeAll(async () => {
  const rows = colours.flatMap((colour) =>
    shapes.map((shape) => ({
      file: `${colour}-${shape}.png`,
      width: 64,
      height: 64,
      boxes: { '1': [[14, 14, 50, 50]] },
      captions: [
        {
          words: ['a', colour, shape, '.'],
          phrases: [{ id: '1', types: ['other'], first: 0, words: 3 }],
        },
      ],
    })),
  );
  await writeFile(runs.at('boxes.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
});

const settings = (grounding: object | null) => ({
  refinedGradient: 'layers',
  dropout: 0,
  alignment: { heads: 4, dropout: 0, grounding },
});
const grounding = () => ({ entities: runs.at('boxes.jsonl'), weight: 1 });

describe('a run with boxes', () => {
  it('draws the attention into them and tells how far it is', async () => {
    const notes: string[] = [];
    const events = await runs.train(
      'grounded',
      { ...settings(grounding()), epochs: 30, views: 3, learningRate: 4e-3 },
      { onNote: (note) => notes.push(note) },
    );
    const told = events.flatMap((event) => (event.kind === 'step' ? [event.terms.grounding] : []));
    expect(told[0]).toBeGreaterThan(0);
    expect(told.at(-1)).toBeLessThan(0.8 * told[0]);
    expect(notes.join('\n')).toContain('8 of 16 training captions have words with boxes');
  });

  it('goes on after a stop to the bits of an uninterrupted run, with a tower in training too', async () => {
    const all = { ...settings(grounding()), visionBlocks: 1, epochs: 3, checkpointEvery: 1 };
    await runs.train('whole', all);
    await runs.trainInTwo('parts', all, 3);
    expect(await runs.weights('parts')).toEqual(await runs.weights('whole'));
  });

  it('is refused where the boxes are of other pictures', async () => {
    const path = join(runs.at(), 'other.jsonl');
    const row = { file: 'x.jpg', width: 9, height: 9, boxes: {}, captions: [] };
    await writeFile(path, `${JSON.stringify(row)}\n`);
    const refused = runs.train('refused', settings({ entities: path }));
    await expect(refused).rejects.toThrow('none of the 16 training captions has a box there');
  });
});
