/** Which caption is scored with which references: names before numbers, and never by a guess. */
import { describe, expect, it } from 'vitest';
import { readCandidates, readReferences } from '../../../src/data/captions/captions.ts';
import { matchCaptions } from '../../../src/data/captions/match.ts';
import { temporaryFolder, write } from '../caption-files.ts';

const folder = temporaryFolder();
let count = 0;
const file = (value: unknown, extension = 'json') =>
  write(
    folder,
    `${++count}.${extension}`,
    typeof value === 'string' ? value : JSON.stringify(value),
  );

/** The reference of each caption; undefined where they do not fit. */
async function match(candidates: object, references: object): Promise<string[] | undefined> {
  const system = await readCandidates(file(candidates));
  const all = await readReferences([file(references)]);
  try {
    const { images, rows } = matchCaptions(all, [system], true);
    return Array.from(
      images,
      (image, i) =>
        `${system.texts.get(rows[0][i])} = ${all.texts.get(all.order[all.first[image]])}`,
    ).sort();
  } catch (error) {
    if (!String(error).includes('no image is in both files')) throw error;
    return undefined;
  }
}

const named = [
  { image_id: 42, file_name: 'dog.jpg', caption: 'dog' },
  { image_id: 7, file_name: '000000000042.jpg', caption: 'cat' },
];
const coco = {
  images: [
    { id: 42, file_name: 'dog.jpg' },
    { id: 7, file_name: '000000000042.jpg' },
  ],
  annotations: [
    { image_id: 42, caption: 'dog' },
    { image_id: 7, caption: 'cat' },
  ],
};

describe('matchCaptions', () => {
  for (const [kind, references] of Object.entries({ records: named, 'COCO annotations': coco })) {
    it(`takes 000000000042.jpg for the file of that name, not for image_id 42, in ${kind}`, async () => {
      for (const image of ['000000000042.jpg', 'photos/000000000042.png', './000000000042.jpg'])
        expect(await match([{ image, caption: 'x' }], references), image).toEqual(['x = cat']);
      expect(await match([{ image_id: 42, caption: 'x' }], references)).toEqual(['x = dog']);
      expect(await match([{ image: 'a/dog.png', caption: 'x' }], references)).toEqual(['x = dog']);
    });

    it(`takes it for no image where its own has no references, in ${kind}`, async () => {
      const rest = Array.isArray(references)
        ? references.slice(0, 1)
        : { ...references, annotations: references.annotations.slice(0, 1) };
      for (const image of ['000000000042.jpg', '42.jpg', 'COCO_val2014_000000000042.jpg'])
        expect(await match([{ image, caption: 'x' }], rest), image).toBeUndefined();
    });

    it(`lets the names of both files decide before their numbers, in ${kind}`, async () => {
      const crossed = [
        { image_id: 7, file_name: 'dog.jpg', caption: 'x' },
        { image_id: 42, file_name: 'b/000000000042.jpg', caption: 'y' },
        { image_id: 42, file_name: 'other.jpg', caption: 'z' },
      ];
      expect(await match(crossed, references)).toEqual(['x = dog', 'y = cat']);
    });
  }

  it('reads numbers from names where no file name is known', async () => {
    const numbers = [
      { image_id: 42, caption: 'dog' },
      { image_id: 7, caption: 'cat' },
    ];
    for (const image of ['42.jpg', 'COCO_val2014_000000000042.jpg', 'x/0042.png', '0042'])
      expect(await match([{ image, caption: 'x' }], numbers), image).toEqual(['x = dog']);
    const names = [{ file_name: 'COCO_val2014_000000000042.jpg', caption: 'dog' }];
    for (const image_id of [42, '42', '000000000042', '42.jpg'])
      expect(await match([{ image_id, caption: 'x' }], names), `${image_id}`).toEqual(['x = dog']);
  });

  it('uses the number beside a name that the references do not have', async () => {
    const numbers = [{ image_id: 42, caption: 'dog' }];
    const both = [{ image_id: 42, file_name: 'new.jpg', caption: 'x' }];
    expect(await match(both, numbers)).toEqual(['x = dog']);
  });

  it('takes no number that two images have', async () => {
    const twice = [
      { image_id: 1, file_name: 'a.jpg', caption: 'a' },
      { image_id: 1, file_name: 'b.jpg', caption: 'b' },
      { image_id: 2, file_name: 'c.jpg', caption: 'c' },
    ];
    const system = [
      { image_id: 1, caption: 'x' },
      { image_id: 2, caption: 'y' },
    ];
    expect(await match(system, twice)).toEqual(['y = c']);
  });

  it('matches composed and decomposed names', async () => {
    const refs = [{ file_name: '\u00e9.jpg', caption: 'dog' }];
    expect(await match([{ file: 'e\u0301.jpg', caption: 'x' }], refs)).toEqual(['x = dog']);
  });

  it('reads candidates and references whose lines end in carriage returns', async () => {
    const system = await readCandidates(file('a dog\rtwo cats\r', 'txt'));
    expect([system.texts.get(0), system.texts.get(1)]).toEqual(['a dog', 'two cats']);
    const refs = await readReferences([file('image,caption\ra.jpg,x\rb.jpg,y\r', 'csv')]);
    expect(refs.ids).toEqual(['a.jpg', 'b.jpg']);
    // One stray return among lines that end as usual ends none.
    const stray = await readCandidates(file('a dog\rruns\ntwo cats\nthree\n', 'txt'));
    expect(stray.texts.length).toBe(3);
  });
});
