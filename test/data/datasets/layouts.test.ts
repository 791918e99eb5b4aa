/** Layouts of other programs: OpenCLIP's tables, Hugging Face's imagefolder, BLIP's annotations, text files of any ending. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readDataset, surveyDataset } from '../../../src/data/index.ts';
import { folderOf, images, pairsOf } from '../dataset-folder.ts';

const files = images('0.jpg', '1.jpg');
const wanted = [
  ['0.jpg', 'a dog'],
  ['1.jpg', 'a cat'],
];
const table = (header: string, separator = ',') =>
  [header, '0.jpg,a dog', '1.jpg,a cat', ''].join('\n').replaceAll(',', separator);

describe('columns', () => {
  for (const header of ['filepath,title', 'image,text', 'Image Path,Description', 'path,prompt'])
    for (const [name, separator] of [
      ['captions.csv', ','],
      ['captions.tsv', '\t'],
      ['captions.csv', ';'],
    ])
      it(`${header} parted by ${JSON.stringify(separator)}`, async () => {
        expect(await pairsOf(folderOf({ [name]: table(header, separator), ...files }))).toEqual(
          wanted,
        );
      });

  it('of other names are asked about, and can be named', async () => {
    for (const [name, separator] of [
      ['captions.csv', ','],
      ['captions.tsv', '\t'],
    ]) {
      const folder = folderOf({ [name]: table('jpg_src,blurb', separator), ...files });
      await expect(readDataset(folder)).rejects.toThrow(
        /line 1 names the columns jpg_src, blurb; .*--image-column and --caption-column\.$/,
      );
      const columns = { image: 'jpg_src', caption: 'blurb' };
      expect(await pairsOf(folder, { columns })).toEqual(wanted);
      await expect(readDataset(folder, { columns: { image: 'jpg' } })).rejects.toThrow(
        'line 1 has no column "jpg"; it has jpg_src, blurb.',
      );
    }
  });

  it('may be chosen against the usual ones, in JSONL too', async () => {
    const record = (i: number, blurb: string) =>
      JSON.stringify({ image: `${1 - i}.jpg`, shot: `${i}.jpg`, caption: 'no', blurb });
    const folder = folderOf({
      'captions.jsonl': `${record(0, 'a dog')}\n${record(1, 'a cat')}\n`,
      ...files,
    });
    expect(await pairsOf(folder, { columns: { image: 'shot', caption: 'blurb' } })).toEqual(wanted);
    await expect(readDataset(folder, { columns: { caption: 'blurbs' } })).rejects.toThrow(
      /line 1, \$ has no field "blurbs"; it has "image" or "shot"/,
    );
  });
});

describe('gzipped caption files', () => {
  const lines = '{"image": "0.jpg", "text": "a dog"}\n{"image": "1.jpg", "text": "a cat"}\n';

  it('are found by their names in a folder, and read when they are named', async () => {
    for (const [name, text] of [
      ['captions.jsonl.gz', lines],
      ['metadata.jsonl.gz', lines],
      ['captions.csv.gz', table('image,caption')],
      ['captions.json.gz', '{"0.jpg": "a dog", "1.jpg": "a cat"}'],
      ['train.jsonl.gz', lines],
    ]) {
      const folder = folderOf({ [name]: gzipSync(text), ...files });
      expect(await pairsOf(folder), name).toEqual(wanted);
      expect(await pairsOf(join(folder, name)), name).toEqual(wanted);
    }
  });

  it('that are cut off are named', async () => {
    const folder = folderOf({ 'captions.jsonl.gz': gzipSync(lines).subarray(0, 30), ...files });
    await expect(readDataset(folder)).rejects.toThrow(
      /captions\.jsonl\.gz: the gzipped file ends too early; get it anew\.$/,
    );
  });
});

describe("Hugging Face's imagefolder", () => {
  const line = (file_name: string, text: string) => `${JSON.stringify({ file_name, text })}\n`;

  it('has a metadata file in each split’s folder, whose names are meant from there', async () => {
    const folder = folderOf({
      'train/metadata.jsonl': line('0.jpg', 'train 0') + line('deep/1.jpg', 'train 1'),
      'validation/metadata.jsonl': line('0.jpg', 'validation 0'),
      'test/metadata.csv': 'file_name,text\n0.jpg,test 0\n',
      ...images('train/0.jpg', 'train/deep/1.jpg', 'validation/0.jpg', 'test/0.jpg'),
    });
    const { images: found, notes } = await readDataset(folder);
    expect(found.map(({ id, split, captions: [text] }) => [split, id, text]).sort()).toEqual([
      ['dev', 'validation/0.jpg', 'validation 0'],
      ['test', 'test/0.jpg', 'test 0'],
      ['train', 'train/0.jpg', 'train 0'],
      ['train', 'train/deep/1.jpg', 'train 1'],
    ]);
    expect(notes).toEqual([]);
  });

  it('has its splits in the folders of one metadata file, too', async () => {
    const folder = folderOf({
      'metadata.csv': 'file_name,text\ntrain/0.jpg,a\ntest/0.jpg,b\n',
      ...images('train/0.jpg', 'test/0.jpg'),
    });
    const { images: found } = await readDataset(folder);
    expect(found.map(({ split, captions: [text] }) => [split, text])).toEqual([
      ['train', 'a'],
      ['test', 'b'],
    ]);
  });

  it('as Parquet is named, and a damaged table of pictures is', async () => {
    const parquet = { 'train/metadata.parquet': 'PAR1', ...images('train/0.jpg') };
    await expect(readDataset(folderOf(parquet))).rejects.toThrow(
      /train: metadata\.parquet is a Parquet table; write its pictures/,
    );
    const data = folderOf({ 'data/train-00000-of-00001.parquet': 'PAR1' });
    await expect(readDataset(data)).rejects.toThrow(
      /data\/train-00000-of-00001\.parquet: the Parquet table is cut off, damaged or of a rare kind/,
    );
  });
});

describe("BLIP's annotations", () => {
  const train = [
    { image: 'images/0.jpg', caption: 'a dog', image_id: 'coco_1' },
    { image: 'images/0.jpg', caption: 'the dog', image_id: 'coco_1' },
  ];
  const val = [{ image: 'images/1.jpg', caption: ['a cat', 'the cat'], image_id: 'coco_0' }];
  const both = { ...images('images/0.jpg', 'images/1.jpg') };

  it('are read as they are', async () => {
    const folder = folderOf({ 'train.json': JSON.stringify(train), ...both });
    expect(await pairsOf(join(folder, 'train.json'))).toEqual([
      ['images/0.jpg', 'a dog', 'the dog'],
    ]);
  });

  for (const beginning of ['', 'coco_karpathy_', 'flickr30k_'])
    it(`${beginning}train.json and ${beginning}val.json are the splits of a folder`, async () => {
      const folder = folderOf({
        [`annotation/${beginning}train.json`]: JSON.stringify(train),
        [`annotation/${beginning}val.json`]: JSON.stringify(val),
        ...both,
      });
      const { images: found } = await readDataset(folder);
      expect(found.map(({ split, captions }) => [split, ...captions])).toEqual([
        ['train', 'a dog', 'the dog'],
        ['dev', 'a cat', 'the cat'],
      ]);
    });

  it('of two kinds, or beside text files, are not mixed', async () => {
    const folder = folderOf({
      'a_train.json': JSON.stringify(train),
      'b_train.json': JSON.stringify(train),
      ...both,
    });
    await expect(readDataset(folder)).rejects.toThrow(
      /several kinds of caption files \(a\*\.json, b\*\.json\)/,
    );
    const beside = folderOf({ 'train.json': '{}', '0.txt': 'a dog', '1.txt': 'a cat', ...files });
    expect(await pairsOf(beside)).toEqual(wanted);
  });
});

describe('text files beside the images', () => {
  const cases: Record<string, [string, string]> = {
    '.caption': ['0.caption', '1.caption'],
    'the image’s ending kept': ['0.jpg.txt', '1.jpg.caption'],
    'large letters': ['0.TXT', '1.Caption'],
  };
  for (const [name, [first, second]] of Object.entries(cases))
    it(name, async () => {
      const folder = folderOf({ [first]: 'a dog', [second]: 'a cat', ...files });
      expect(await pairsOf(folder)).toEqual(wanted);
      expect((await surveyDataset(folder)).strayTexts).toEqual([]);
    });

  it('.txt goes before .caption, and that is said', async () => {
    const folder = folderOf({ '0.txt': 'a dog', '0.caption': 'no', '1.txt': 'a cat', ...files });
    expect(await pairsOf(folder)).toEqual(wanted);
    expect((await readDataset(folder)).notes.join()).toMatch(
      /1 image has more than one text file or share one, such as 0\.txt and 0\.caption;/,
    );
  });

  it('of pictures that are not read are not astray; the pictures are counted', async () => {
    const folder = folderOf({ '0.txt': 'a dog', '9.txt': 'x', ...images('0.jpg', '9.JXL') });
    const survey = await surveyDataset(folder);
    expect(survey.strayTexts).toEqual([]);
    expect(survey.passedOver).toEqual(['9.JXL']);
    expect(survey.dataset.notes.join()).toMatch(/not read \(JPEG XL\)/);
    const none = folderOf({ '9.txt': 'x', ...images('9.JXL') });
    await expect(readDataset(none)).rejects.toThrow(/no captions found; 1 picture .* \(JPEG XL\)/);
  });
});

describe('lines parted by carriage returns alone', () => {
  const old = (text: string) => text.replaceAll('\n', '\r');
  const sets: Record<string, Record<string, string>> = {
    'text files': { '0.txt': old('a dog\nthe dog\n'), '1.txt': old('a cat\n\nthe cat') },
    CSV: {
      'captions.csv': old('file,caption\n0.jpg,a dog\n0.jpg,the dog\n1.jpg,a cat\n1.jpg,the cat\n'),
    },
    TSV: { 'captions.tsv': old('0.jpg\ta dog\n0.jpg\tthe dog\n1.jpg\ta cat\n1.jpg\tthe cat\n') },
    JSONL: {
      'captions.jsonl': old(
        '{"file": "0.jpg", "captions": ["a dog", "the dog"]}\n{"file": "1.jpg", "captions": ["a cat", "the cat"]}\n',
      ),
    },
    'token files': {
      'Flickr8k.token.txt': old(
        '0.jpg#0\ta dog\n0.jpg#1\tthe dog\n1.jpg#0\ta cat\n1.jpg#1\tthe cat\n',
      ),
    },
  };
  for (const [name, set] of Object.entries(sets))
    it(`in ${name}`, async () => {
      expect(await pairsOf(folderOf({ ...set, ...files }))).toEqual([
        ['0.jpg', 'a dog', 'the dog'],
        ['1.jpg', 'a cat', 'the cat'],
      ]);
    });
});
