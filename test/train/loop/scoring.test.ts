/** The reward of self-critical training, beside the metric itself. */
import { describe, expect, it } from 'vitest';
import { createCider } from '../../../src/metrics/cider.ts';
import { DocumentFrequencies } from '../../../src/metrics/document-frequencies.ts';
import { tokenizeCaption } from '../../../src/metrics/tokenizer/tokenizer.ts';
import { ciderReward, scoreCaptions } from '../../../src/train/loop/scoring.ts';
import { type Item, metricFixture } from '../../data/caption-files.ts';

const images = [
  ['A dog runs in the snow.', 'a brown dog is running in a field', 'the dog runs'],
  ['two people on a beach', 'a couple walks on the beach in the sun', 'people walk'],
  ['a boy jumps into a pool', 'the boy is in the air over a pool', 'a child swims in a pool'],
];

/** CIDEr-D of one caption with a made-up last word in it and in all references. */
function byTheMetric(image: number, caption: string): number {
  const marked = images.map((list) => list.map((text) => `${tokenizeCaption(text)} endword`));
  const frequencies = new DocumentFrequencies();
  for (const list of marked) frequencies.add(list);
  const metric = createCider(frequencies);
  const references = marked[image];
  const row = new Float64Array(metric.width);
  const tokenized = { candidate: caption, references };
  metric.statistics({ candidate: caption, references, tokenized }, row, 0);
  return metric.scores(row, 1)[0];
}

describe('the reward', () => {
  const reward = ciderReward({ references: images });

  it.each([
    [0, 'a dog runs in the snow'],
    [1, 'a couple walks on a beach'],
    [2, 'a boy'],
  ])('of image %i is CIDEr-D with the end as a word: %s', (image, text) => {
    const [ended, cut] = reward(image, [
      { text, ended: true },
      { text, ended: false },
    ]);
    expect(ended).toBeCloseTo(byTheMetric(image, `${text} endword`), 9);
    expect(cut).toBeCloseTo(byTheMetric(image, text), 9);
    expect(ended).toBeGreaterThan(0);
  });

  it('does not pay for a caption that breaks off', () => {
    const [whole, broken] = reward(2, [
      { text: 'a boy jumps into a pool', ended: true },
      { text: 'a boy jumps into a pool in a', ended: true },
    ]);
    expect(whole).toBeGreaterThan(broken);
  });
});

describe('the reward of several sources', () => {
  it("counts documents in the references of an image's own source, as its scores do", () => {
    const others = [
      ['a dog on a sofa', 'a dog sleeps'],
      ['a dog in a kitchen', 'the dog eats'],
    ];
    const [alone, joined] = [
      { references: images },
      { references: [...others, ...images], sources: ['b', 'b', 'a', 'a', 'a'] },
    ].map(ciderReward);
    const mixed = ciderReward({ references: [...others, ...images] });
    const drawn = [{ text: 'a dog runs in the snow', ended: true }];
    expect(joined(2, drawn)).toEqual(alone(0, drawn));
    expect(joined(0, drawn)).toEqual(ciderReward({ references: others })(0, drawn));
    expect(mixed(2, drawn)).not.toEqual(alone(0, drawn));
  });
});

describe('the scores of a validation', () => {
  it('are those of the COCO evaluation, the metric by its name', async () => {
    const { items, corpus } = metricFixture<{
      items: Item[];
      corpus: { coco: Record<string, number> };
    }>('caption_stream.json');
    const scores = await scoreCaptions(
      items.map(({ candidate }) => candidate),
      items.map(({ references }) => references),
    );
    expect(scores['CIDEr-D']).toBeCloseTo(corpus.coco.CIDEr, 9);
    expect(scores['BLEU-4']).toBeCloseTo(corpus.coco.Bleu_4, 9);
    expect(scores['ROUGE-L']).toBeCloseTo(corpus.coco.ROUGE_L, 9);
    expect(scores.METEOR).toBeCloseTo(corpus.coco.METEOR_exact_stem_synonym, 9);
  });
});
