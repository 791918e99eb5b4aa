/** The data of a run: too few pictures, runs without a dev split, words that the vocabulary does not have. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTextTokenizer, tokenizerFromVocabulary } from '../../../src/data/index.ts';
import { readRunData, unknownWordsNote } from '../../../src/train/loop/data.ts';
import { folderOf, images } from '../../data/dataset-folder.ts';
import { repositoryRoot } from '../../paths.ts';

const names = (count: number) => Array.from({ length: count }, (_, i) => `${i}.jpg`);
const dataset = (count: number, split = '') =>
  folderOf({
    'captions.csv': `file,caption${split && ',split'}\n${names(count)
      .map((name) => `${name},of ${name}${split && `,${split}`}\n`)
      .join('')}`,
    ...images(...names(count)),
  });
const quiet = { onNote: () => undefined };

describe('readRunData', () => {
  it('says of two pictures how many are needed, and the way without a dev split', async () => {
    await expect(readRunData({ data: dataset(2), ...quiet })).rejects.toThrow(
      /the dev split has no image with a caption; 2 images are too few to deal one out: give 5 or more, or train without a dev split \(--no-dev\)\.$/,
    );
    // As many as it says are enough.
    expect((await readRunData({ data: dataset(5), ...quiet })).dev).toHaveLength(1);
    await expect(readRunData({ data: dataset(4), ...quiet })).rejects.toThrow(
      '4 images are too few',
    );
  });

  it('says of marked images to mark some as dev', async () => {
    await expect(readRunData({ data: dataset(9, 'train'), ...quiet })).rejects.toThrow(
      /the dev split has no image with a caption; mark some images as dev, or train/,
    );
  });

  it('without a dev split trains on all, measures some of them, and says so', async () => {
    const notes: string[] = [];
    const data = dataset(20);
    const { train, dev } = await readRunData({
      data,
      withoutDev: true,
      onNote: (note) => notes.push(note),
    });
    expect(train).toHaveLength(20);
    expect(dev).toEqual(train);
    expect(notes.join('\n')).toMatch(/no dev split: the scores are of training pictures/);
  });

  it('shows reviewed pictures as often as it is told, times what their source is repeated', async () => {
    const review = { verdict: 'accepted', by: 'anna', when: '', seconds: 1, draft: 'x' };
    const row = (i: number) => ({
      ...{ file: `${i}.jpg`, caption: 'x', split: i < 2 ? 'dev' : 'train' },
      ...(i % 2 === 0 && { review }),
    });
    const rows = Array.from({ length: 8 }, (_, i) => `${JSON.stringify(row(i))}\n`);
    const data = folderOf({ 'captions.jsonl': rows.join(''), ...images(...names(8)) });
    const notes: string[] = [];
    const onNote = (note: string) => notes.push(note);
    const times = async (options: object) =>
      (await readRunData({ data, onNote, ...options })).train.map(({ repeat }) => repeat ?? 1);
    expect(await times({})).toEqual([1, 1, 1, 1, 1, 1]);
    expect(await times({ weightReviewed: 3 })).toEqual([3, 1, 3, 1, 3, 1]);
    expect(notes.at(-1)).toMatch(/3 of 6 training images have reviewed captions; .* 3 times\.$/);
    const moreData = [{ data, repeat: 2 }];
    expect(await times({ weightReviewed: 3, moreData })).toEqual([
      ...[3, 1, 3, 1, 3, 1],
      ...[6, 2, 6, 2, 6, 2],
    ]);
    const { dev } = await readRunData({ data, onNote, weightReviewed: 3 });
    expect(dev.map(({ repeat }) => repeat)).toEqual([undefined, undefined]);
    await readRunData({ data: dataset(9), onNote, weightReviewed: 3 });
    expect(notes.at(-1)).toMatch(/no training image has a reviewed caption/);
  });

  it('reads the columns that it is told', async () => {
    const folder = folderOf({
      'captions.csv': 'shot,blurb,split\na.jpg,x,train\nb.jpg,y,dev\n',
      ...images('a.jpg', 'b.jpg'),
    });
    const reading = { columns: { image: 'shot', caption: 'blurb' } };
    const { train, dev } = await readRunData({ data: folder, reading, ...quiet });
    expect([train, dev].map(([{ captions }]) => captions)).toEqual([['x'], ['y']]);
  });
});

describe('unknownWordsNote', () => {
  const tokenizer = tokenizerFromVocabulary([
    ...['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'dog', 'runs'],
  ]);

  it('gives the share from a tenth on, of any script', () => {
    expect(unknownWordsNote(['a dog runs', 'a dog'], tokenizer)).toBeUndefined();
    const nine = Array.from({ length: 9 }, () => 'dog');
    expect(unknownWordsNote([...nine, 'dog', 'cat'], tokenizer)).toBeUndefined();
    expect(unknownWordsNote([...nine, 'cat'], tokenizer)).toMatch(
      /^10 % of the words .* such as in "cat"/,
    );
    for (const text of ['一只狗在草地上奔跑', 'собака бежит', 'الكلب يجري'])
      expect(unknownWordsNote([text], tokenizer), text).toMatch(/^100 % /);
    expect(unknownWordsNote([], tokenizer)).toBeUndefined();
  });

  it('says nothing of English captions to the bundled model', async () => {
    const bundled = await loadTextTokenizer(join(repositoryRoot, 'models/refcap-small'));
    const captions = ['two dogs are running on the grass', 'a man in a red shirt rides a bicycle'];
    expect(unknownWordsNote(captions, bundled)).toBeUndefined();
    expect(unknownWordsNote(['一只狗在草地上奔跑'], bundled)).toMatch(/^100 % /);
  });
});
