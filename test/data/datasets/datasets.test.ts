/** Datasets in the layouts people download: what is found, what is left out and said, what is refused. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/base/errors.ts';
import {
  type CaptionDataset,
  cleanCaption,
  dealSplits,
  imagesOfSplit,
  parseSplit,
  readDataset,
  splitNames,
} from '../../../src/data/index.ts';
import { shared } from '../../paths.ts';

const scratch = mkdtempSync(join(tmpdir(), 'refcap-dataset-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A folder with these files; images are only listed, never opened. */
function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(join(scratch, 'set-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

const images = (...names: string[]) => Object.fromEntries(names.map((name) => [name, '']));

/** Split, file name and captions of each image. */
const summary = (dataset: CaptionDataset) =>
  dataset.images.map(({ split, path, captions }) => [split, basename(path), ...captions]);

describe('Flickr8k', () => {
  const token = [
    'a.jpg#0\tA dog .',
    'a.jpg#1\t A black dog runs .',
    'b.jpg#0\tTwo cats .',
    'c.jpg#0\tA man .',
    'd.jpg#0\tNobody .',
    'c.jpg.1#0\tAn image that does not exist .',
  ].join('\n');
  const lists = {
    'Flickr_8k.trainImages.txt': 'c.jpg\na.jpg\n',
    'Flickr_8k.devImages.txt': 'b.jpg\n\n',
    'Flickr_8k.testImages.txt': 'e.jpg\n',
  };

  it('follows the split lists, and says what is missing', async () => {
    const folder = folderOf({
      'Flickr8k.token.txt': token,
      ...lists,
      ...images('images/a.jpg', 'images/c.jpg'),
    });
    const dataset = await readDataset(folder);
    expect(summary(dataset)).toEqual([
      ['train', 'c.jpg', 'A man .'],
      ['train', 'a.jpg', 'A dog .', 'A black dog runs .'],
    ]);
    expect(dataset.missing).toEqual({ train: 0, dev: 1, test: 0 });
    expect(dataset.notes.join('\n')).toMatch(/left out 1 line of c\.jpg\.1/);
    expect(dataset.notes.join('\n')).toMatch(/1 image in no split list left out/);
    expect(dataset.notes.join('\n')).toMatch(
      /1 image of the split lists without a caption left out/,
    );
    expect(dataset.notes.join('\n')).toMatch(
      /1 of 3 images has no file in .*images \(dev 1\) and is left out/,
    );
  });

  it('is found as the archives unpack it', async () => {
    const dataset = await readDataset(
      folderOf({
        'Flickr8k_text/Flickr8k.token.txt': token,
        ...Object.fromEntries(
          Object.entries(lists).map(([name, text]) => [`Flickr8k_text/${name}`, text]),
        ),
        ...images('Flicker8k_Dataset/a.jpg', 'Flicker8k_Dataset/b.jpg'),
      }),
    );
    expect(dataset.images.map(({ id }) => id)).toEqual(['a.jpg', 'b.jpg']);
  });

  it('refuses an image in two lists, and a broken line by its number', async () => {
    const twice = folderOf({
      'Flickr8k.token.txt': token,
      ...lists,
      'Flickr_8k.testImages.txt': 'a.jpg',
      ...images('a.jpg'),
    });
    await expect(readDataset(twice)).rejects.toThrow(
      /testImages\.txt: image a\.jpg is in another list too/,
    );
    const broken = folderOf({
      'Flickr8k.token.txt': `${'a.jpg#0\tx\n'.repeat(30)}no tab here\n`,
      ...images('a.jpg'),
    });
    await expect(readDataset(broken)).rejects.toThrow(/Flickr8k\.token\.txt: line 31 /);
  });
});

describe("Kaggle's captions.txt", () => {
  const names = Array.from({ length: 50 }, (_, i) => `${i}.jpg`);
  const rows = names.flatMap((name) => [`${name},"One, of ${name}"`, `${name},Two`]);

  it('is dealt out by seed, whatever the order of its rows', async () => {
    const read = (lines: string[], seed: number) =>
      readDataset(
        folderOf({
          'captions.txt': ['image,caption', ...lines].join('\n'),
          ...images(...names.map((n) => `Images/${n}`)),
        }),
        { shares: { dev: 0.2, test: 0.1, seed } },
      );
    const splits = (dataset: CaptionDataset) =>
      Object.fromEntries(dataset.images.map(({ id, split }) => [id, split]));
    const first = await read(rows, 1);
    expect(splitNames.map((split) => imagesOfSplit(first, split).length)).toEqual([35, 10, 5]);
    expect(first.images[3].captions).toEqual(['One, of 3.jpg', 'Two']);
    expect(first.notes.join()).toMatch(
      /has no splits: dealt out by seed 1 \(train 35, dev 10, test 5\)/,
    );
    expect(splits(await read([...rows].reverse(), 1))).toEqual(splits(first));
    expect(splits(await read(rows, 2))).not.toEqual(splits(first));
  });

  it('may be named itself, with the images elsewhere', async () => {
    const folder = folderOf({
      'texts/captions.txt': 'image,caption\nx.jpg,A cat',
      ...images('photos/deep/x.jpg'),
    });
    const dataset = await readDataset(join(folder, 'texts/captions.txt'), {
      images: join(folder, 'photos'),
    });
    expect(summary(dataset)).toEqual([['train', 'x.jpg', 'A cat']]);
  });
});

describe('files that mark their splits', () => {
  it("Karpathy's JSON, with COCO's folders", async () => {
    const image = (filename: string, split: string, raw: string) => ({
      filepath: 'val2014',
      filename,
      split,
      sentences: [{ raw, tokens: [] }],
    });
    const json = {
      images: [
        image('1.jpg', 'restval', 'A dog.'),
        image('2.jpg', 'val', 'A cat.'),
        image('3.jpg', 'test', 'A hat.'),
      ],
      dataset: 'coco',
    };
    const dataset = await readDataset(
      folderOf({
        'dataset_coco.json': JSON.stringify(json),
        ...images('images/val2014/1.jpg', 'images/val2014/2.jpg'),
      }),
    );
    expect(summary(dataset)).toEqual([
      ['train', '1.jpg', 'A dog.'],
      ['dev', '2.jpg', 'A cat.'],
    ]);
    expect(dataset.missing).toEqual({ train: 0, dev: 0, test: 1 });
  });

  it('JSONL, CSV and TSV', async () => {
    const records = [
      ['a.jpg', 'A dog', 'train'],
      ['b.jpg', 'A cat', 'val'],
      ['a.jpg', 'The dog', 'train'],
      ['c.jpg', 'None', ''],
    ];
    const table = (separator: string) =>
      [
        'file,caption,split'.replaceAll(',', separator),
        ...records.map((r) => r.join(separator)),
      ].join('\n');
    const files = {
      'metadata.jsonl': records
        .map(([file_name, text, split]) => JSON.stringify({ file_name, text, split }))
        .join('\n'),
      'captions.csv': table(','),
      'captions.tsv': table('\t'),
    };
    for (const [name, content] of Object.entries(files)) {
      const dataset = await readDataset(
        folderOf({ [name]: content, ...images('a.jpg', 'b.jpg', 'c.jpg') }),
      );
      expect(summary(dataset), name).toEqual([
        ['train', 'a.jpg', 'A dog', 'The dog'],
        ['dev', 'b.jpg', 'A cat'],
      ]);
      expect(dataset.notes.join(), name).toMatch(/1 image marked with no split left out/);
    }
  });

  it('are refused for an unknown split and for an image in two, by line', async () => {
    const unknown = folderOf({
      'captions.csv': 'file,caption,split\na.jpg,x,train\nb.jpg,y,holdout\n',
      ...images('a.jpg'),
    });
    await expect(readDataset(unknown)).rejects.toThrow(
      /captions\.csv: line 3 is of the unknown split "holdout"; write train, dev or test\.$/,
    );
    const twice = folderOf({
      'captions.csv': 'file,caption,split\na.jpg,x,train\na.jpg,y,test\n',
      ...images('a.jpg'),
    });
    await expect(readDataset(twice)).rejects.toThrow(
      /captions\.csv: line 3 puts image a\.jpg into a second split/,
    );
  });
});

describe('COCO annotations', () => {
  it('name images by number; the file names are in the same file', async () => {
    const json = {
      images: [{ id: 7, file_name: '000007.jpg' }],
      annotations: [
        { id: 1, image_id: 7, caption: 'A dog.' },
        { id: 2, image_id: 7, caption: 'One dog.' },
      ],
    };
    const folder = folderOf({
      'annotations/captions.json': JSON.stringify(json),
      ...images('images/000007.jpg'),
    });
    expect(summary(await readDataset(folder))).toEqual([
      ['train', '000007.jpg', 'A dog.', 'One dog.'],
    ]);
  });
});

describe('COCO as it unpacks', () => {
  const part = (id: number, file_name: string, caption: string) =>
    JSON.stringify({ images: [{ id, file_name }], annotations: [{ image_id: id, caption }] });
  const files = {
    'annotations/captions_train2017.json': part(7, '7.jpg', 'A dog.'),
    'annotations/captions_val2017.json': part(8, '8.jpg', 'A cat.'),
    'annotations/captions_train2014.json': part(7, '7.jpg', 'Older.'),
    ...images('train2017/7.jpg', 'val2017/8.jpg'),
  };

  it('is split by its files, of the newest year', async () => {
    expect(summary(await readDataset(folderOf(files)))).toEqual([
      ['train', '7.jpg', 'A dog.'],
      ['dev', '8.jpg', 'A cat.'],
    ]);
  });

  it('is dealt out where one file is all there is', async () => {
    const folder = folderOf(files);
    const dataset = await readDataset(join(folder, 'annotations/captions_val2017.json'), {
      images: folder,
    });
    expect(dataset.notes.join()).toMatch(/has no splits: dealt out/);
    expect(dataset.images.map(({ id }) => id)).toEqual(['8']);
  });
});

describe('Flickr30k', () => {
  it('is read from its token file and from the table of Kaggle, with its slip', async () => {
    const token = folderOf({
      'results_20130124.token': '1.jpg#0\tTwo men .\n1.jpg#1\tMen .\n2.jpg#0\tA dog .\n',
      ...images('flickr30k_images/1.jpg', 'flickr30k_images/2.jpg'),
    });
    const table = folderOf({
      'results.csv':
        'image_name| comment_number| comment\n1.jpg| 0| Two men .\n1.jpg| 1| Men .\n2.jpg| 0   A dog .\n',
      ...images('flickr30k_images/1.jpg', 'flickr30k_images/2.jpg'),
    });
    const [first, second] = [await readDataset(token), await readDataset(table)];
    const captions = ({ images: list }: CaptionDataset) =>
      list.map(({ id, captions: texts }) => [id, ...texts]);
    expect(captions(first)).toEqual([
      ['1.jpg', 'Two men .', 'Men .'],
      ['2.jpg', 'A dog .'],
    ]);
    expect(captions(second)).toEqual(captions(first));
    expect(second.notes.join()).toMatch(/1 row lacks the separator/);
  });
});

describe('a format by choice', () => {
  it('takes the captions that are kept so, where a folder holds several kinds', async () => {
    const folder = folderOf({
      'captions.csv': 'file,caption\na.jpg,Of the table',
      'captions.jsonl': '{"file": "a.jpg", "caption": "Of the lines"}',
      'a.txt': 'Beside the image',
      ...images('a.jpg'),
    });
    const read = async (format?: 'jsonl' | 'csv' | 'sidecar') =>
      (await readDataset(folder, format && { format })).images[0].captions;
    expect(await read()).toEqual(['Of the lines']);
    expect(await read('csv')).toEqual(['Of the table']);
    expect(await read('sidecar')).toEqual(['Beside the image']);
    await expect(readDataset(folder, { format: 'flickr' })).rejects.toThrow(
      'no caption file of the format flickr is here; name the file itself.',
    );
  });

  it('overrides what the content looks like', async () => {
    // Looks like lines of Flickr8k, is a table of tabs.
    const folder = folderOf({ 'set.txt': 'a.jpg#0\tA dog\n', ...images('a.jpg#0.jpg', 'a.jpg') });
    const path = join(folder, 'set.txt');
    expect((await readDataset(path)).images[0].id).toBe('a.jpg');
    expect((await readDataset(path, { format: 'tsv' })).images[0].id).toBe('a.jpg#0');
    await expect(readDataset(path, { format: 'sidecar' })).rejects.toThrow('name the folder');
  });
});

describe('text files beside images', () => {
  it('are captions, a line each; folders may be splits', async () => {
    const flat = await readDataset(
      folderOf({
        ...images('a.jpg', 'b.PNG', 'no-text.jpg', '.hidden.jpg'),
        'a.txt': 'One\n\n two \r\n',
        'b.txt': '\ufeffThree',
      }),
    );
    expect(flat.images.map(({ id, captions }) => [id, ...captions])).toEqual([
      ['a.jpg', 'One', 'two'],
      ['b.PNG', 'Three'],
    ]);
    const split = await readDataset(
      folderOf({ ...images('train/a.jpg', 'val/a.jpg'), 'train/a.txt': 'One', 'val/a.txt': 'Two' }),
    );
    expect(summary(split)).toEqual([
      ['train', 'a.jpg', 'One'],
      ['dev', 'a.jpg', 'Two'],
    ]);
  });
});

describe('what cannot be read', () => {
  const cases: Record<string, [Record<string, string>, RegExp]> = {
    'an empty folder': [{}, /no captions found; put a caption file/],
    'captions without any image': [
      { 'captions.txt': 'image,caption\na.jpg,x' },
      /none of 1 captioned image is in /,
    ],
    'captions that name no image': [
      { 'captions.txt': 'a cat\na dog and a cat\n', ...images('a.jpg') },
      /captions\.txt: line 1 does not say which image/,
    ],
    'a caption column of another name': [
      { 'captions.csv': 'File,Blurb\na.jpg,x\n', ...images('a.jpg') },
      /captions\.csv: line 1 names the columns File, Blurb; name .* caption, or say which they are with --image-column and --caption-column\.$/,
    ],
    'broken JSON': [
      { 'metadata.jsonl': '{"file": "a.jpg", "caption": "x"}\n{oops\n', ...images('a.jpg') },
      /metadata\.jsonl: line 2 is not valid JSON/,
    ],
    'captions that are all empty': [
      { 'captions.csv': 'file,caption\na.jpg,\n', ...images('a.jpg') },
      /: no image has a caption; check the file\.$/,
    ],
  };
  for (const [name, [files, message]] of Object.entries(cases))
    it(`${name} gives one sentence`, async () => {
      const reading = readDataset(folderOf(files));
      await expect(reading).rejects.toThrow(message);
      await expect(reading).rejects.toBeInstanceOf(InputError);
    });

  it("neither files about a dataset nor a file in a folder's place are taken for captions", async () => {
    const folder = folderOf({
      'metadata.jsonl': '{"file_name": "a.jpg", "text": "a cat"}\n',
      'dataset_info.json': '{"features": {}}',
      'dataset-metadata.json': '{"title": "cats"}',
      annotations: 'none',
      ...images('a.jpg'),
    });
    const { images: found } = await readDataset(folder);
    expect(found.map(({ captions }) => captions)).toEqual([['a cat']]);
  });

  it('a path that is not there is named', async () => {
    await expect(readDataset('/no/such/set')).rejects.toThrow(
      /^\/no\/such\/set: there is no such dataset/,
    );
  });
});

describe('dealSplits', () => {
  it('gives exact shares, independent of order, and moves few images when one is added', () => {
    const ids = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 20, maxLength: 200 });
    fc.assert(
      fc.property(ids, fc.nat(), (all, seed) => {
        const splits = new Map(all.map((id, i) => [id, dealSplits(all, { seed })[i]]));
        const count = (name: string) =>
          [...splits.values()].filter((split) => split === name).length;
        expect([count('dev'), count('test')]).toEqual([
          Math.round(all.length / 10),
          Math.round(all.length / 10),
        ]);
        const reversed = [...all].reverse();
        expect(new Map(reversed.map((id, i) => [id, dealSplits(reversed, { seed })[i]]))).toEqual(
          splits,
        );
        const fewer = all.slice(1);
        const moved = fewer.filter((id, i) => dealSplits(fewer, { seed })[i] !== splits.get(id));
        expect(moved.length).toBeLessThanOrEqual(4);
      }),
      { seed: 1, numRuns: 30 },
    );
  });

  it('refuses shares of all or more', () => {
    expect(() => dealSplits(['a'], { dev: 0.5, test: 0.5 })).toThrow(InputError);
    expect(() => dealSplits(['a'], { dev: -0.1 })).toThrow(InputError);
  });
});

it('parseSplit knows the usual words', () => {
  expect(['Train', 'val ', 'restval', 'TEST', 'constructor'].map(parseSplit)).toEqual([
    'train',
    'dev',
    'train',
    'test',
    undefined,
  ]);
});

describe('cleanCaption', () => {
  // Made by BLIP's pre_caption (data/utils.py) in Python 3.11.
  const cases: [string, number, string][] = [
    ['A Man , in RED (left) runs !', 50, 'a man , in red left runs'],
    ['  Two dogs...  play ; \n', 50, 'two dogs play'],
    ['one two three four', 2, 'one two'],
    ['tab\there', 50, 'tab\there'],
    ['it\'s a well-known "sign": #1 *~', 50, "it's a well-known sign 1"],
    ['', 50, ''],
    ['A.B.C', 2, 'a b'],
    ['end\n\n', 50, 'end'],
    [' ... ', 5, ''],
    ['naïve ÉTÉ', 50, 'naïve été'],
  ];
  for (const [caption, words, cleaned] of cases)
    it(`cleans ${JSON.stringify(caption)}`, () =>
      expect(cleanCaption(caption, words)).toBe(cleaned));
});

describe.runIf(shared)('the Flickr8k beside the repository', () => {
  it('has 6,000 and 1,000 images and misses the test split', async () => {
    const dataset = await readDataset(join(shared ?? '', 'flickr8k'));
    expect(splitNames.map((split) => imagesOfSplit(dataset, split).length)).toEqual([
      6000, 1000, 0,
    ]);
    expect(dataset.missing).toEqual({ train: 0, dev: 0, test: 1000 });
    expect(dataset.images.every(({ captions }) => captions.length === 5)).toBe(true);
  });

  it('gives the same images and captions from the table alone', async () => {
    const folder = join(shared ?? '', 'flickr8k');
    const alone = folderOf({});
    cpSync(join(folder, 'captions.txt'), join(alone, 'captions.txt'));
    const dataset = await readDataset(alone, { images: join(folder, 'images') });
    expect(dataset.images.length).toBe(7000);
    expect(dataset.notes.join()).toMatch(/seed 0 \(train 6473, dev 809, test 809\)/);
    const total = dataset.missing.train + dataset.missing.dev + dataset.missing.test;
    expect(total).toBe(1091);
  });
});

describe('clips', () => {
  it('of MSVD go by AllVideoDescriptions.txt and the lists of its usual split', async () => {
    const files = {
      'AllVideoDescriptions.txt': [
        '# MSR Video Description Corpus',
        '',
        '-4wsuPCjDBc_5_15 a squirrel is eating a peanut',
        '-4wsuPCjDBc_5_15 a chipmunk is eating',
        '-7KMZQEsJW4_205_208 a man breaks bricks',
        '-8y1Q0rA3n8_108_115 a girl folds paper',
      ].join('\n'),
      ...images(
        'YouTubeClips/-4wsuPCjDBc_5_15.avi',
        'YouTubeClips/-7KMZQEsJW4_205_208.avi',
        'YouTubeClips/-8y1Q0rA3n8_108_115.avi',
      ),
    };
    const expected = [
      ['train', '-7KMZQEsJW4_205_208.avi', 'a man breaks bricks'],
      ['dev', '-8y1Q0rA3n8_108_115.avi', 'a girl folds paper'],
      ['test', '-4wsuPCjDBc_5_15.avi', 'a squirrel is eating a peanut', 'a chipmunk is eating'],
    ];
    const byLists = folderOf({
      ...files,
      'train_list.txt': '-7KMZQEsJW4_205_208\n',
      'val_list.txt': '-8y1Q0rA3n8_108_115\n',
      'test_list.txt': '-4wsuPCjDBc_5_15\n',
    });
    expect(summary(await readDataset(byLists))).toEqual(expected);
    const byNumbers = folderOf({
      ...files,
      'youtube_mapping.txt':
        '-4wsuPCjDBc_5_15 vid1301\n-8y1Q0rA3n8_108_115 vid1300\n-7KMZQEsJW4_205_208 vid1200\n',
    });
    expect(summary(await readDataset(byNumbers))).toEqual(expected);
    const wrong = folderOf({ ...files, 'youtube_mapping.txt': 'vid1 -4wsuPCjDBc_5_15\n' });
    await expect(readDataset(wrong)).rejects.toThrow(/youtube_mapping\.txt: "vid1 .*" should be/);
  });

  const videoInfo = (split: string, ...numbers: number[]) =>
    JSON.stringify({
      info: { contributor: 'Microsoft MSM group', version: '1.0' },
      videos: numbers.map((id) => ({
        category: 9,
        url: 'https://www.youtube.com/watch?v=9lZi22qLlEo',
        video_id: `video${id}`,
        'start time': 137.72,
        'end time': 149.44,
        split,
        id,
      })),
      sentences: numbers.flatMap((id) => [
        { caption: `what is in ${id}`, video_id: `video${id}`, sen_id: 2 * id },
        { caption: `and once more ${id}`, video_id: `video${id}`, sen_id: 2 * id + 1 },
      ]),
    });

  it('of MSR-VTT are those of both files, in the splits that these say', async () => {
    const folder = folderOf({
      'train_val_videodatainfo.json': videoInfo('train', 0, 1).replace(
        '"split":"train","id":1',
        '"split":"validate","id":1',
      ),
      'test_videodatainfo.json': videoInfo('test', 7010),
      ...images('TrainValVideo/video0.mp4', 'TrainValVideo/video1.mp4', 'TestVideo/video7010.mp4'),
    });
    expect(summary(await readDataset(folder))).toEqual([
      ['test', 'video7010.mp4', 'what is in 7010', 'and once more 7010'],
      ['train', 'video0.mp4', 'what is in 0', 'and once more 0'],
      ['dev', 'video1.mp4', 'what is in 1', 'and once more 1'],
    ]);
    const odd = folderOf({
      'MSRVTT_data.json': videoInfo('somewhere', 0),
      ...images('video0.mp4'),
    });
    await expect(readDataset(odd)).rejects.toThrow(
      /MSRVTT_data\.json: video0 is of the unknown split "somewhere"/,
    );
  });

  it('have captions in JSONL, tables and text files as pictures have', async () => {
    const shares = { shares: { dev: 0, test: 0 } };
    const expected = [['train', 'a.mp4', 'a dog']];
    const rows = [
      { 'captions.jsonl': '{"video": "a.mp4", "caption": "a dog"}\n' },
      { 'captions.csv': 'video,caption\na.mp4,a dog\n' },
      { 'captions.csv': 'video_id,caption\na,a dog\n' },
      { 'a.txt': 'a dog\n' },
    ];
    for (const captions of rows) {
      const folder = folderOf({ ...captions, ...images('a.mp4') });
      expect(summary(await readDataset(folder, shares))).toEqual(expected);
    }
  });

  it('beside a picture of their name are a part of it, as some cameras save them', async () => {
    const folder = folderOf({ 'a.txt': 'a dog\n', ...images('a.jpg', 'a.MOV', 'b.jpg') });
    const dataset = await readDataset(folder, { shares: { dev: 0, test: 0 } });
    expect(summary(dataset)).toEqual([['train', 'a.jpg', 'a dog']]);
  });
});
