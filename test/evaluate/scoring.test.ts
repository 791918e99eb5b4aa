/** The scores of a split: those of the files, and the second protocol. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { scoreSplit, singleReferenceMeans } from '../../src/evaluate/scoring.ts';
import { scoreFiles } from '../../src/score/files.ts';
import { type Item, metricFixture, temporaryFolder, write } from '../data/caption-files.ts';

const { items } = metricFixture<{ items: Item[] }>('caption_stream.json');
const captions = items.map(({ candidate, references }) => ({ caption: candidate, references }));
const folder = temporaryFolder();

describe('scoreSplit', () => {
  it('gives to the bit what refcap score gives of files with the same captions', async () => {
    const line = (value: unknown) => `${JSON.stringify(value)}\n`;
    const ours = items.map(({ id, candidate }) => line({ image_id: id, caption: candidate }));
    const theirs = items.flatMap(({ id, references }) =>
      references.map((caption) => line({ image_id: id, caption })),
    );
    const perImage = `${folder}/scores.jsonl`;
    const options = { bootstrap: 20, seed: 4 };
    const [report] = await scoreFiles({
      ...options,
      candidates: [write(folder, 'c.jsonl', ours.join(''))],
      references: [write(folder, 'r.jsonl', theirs.join(''))],
      perImage,
    });
    const { scores, intervals, images, settings } = await scoreSplit(captions, options);
    expect(scores).toEqual(report.metrics);
    expect(intervals).toEqual(report.intervals);
    expect(report.settings).toMatchObject(settings);
    const rows = readFileSync(perImage, 'utf8').trimEnd().split('\n');
    expect(images).toEqual(
      rows.map((row) => {
        const { image_id: _id, system: _system, caption: _caption, ...own } = JSON.parse(row);
        return own;
      }),
    );
  });
});

describe('singleReferenceMeans', () => {
  it('is the mean over the references’ places, of the images that have one there', async () => {
    const some = [
      { caption: 'a dog runs on the grass', references: ['a dog runs on the grass', 'a red bus'] },
      { caption: 'two people walk home', references: ['two people walk home'] },
    ];
    const { Bleu_1 } = await singleReferenceMeans(some, {});
    // At the first place both are perfect; at the second 'a' alone is found, among six words for three.
    expect(Bleu_1).toBeCloseTo((1 + 1 / 6) / 2, 6);
  });
});
