/** Captions go to the picture that they name, or to none: ids, paths, names written otherwise, names that clash. */
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDataset, surveyDataset } from '../../../src/data/index.ts';
import { folderOf, images, pairsOf } from '../dataset-folder.ts';

const lines = (records: object[]) => records.map((record) => JSON.stringify(record)).join('\n');

describe('a path beside a number', () => {
  // Every number is the name of another picture's file.
  const files = images('images/0.jpg', 'images/1.jpg', 'images/2.jpg');
  const wanted = [
    ['images/0.jpg', 'of 0'],
    ['images/1.jpg', 'of 1'],
    ['images/2.jpg', 'of 2'],
  ];
  const records = (number: string, name: string, folder = 'images/') =>
    [0, 1, 2].map((i) => ({
      [number]: (i + 1) % 3,
      caption: `of ${i}`,
      [name]: `${folder}${i}.jpg`,
    }));

  for (const number of ['image_id', 'id', 'img_id', 'cocoid', 'imageId', 'key', 'name'])
    for (const name of ['image', 'file_name', 'filename', 'filepath', 'path', 'Image Path', 'file'])
      it(`${name} decides before ${number}, in JSON, JSONL and tables`, async () => {
        for (const folder of ['images/', '']) {
          const all = records(number, name, folder);
          const table = (separator: string) =>
            [
              Object.keys(all[0]).join(separator),
              ...all.map((one) => Object.values(one).join(separator)),
            ].join('\n');
          const kinds = {
            'captions.json': JSON.stringify(all),
            'captions.jsonl': lines(all),
            'captions.csv': table(','),
            'captions.tsv': table('\t'),
          };
          for (const [file, text] of Object.entries(kinds))
            expect(await pairsOf(folderOf({ [file]: text, ...files })), file).toEqual(wanted);
        }
      });

  it("COCO's file_name decides before its id, and Karpathy's filename before cocoid", async () => {
    const coco = {
      images: [0, 1, 2].map((i) => ({ id: (i + 1) % 3, file_name: `${i}.jpg` })),
      annotations: [0, 1, 2].map((i) => ({ image_id: (i + 1) % 3, caption: `of ${i}` })),
    };
    expect(
      await pairsOf(folderOf({ 'annotations/captions.json': JSON.stringify(coco), ...files })),
    ).toEqual(wanted);
    const [first] = coco.images;
    // A file that is missing is not made up for by a number.
    const gone = {
      ...coco,
      images: [{ ...first, file_name: 'gone.jpg' }, ...coco.images.slice(1)],
    };
    expect(
      await pairsOf(folderOf({ 'annotations/captions.json': JSON.stringify(gone), ...files })),
    ).toEqual(wanted.slice(1));
    const karpathy = {
      images: [0, 1, 2].map((i) => ({
        filename: i === 0 ? 'gone.jpg' : `${i}.jpg`,
        cocoid: (i + 1) % 3,
        sentences: [{ raw: `of ${i}` }],
      })),
    };
    expect(
      await pairsOf(folderOf({ 'dataset_x.json': JSON.stringify(karpathy), ...files })),
    ).toEqual(wanted.slice(1));
  });

  it('an image_id that is a file name is one, where nothing else is', async () => {
    const rows = 'image_id,name,caption\n0.jpg,Rex,of 0\n1.jpg,Rex,of 1\n2.jpg,Rex,of 2\n';
    expect(await pairsOf(folderOf({ 'captions.csv': rows, ...files }))).toEqual(wanted);
    const byNumber = 'image_id,name,caption\n0,Rex,of 0\n1,Rex,of 1\n2,Rex,of 2\n';
    expect(await pairsOf(folderOf({ 'captions.csv': byNumber, ...files }))).toEqual(wanted);
  });
});

describe('names that clash', () => {
  it('are told apart by their folders, in tables and in Karpathy’s file', async () => {
    const files = images('a/0.jpg', 'b/0.jpg');
    const wanted = [
      ['a/0.jpg', 'of a'],
      ['b/0.jpg', 'of b'],
    ];
    expect(
      await pairsOf(
        folderOf({ 'captions.csv': 'file,caption\na/0.jpg,of a\nb/0.jpg,of b\n', ...files }),
      ),
    ).toEqual(wanted);
    const both = 'filename,path,caption\n0.jpg,a/0.jpg,of a\n0.jpg,b/0.jpg,of b\n';
    expect(await pairsOf(folderOf({ 'captions.csv': both, ...files }))).toEqual(wanted);
    const karpathy = {
      images: ['a', 'b'].map((filepath) => ({
        filepath,
        filename: '0.jpg',
        sentences: [{ raw: `of ${filepath}` }],
      })),
    };
    expect(
      await pairsOf(folderOf({ 'dataset_x.json': JSON.stringify(karpathy), ...files })),
    ).toEqual(wanted);
  });

  it('fit no file without their folders, and both are named', async () => {
    const folder = folderOf({
      'captions.csv': 'file,caption\n0.jpg,x\n1.jpg,y\n',
      ...images('a/0.jpg', 'b/0.jpg'),
    });
    await expect(readDataset(folder)).rejects.toThrow(
      /none of 2 captioned images is in .*: of 0\.jpg there is more than one, a\/0\.jpg and b\/0\.jpg; write the folder before the name\.$/,
    );
  });

  it('in a flat folder give one picture no captions of another', async () => {
    const rows = 'file,caption\na/0.jpg,of a\nb/0.jpg,of b\nc/1.jpg,of c\n';
    const survey = await surveyDataset(
      folderOf({ 'captions.csv': rows, ...images('0.jpg', '1.jpg') }),
    );
    expect(survey.dataset.images.map(({ id }) => id)).toEqual(['c/1.jpg']);
    expect(survey.missing.map(({ id, reason }) => [id, reason])).toEqual([
      ['a/0.jpg', '0.jpg is the only file of such a name, and b/0.jpg names it too'],
      ['b/0.jpg', '0.jpg is the only file of such a name, and a/0.jpg names it too'],
    ]);
  });

  it('do not lead from one split’s folder into another’s', async () => {
    const rows = 'file,caption\ntrain/0.jpg,x\ntest/1.jpg,y\n';
    const folder = folderOf({ 'captions.csv': rows, ...images('train/0.jpg', 'train/1.jpg') });
    expect(await pairsOf(folder)).toEqual([['train/0.jpg', 'x']]);
    const moved = folderOf({
      'captions.csv': 'file,caption\nval2014/7.jpg,x\n/old/place/sub/8.jpg,y\n',
      ...images('pictures/7.jpg', 'sub/8.jpg'),
    });
    expect(await pairsOf(moved)).toEqual([
      ['pictures/7.jpg', 'x'],
      ['sub/8.jpg', 'y'],
    ]);
  });

  it('never give a file to two pictures, whatever the paths', async () => {
    const part = fc.constantFrom('a', 'b', 'A', 'é', 'e\u0301', '0', 'val', 'train');
    const path = fc
      .array(part, { minLength: 1, maxLength: 3 })
      .map((parts) => `${parts.join('/')}.jpg`);
    const several = fc.uniqueArray(path, { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(several, several, async (there, named) => {
        const folder = folderOf({
          'captions.jsonl': lines(named.map((file) => ({ file, caption: file }))),
          ...images(...there.map((file) => join('pictures', file))),
        });
        const { images: found } = await readDataset(folder, {
          images: join(folder, 'pictures'),
        }).catch(() => ({ images: [] }));
        for (const { id, path: file } of found)
          for (const other of found)
            if (other.path === file) expect(other.id.normalize('NFC')).toBe(id.normalize('NFC'));
        // A path that is there is always found.
        const ids = found.map(({ id }) => id);
        for (const file of named) if (there.includes(file)) expect(ids).toContain(file);
      }),
      { seed: 1, numRuns: 60 },
    );
  });
});

describe('names written otherwise', () => {
  it('are matched composed or decomposed, either way', async () => {
    for (const [inFile, onDisk] of [
      ['\u00e9.jpg', 'e\u0301.jpg'],
      ['e\u0301.jpg', '\u00e9.jpg'],
      ['\u00e9/x.jpg', 'e\u0301/x.jpg'],
    ]) {
      const folder = folderOf({
        'captions.csv': `file,caption\n${inFile},x\n`,
        ...images(onDisk),
      });
      expect(await pairsOf(folder)).toEqual([[onDisk, 'x']]);
      const beside = folderOf({
        [`${inFile.replace('.jpg', '.txt')}`]: 'x',
        ...images(onDisk.replace(/^.*\//, inFile.includes('/') ? `${inFile.split('/')[0]}/` : '')),
      });
      expect(await pairsOf(beside)).toHaveLength(1);
    }
  });

  it('are matched in other capitals and spaces, and that is said', async () => {
    const rows = 'file,caption\nA.JPG,of a\nmy  dog.jpg,dog\nb%20c.jpg,of b\n';
    const folder = folderOf({ 'captions.csv': rows, ...images('a.jpg', 'my dog.jpg', 'b c.jpg') });
    expect(await pairsOf(folder)).toEqual([
      ['a.jpg', 'of a'],
      ['b c.jpg', 'of b'],
      ['my dog.jpg', 'dog'],
    ]);
    expect((await readDataset(folder)).notes.join()).toMatch(
      /3 images are named in other capitals or spaces than their files: A\.JPG is a\.jpg\./,
    );
  });

  it('do not take a file that another name fits exactly', async () => {
    const folder = folderOf({
      'captions.csv': 'file,caption\na.jpg,small\nA.jpg,large\n',
      ...images('a.jpg'),
    });
    expect(await pairsOf(folder)).toEqual([['a.jpg', 'small']]);
  });

  it('of another ending or a kind that is not read are named', async () => {
    const folder = folderOf({
      'captions.csv': 'file,caption\na.jpg,x\nb.jxl,y\nc.jpg,z\n',
      ...images('a.png', 'b.jxl', 'c.jpg'),
    });
    const { missing } = await surveyDataset(folder);
    expect(missing.map(({ reason }) => reason)).toEqual([
      'there is a.png',
      'b.jxl is of a kind that is not read',
    ]);
  });
});
