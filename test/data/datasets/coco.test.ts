/** COCO and its kin in their official layouts: the counts that their papers give, from files made here. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { zipSync } from 'fflate';
import { beforeAll, describe, expect, it } from 'vitest';
import { readDataset } from '../../../src/data/datasets/read.ts';
import { newFolder } from '../shards/shards.ts';

const empty = new Uint8Array(0);
const padded = (id: number): string => String(id).padStart(12, '0');
const countsOf = async (path: string, images?: string) => {
  const dataset = await readDataset(path, images === undefined ? {} : { images });
  const counts = { train: 0, dev: 0, test: 0 };
  for (const { split } of dataset.images) counts[split] += 1;
  return { ...counts, missing: dataset.missing, notes: dataset.notes, images: dataset.images };
};
const none = { train: 0, dev: 0, test: 0 };

/** Numbers of pictures, as COCO's are: without order and with gaps. */
const trainIds = Array.from({ length: 82_783 }, (_, i) => 5 * i + 2);
const valIds = Array.from({ length: 40_504 }, (_, i) => 7 * i * 5 + 1);

/** Empty files of these names; from 65,536 on as zip64 has it, of whose records fflate writes none. */
function writeZip(path: string, names: readonly string[]): void {
  const zip = Buffer.from(
    zipSync(Object.fromEntries(names.map((name) => [name, [empty, { level: 0 }]]))),
  );
  const end = zip.subarray(-22);
  const record = Buffer.alloc(56);
  record.write('PK\x06\x06', 'latin1');
  record.writeBigUInt64LE(44n, 4);
  record.writeUInt16LE(45, 12);
  record.writeUInt16LE(45, 14);
  for (const at of [24, 32]) record.writeBigUInt64LE(BigInt(names.length), at);
  record.writeBigUInt64LE(BigInt(end.readUInt32LE(12)), 40);
  record.writeBigUInt64LE(BigInt(end.readUInt32LE(16)), 48);
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  locator.writeBigUInt64LE(BigInt(zip.length - end.length), 8);
  locator.writeUInt32LE(1, 16);
  const isLarge = names.length > 0xffff;
  if (isLarge) end.fill(0xff, 8, 20);
  const parts = [zip.subarray(0, -22), ...(isLarge ? [record, locator] : []), end];
  writeFileSync(path, Buffer.concat(parts));
}

describe("Karpathy's split of COCO", () => {
  const root = newFolder();
  const folders = { 2014: join(root, '2014'), 2017: join(root, '2017') };

  beforeAll(() => {
    for (const folder of Object.values(folders)) mkdirSync(folder);
    const image = (id: number, of: string, split: string) => ({
      filepath: `${of}2014`,
      sentids: [id],
      filename: `COCO_${of}2014_${padded(id)}.jpg`,
      imgid: id,
      split,
      sentences: [{ tokens: ['a', 'dog'], raw: 'A dog.', imgid: id, sentid: id }],
      cocoid: id,
    });
    const splitOfVal = (i: number) => (i < 5000 ? 'val' : i < 10_000 ? 'test' : 'restval');
    const json = JSON.stringify({
      images: [
        ...valIds.map((id, i) => image(id, 'val', splitOfVal(i))),
        ...trainIds.map((id) => image(id, 'train', 'train')),
      ],
      dataset: 'coco',
    });
    for (const folder of Object.values(folders))
      writeFileSync(join(folder, 'dataset_coco.json'), json);
    const of2014 = (of: string, ids: readonly number[]) =>
      writeZip(
        join(folders[2014], `${of}2014.zip`),
        ids.map((id) => `${of}2014/COCO_${of}2014_${padded(id)}.jpg`),
      );
    of2014('train', trainIds);
    of2014('val', valIds);
    // In 2017 all but 5,000 pictures were moved to train, under new names.
    const all = [...trainIds, ...valIds];
    const of2017 = (of: string, ids: readonly number[]) =>
      writeZip(
        join(folders[2017], `${of}2017.zip`),
        ids.map((id) => `${of}2017/${padded(id)}.jpg`),
      );
    of2017('val', all.slice(-5000));
    of2017('train', all.slice(0, -5000));
  });

  it.each([2014, 2017] as const)(
    'has 113,287 / 5,000 / 5,000 pictures in the zips of %i, restval being trained on',
    async (year) => {
      const { images, notes, ...counts } = await countsOf(folders[year]);
      expect(counts).toEqual({ train: 113_287, dev: 5000, test: 5000, missing: none });
      expect(notes).toEqual([]);
      // Each picture is itself, whatever its name is in that year.
      for (const { id, path } of images.filter((_, i) => i % 997 === 0))
        expect(path).toMatch(
          new RegExp(`^zip://.*${/\d{12}/.exec(id)?.[0]}\\.jpg::.*${year}\\.zip$`),
        );
    },
  );
});

describe("COCO's own files", () => {
  const annotations = (ids: readonly number[], name: (id: number) => string) =>
    JSON.stringify({
      info: {},
      licenses: [],
      images: ids.map((id) => ({ id, file_name: name(id), coco_url: `http://x/${name(id)}` })),
      annotations: ids.flatMap((image_id) =>
        [1, 2].map((n) => ({ image_id, id: 10 * image_id + n, caption: `caption ${n}` })),
      ),
    });

  it.each([
    [2014, (of: string) => (id: number) => `COCO_${of}2014_${padded(id)}.jpg`],
    [2017, () => (id: number) => `${padded(id)}.jpg`],
  ] as const)('of %i are read with zips, folders, or one of each', async (year, nameOf) => {
    const folder = newFolder();
    mkdirSync(join(folder, 'annotations'));
    const ids = { train: [9, 25, 30], val: [42, 57] };
    for (const of of ['train', 'val'] as const) {
      const names = ids[of].map(nameOf(of));
      writeFileSync(
        join(folder, `annotations/captions_${of}${year}.json`),
        annotations(ids[of], nameOf(of)),
      );
      writeZip(
        join(folder, `${of}${year}.zip`),
        names.map((name) => `${of}${year}/${name}`),
      );
    }
    const zipped = await countsOf(folder);
    expect(zipped).toMatchObject({ train: 3, dev: 2, test: 0, missing: none, notes: [] });
    expect(zipped.images.every(({ path }) => path.startsWith('zip://'))).toBe(true);
    // Unpacked, the folder is read, and the zip beside it is not.
    mkdirSync(join(folder, `val${year}`));
    for (const id of ids.val) writeFileSync(join(folder, `val${year}`, nameOf('val')(id)), '');
    const unpacked = await countsOf(folder);
    expect(unpacked).toMatchObject({ train: 3, dev: 2, missing: none, notes: [] });
    const isZipped = unpacked.images.map(({ path }) => path.startsWith('zip://'));
    expect(isZipped).toEqual([true, true, true, false, false]);
  });

  it('are read with the pictures of one zip by --images', async () => {
    const folder = newFolder();
    const zip = join(folder, 'photos.zip');
    writeZip(zip, ['a/000000000001.jpg', 'a/000000000002.jpg']);
    const path = join(folder, 'captions.json');
    writeFileSync(
      path,
      annotations([1, 2], (id) => `${padded(id)}.jpg`),
    );
    expect((await countsOf(path, zip)).images.map((image) => image.path)).toEqual([
      `zip://a/000000000001.jpg::${zip}`,
      `zip://a/000000000002.jpg::${zip}`,
    ]);
  });
});

describe('captions of the same kind', () => {
  it('nocaps: its validation images are for measuring alone', async () => {
    const folder = newFolder();
    const ids = Array.from({ length: 30 }, (_, i) => i);
    writeFileSync(
      join(folder, 'nocaps_val_4500_captions.json'),
      JSON.stringify({
        licenses: [],
        info: {},
        images: ids.map((id) => ({ id, file_name: `${id}abc.jpg`, domain: 'near-domain' })),
        annotations: ids.map((image_id) => ({ image_id, id: image_id, caption: 'a hat' })),
      }),
    );
    for (const id of ids) writeFileSync(join(folder, `${id}abc.jpg`), '');
    for (const path of [folder, join(folder, 'nocaps_val_4500_captions.json')])
      expect(await countsOf(path)).toMatchObject({ train: 0, dev: 30, test: 0, notes: [] });
  });

  it('TextCaps: a record a caption, in the split that its set_name says', async () => {
    const folder = newFolder();
    const record = (image_id: string, caption_id: number, set_name: string) => ({
      ...{ caption_id, image_id, set_name, image_path: `${set_name}/${image_id}.jpg` },
      caption_str: `Sign ${caption_id}`,
      reference_strs: ['Sign 1', 'Sign 2'],
      caption_tokens: ['sign'],
    });
    const file = (data: unknown[]) =>
      JSON.stringify({ dataset_type: 'x', dataset_name: 'textcaps', dataset_version: '0.1', data });
    const train = [
      record('b64e', 1, 'train'),
      record('b64e', 2, 'train'),
      record('c1', 3, 'train'),
    ];
    writeFileSync(join(folder, 'TextCaps_0.1_train.json'), file(train));
    writeFileSync(join(folder, 'TextCaps_0.1_val.json'), file([record('d2', 4, 'val')]));
    mkdirSync(join(folder, 'train_images'));
    for (const id of ['b64e', 'c1', 'd2'])
      writeFileSync(join(folder, `train_images/${id}.jpg`), '');
    const { images } = await countsOf(folder);
    expect(images.map(({ split, captions }) => [split, ...captions])).toEqual([
      ['train', 'Sign 1', 'Sign 2'],
      ['train', 'Sign 3'],
      ['dev', 'Sign 4'],
    ]);
  });

  it('VizWiz: without the captions that it marks as no captions', async () => {
    const folder = newFolder();
    const annotation = (image_id: number, caption: string, marks = {}) => ({
      ...{ image_id, caption, id: 0, is_precanned: false, is_rejected: false, ...marks },
    });
    const severe = 'Quality issues are too severe to recognize visual content.';
    const write = (split: string, first: number, annotations: unknown[]): void => {
      const names = [0, 1].map((id) => `VizWiz_${split}_0000000${id}.jpg`);
      const images = names.map((file_name, i) => ({
        file_name,
        id: first + i,
        text_detected: true,
      }));
      mkdirSync(join(folder, split));
      for (const name of names) writeFileSync(join(folder, split, name), '');
      const json = JSON.stringify({ info: {}, images, annotations });
      writeFileSync(join(folder, 'annotations', `${split}.json`), json);
    };
    mkdirSync(join(folder, 'annotations'));
    write('train', 0, [
      annotation(0, 'a can'),
      annotation(0, severe, { is_precanned: true, is_rejected: true }),
      annotation(1, 'spam', { is_rejected: true }),
      annotation(1, 'a dog'),
    ]);
    write('val', 2, [annotation(2, 'a cup'), annotation(3, 'a hat')]);
    const { images, notes } = await countsOf(folder);
    expect(images.map(({ split, path, captions }) => [split, basename(path), ...captions])).toEqual(
      [
        ['train', 'VizWiz_train_00000000.jpg', 'a can'],
        ['train', 'VizWiz_train_00000001.jpg', 'a dog'],
        ['dev', 'VizWiz_val_00000000.jpg', 'a cup'],
        ['dev', 'VizWiz_val_00000001.jpg', 'a hat'],
      ],
    );
    expect(notes[0]).toMatch(/left out 2 captions that VizWiz marks as rejected or precanned/);
  });

  it("Conceptual Captions' list of addresses is told from pictures", async () => {
    const path = join(newFolder(), 'Train_GCC-training.tsv');
    writeFileSync(
      path,
      'a very typical bus station\thttp://a.b/c.jpg\nsierra looked\thttps://d/e\n',
    );
    await expect(readDataset(path)).rejects.toThrow(
      /line 1 is a caption and an address, as Conceptual Captions has them; fetch the pictures first/,
    );
  });
});
