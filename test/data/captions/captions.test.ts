/** Readers of candidates and references: every format gives the same captions, every fault one sentence. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Candidates,
  type References,
  readAllCaptions,
  readCandidates,
  readImageList,
  readReferences,
} from '../../../src/data/captions/captions.ts';
import { recognizeFormat } from '../../../src/data/captions/formats.ts';
import { looseForm, matchCaptions } from '../../../src/data/captions/match.ts';
import { TextStore } from '../../../src/data/captions/store.ts';
import { shared } from '../../paths.ts';
import {
  candidateFormats,
  type Item,
  metricFixture,
  plainCandidateFormats,
  plainReferenceFormats,
  referenceFormats,
  temporaryFolder,
  write,
} from '../caption-files.ts';

const folder = temporaryFolder();
const { items: awkward } = metricFixture<{ items: Item[] }>('edge_dev.json');
const plain = metricFixture<{ items: Item[] }>('coco_fakecap1000.json').items.slice(0, 50);
const file = (name: string, content: string | Uint8Array) => write(folder, name, content);

function candidatesOf({ byId, texts }: Candidates): [string, string][] {
  const ids = byId
    ? [...byId]
    : Array.from({ length: texts.length }, (_, i) => [`${i}`, i] as const);
  return ids.map(([id, text]) => [id, texts.get(text)]);
}

function referencesOf({ ids, texts, first, order }: References): [string, string[]][] {
  return ids.map((id, i) => [
    id,
    Array.from(order.subarray(first[i], first[i + 1]), (text) => texts.get(text)),
  ]);
}

describe('readCandidates', () => {
  it.each(Object.keys(candidateFormats))('reads awkward captions from %s', async (name) => {
    const path = file(name, candidateFormats[name](awkward));
    expect(candidatesOf(await readCandidates(path))).toEqual(
      awkward.map(({ id, candidate }) => [String(id), candidate]),
    );
  });

  it.each(Object.keys(candidateFormats))('reads %s gzipped as it reads it plain', async (name) => {
    const content = candidateFormats[name](awkward);
    const packed = await readCandidates(file(`${name}.gz`, gzipSync(content)));
    expect(candidatesOf(packed)).toEqual(candidatesOf(await readCandidates(file(name, content))));
  });

  it('says that a gzipped file holds nothing', async () => {
    await expect(readCandidates(file('nothing.jsonl.gz', gzipSync('\n')))).rejects.toThrow(
      /nothing\.jsonl\.gz: the file is empty/,
    );
    await expect(readCandidates(file('no.jsonl.gz', ''))).rejects.toThrow(/the file is empty/);
  });

  it.each(Object.keys(plainCandidateFormats))('reads plain captions from %s', async (name) => {
    const path = file(name, plainCandidateFormats[name](plain));
    const captions = candidatesOf(await readCandidates(path)).map(([, text]) => text);
    expect(captions).toEqual(plain.map(({ candidate }) => candidate));
  });

  it('keeps blank lines of a text file as empty captions, and reads Windows line ends and a byte order mark', async () => {
    const path = file('blank.txt', '\uFEFFa dog\r\n\r\na cat\r\n');
    expect(candidatesOf(await readCandidates(path)).map(([, text]) => text)).toEqual([
      'a dog',
      '',
      'a cat',
    ]);
  });

  const faults: [string, string | Uint8Array, RegExp][] = [
    ['empty.json', '', /empty\.json: the file is empty/],
    ['none.json', '[]', /none\.json: no caption in the file/],
    [
      'cut.json',
      '[{"image_id": 1, "caption": "a',
      /cut\.json: the JSON ends inside \$\[0\].*cut off/,
    ],
    [
      'number.json',
      '[{"image_id": 1, "caption": 3}]',
      /\$\[0\]\.caption should be a text but is a number/,
    ],
    [
      'null.json',
      '[{"image_id": null, "caption": "a"}]',
      /\$\[0\]\.image_id should be .* but is null/,
    ],
    [
      'large.json',
      '[{"image_id": 12345678901234567890, "caption": "a"}]',
      /\$\[0\]\.image_id .*2\^53/,
    ],
    ['noid.json', '[{"caption": "a"}]', /\$\[0\] has no image id/],
    ['nocaption.json', '[{"image_id": 1}]', /\$\[0\] has no caption/],
    [
      'two.json',
      '[{"image_id": 1, "caption": "a"}, {"image_id": "1", "caption": "b"}]',
      /image 1 has two captions, at \$\[0\] and \$\[1\]; keep one/,
    ],
    ['several.json', '{"1": ["a", "b"]}', /\$\["1"\] holds several captions/],
    [
      'two.csv',
      'image,caption\na,x\nb,y\na,z\n',
      /two\.csv: image a has two captions, at line 2 and line 4/,
    ],
    ['columns.csv', 'image,caption\na,x, y\n', /line 2 has 3 columns where 2 are expected/],
    [
      'quote.csv',
      'image,caption\na,"x\nb,y\n',
      /a double quote that opens after line 1 is never closed/,
    ],
    [
      'broken.jsonl',
      '{"image_id": 1, "caption": "a"}\n{"image_id": 2, "caption: "b"}\n',
      /broken\.jsonl: line 2 is not valid JSON/,
    ],
    [
      'array.jsonl',
      '{"image_id": 1, "caption": "a"}\n["b"]\n',
      /line 2 should be a JSON object but is an array/,
    ],
    [
      'type.jsonl',
      '{"image_id": 1, "caption": true}\n{"image_id": 2, "caption": "b"}\n',
      /line 1, \$\.caption should be a text but is true or false/,
    ],
    [
      'latin1.txt',
      Buffer.from('a dog\nun caf\xe9 noir\n', 'latin1'),
      /latin1\.txt: line 2, byte 13 of the file: 0xe9 is not valid UTF-8/,
    ],
    ['cut.txt', Buffer.from([0x61, 0x0a, 0xe2, 0x82]), /cut\.txt: line 2, byte .* not valid UTF-8/],
    ['utf16.txt', Buffer.from('\uFEFFa dog\n', 'utf16le'), /UTF-16; convert it/],
    ['packed.gz', Buffer.from([0x1f, 0x8b, 8, 0]), /packed\.gz: the gzipped file ends too early/],
  ];
  it.each(faults)('names the fault of %s', async (name, content, message) => {
    await expect(readCandidates(file(name, content))).rejects.toThrow(message);
  });

  it('names a missing file and a folder', async () => {
    await expect(readCandidates(join(folder, 'absent.json'))).rejects.toThrow(/no such file/);
    await expect(readCandidates(folder)).rejects.toThrow(/this is a folder/);
  });

  it('finds the first invalid byte wherever the file is cut into pieces', async () => {
    const before = 'é'.repeat(700_001);
    const bytes = Buffer.concat([Buffer.from(`${before}\n`), Buffer.from([0xc3, 0x28])]);
    await expect(readCandidates(file('late.txt', bytes))).rejects.toThrow(
      new RegExp(`line 2, byte ${bytes.length - 1} of the file: 0xc3`),
    );
    const good = await readCandidates(file('long.txt', `${before}\nb`));
    expect(good.texts.get(0)).toBe(before);
  });
});

describe('readReferences', () => {
  it.each(Object.keys(referenceFormats))('reads awkward captions from %s', async (name) => {
    const path = file(name, referenceFormats[name](awkward));
    const splits = name.includes('karpathy') ? ['test'] : undefined;
    expect(referencesOf(await readReferences([path], { splits }))).toEqual(
      awkward.map(({ id, references }) => [String(id), references]),
    );
  });

  it.each(Object.keys(plainReferenceFormats))('reads plain captions from %s', async (name) => {
    const path = file(name, plainReferenceFormats[name](plain));
    const splits = name.includes('karpathy') ? ['test'] : undefined;
    expect(referencesOf(await readReferences([path], { splits }))).toEqual(
      plain.map(({ id, references }) => [String(id), references]),
    );
  });

  it('joins several files, and takes line n of text files for image n', async () => {
    const one = file('one.txt', 'a dog\na cat\n');
    const two = file('two.txt', 'the dog\nthe cat\n');
    expect(referencesOf(await readReferences([one, two]))).toEqual([
      ['1', ['a dog', 'the dog']],
      ['2', ['a cat', 'the cat']],
    ]);
  });

  it('reads Flickr30k tables with bars and several columns of references', async () => {
    const bars = file(
      'results.csv',
      'image_name| comment_number| comment\na.jpg| 0| A dog , runs .\na.jpg| 1| It runs .\n',
    );
    expect(referencesOf(await readReferences([bars]))).toEqual([
      ['a.jpg', ['A dog , runs .', 'It runs .']],
    ]);
    const wide = file('wide.csv', 'id,caption_1,caption_2\n7,a dog,the dog\n');
    expect(referencesOf(await readReferences([wide]))).toEqual([['7', ['a dog', 'the dog']]]);
  });

  it('names an unknown split and those there are, and an image list twice', async () => {
    const path = file('dataset.json', referenceFormats['dataset_karpathy.json'](awkward));
    await expect(readReferences([path], { splits: ['val'] })).rejects.toThrow(
      /there is no split "val"; choose from test, train/,
    );
    const coco = file('coco.json', referenceFormats['coco.json'](awkward));
    await expect(readReferences([coco], { splits: ['val'] })).rejects.toThrow(/leave out --split/);
    const twice = file(
      'twice.jsonl',
      '{"id": 1, "references": ["a"]}\n{"id": 1, "references": ["b"]}\n',
    );
    await expect(readReferences([twice])).rejects.toThrow(
      /image 1 has two lists of references, at line 1 and line 2/,
    );
    const none = file(
      'none.jsonl',
      '{"id": 1, "references": []}\n{"id": 2, "references": ["b"]}\n',
    );
    await expect(readReferences([none])).rejects.toThrow(/line 1, \$\.references is an empty list/);
    const wrong = file('wrong.json', '{"annotations": [{"image_id": 1, "caption": ["a", 2]}]}');
    await expect(readReferences([wrong])).rejects.toThrow(
      /\$\.annotations\[0\]\.caption\[1\] should be a text but is a number/,
    );
  });

  it('leaves out the captions of an image that does not exist, and says so', async () => {
    const path = file('token.txt', 'a.jpg#0\tA dog\na.jpg.1#0\tA cat\na.jpg.1#1\tThe cat\n');
    const { ids, notes } = await readReferences([path]);
    expect(ids).toEqual(['a.jpg']);
    expect(notes).toEqual([expect.stringMatching(/left out 2 lines of a\.jpg\.1/)]);
  });

  it('may be read as nothing but captions', async () => {
    const path = file('refs.csv', 'image,caption\na,x\nb,y\n');
    expect((await readAllCaptions(path)).length).toBe(2);
  });

  it.skipIf(!shared)('reads Flickr8k in its two editions alike', async () => {
    const official = await readReferences([join(shared ?? '', 'flickr8k/Flickr8k.token.txt')]);
    const kaggle = await readReferences([join(shared ?? '', 'flickr8k/captions.txt')]);
    expect(official.ids).toHaveLength(8092);
    expect(official.texts.length).toBe(40459);
    // The Kaggle edition has no captions of the image with the misnamed line.
    const stray = '2258277193_586949ec62.jpg';
    const others = referencesOf(official).filter(([id]) => id !== stray);
    const trimmed = ([id, texts]: [string, string[]]) => [id, texts.map((text) => text.trim())];
    expect(referencesOf(kaggle).map(trimmed)).toEqual(others.map(trimmed));
  });
});

describe('recognizeFormat', () => {
  it.each([
    ['[unk] a man\nanother\n', 'text'],
    ['{"1": "a"}', 'json'],
    ['{"image_id": 1, "caption": "a"}', 'jsonl'],
    ['{\n  "annotations": []\n}', 'json'],
    ['a man, a dog\na cat, a dog\n', 'text'],
    ['x.jpg,a man\ny.jpg,a dog\n', 'csv'],
    ['Image,Caption\n1,a man\n', 'csv'],
    ['file,description\n1,a man\n', 'csv'],
    ['x\ta man\ny\ta dog\n', 'tsv'],
    ['x\ta man, here\ta boy\ny\ta dog\tdogs\n', 'tsv'],
    ['x.jpg#0\ta man\n', 'flickr'],
  ])('takes %j for %s', (head, format) => {
    expect(recognizeFormat(head, true)).toBe(format);
  });

  it('gives way to the format that is named', async () => {
    // Rows of different lengths are no table by themselves; as one they are parted by tabs.
    const table = file('ragged.tsv', 'a.jpg\ta man, here\ta boy\nb.jpg\ta dog\n');
    expect(recognizeFormat('a.jpg\ta man, here\ta boy\nb.jpg\ta dog\n', true)).toBe('text');
    await expect(readReferences([table], { format: 'tsv' })).rejects.toThrow(
      'line 2 has 2 columns where 3 are expected',
    );
    const path = file('braces.txt', '{"a": 1}\n{"b": 2}\n');
    const { texts } = await readCandidates(path, { format: 'text' });
    expect(texts.get(1)).toBe('{"b": 2}');
  });
});

describe('matchCaptions', () => {
  const read = async (candidates: string, references: string) => ({
    system: await readCandidates(file('m.csv', candidates)),
    references: await readReferences([file('r.csv', references)]),
  });

  it('says which images lack a candidate or a reference, and scores the rest on demand', async () => {
    const { system, references } = await read(
      'image,caption\na,x\nc,y\n',
      'image,caption\na,x\nb,y\n',
    );
    expect(() => matchCaptions(references, [system], false)).toThrow(
      /1 image without a reference in .*r\.csv \(c\); .*1 image without a caption in .*m\.csv \(b\);.*score the 1 images in common with --allow-missing/,
    );
    const match = matchCaptions(references, [system], true);
    expect([...match.images]).toEqual([0]);
    expect(match.notes).toHaveLength(2);
  });

  it('shows how ids look when none agrees', async () => {
    const { system, references } = await read('image,caption\na,x\n', 'image,caption\nb,y\n');
    expect(() => matchCaptions(references, [system], true)).toThrow(/ids such as b.* such as a/);
  });

  it('matches COCO ids, file names and paths', async () => {
    const coco = await readReferences([
      file(
        'c.json',
        '{"images": [{"id": 42, "file_name": "x_42.jpg"}], "annotations": [{"image_id": 42, "caption": "a"}]}',
      ),
    ]);
    for (const id of ['42', 'x_42.jpg', 'photos/x_42.png', 'COCO_val2014_000000000042.jpg']) {
      const system = await readCandidates(file('one.csv', `image,caption\n${id},a dog\n`));
      expect([...matchCaptions(coco, [system], false).images]).toEqual([0]);
    }
    const twice = await readCandidates(file('twice.csv', 'image,caption\n42,a\nx_42.jpg,b\n'));
    expect(() => matchCaptions(coco, [twice], false)).toThrow(
      /line 2 and line 3 both name image 42/,
    );
  });

  it('scores the images of a list alone, by any of their names, and names what it cannot find', async () => {
    const coco = {
      images: [1, 2, 3].map((id) => ({ id, file_name: `x_${id}.jpg` })),
      annotations: [1, 2, 3].map((image_id) => ({ image_id, caption: 'a' })),
    };
    const references = await readReferences([file('c.json', JSON.stringify(coco))]);
    const list = async (lines: string) => ({
      name: 'list.txt',
      images: await readImageList(file('list.txt', lines)),
    });
    const system = await readCandidates(file('m.csv', 'image,caption\n1,x\n2,y\n3,z\n9,w\n'));
    const match = matchCaptions(references, [system], false, await list('x_3.jpg\n\n2\n'));
    expect([...match.images].map((image) => references.ids[image])).toEqual(['2', '3']);
    expect(match.rows.map((rows) => [...rows])).toEqual([[1, 2]]);
    expect(match.notes).toEqual([]);
    const typo = await list('x_1.jpg\nx_4.jpg\n');
    expect(() => matchCaptions(references, [system], false, typo)).toThrow(
      /list\.txt: 1 image without a reference in .*c\.json \(x_4\.jpg\)/,
    );
    expect(matchCaptions(references, [system], true, typo).images).toHaveLength(1);
    const none = await list('nothing\n');
    expect(() => matchCaptions(references, [system], true, none)).toThrow(
      /list\.txt: .* none of its 1 image, such as nothing; it has ids such as 1/,
    );
    // Captions without ids stand in the references' order.
    const lines = await readCandidates(file('lines.txt', 'one\ntwo\n'));
    const two = await list('3\n1\n');
    expect([...matchCaptions(references, [lines], false, two).rows[0]]).toEqual([0, 1]);
  });

  it('matches loosely only what is one image', () => {
    expect(looseForm('C:\\x\\COCO_val2014_000000000042.jpg')).toBe('42');
    expect(looseForm('0')).toBe('0');
    expect(looseForm('a.jpg')).toBe(looseForm('b/a.PNG'));
  });

  it('counts captions that come without ids', async () => {
    const references = await readReferences([file('r.csv', 'image,caption\na,x\nb,y\n')]);
    const system = await readCandidates(file('lines.txt', 'one\n'));
    expect(() => matchCaptions(references, [system], false)).toThrow(
      /1 captions without ids but .* has 2 images/,
    );
  });
});

describe('TextStore', () => {
  it('gives back what was put in, at any length', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 50 })), (texts) => {
        const store = new TextStore();
        const numbers = texts.map((text) => store.add(text));
        expect(numbers.map((number) => store.get(number))).toEqual(texts);
      }),
    );
    const store = new TextStore();
    const long = 'ab'.repeat(5_000_000);
    for (let i = 0; i < 3000; i++) store.add(`text ${i}`);
    store.add(long);
    store.add('after');
    expect(store.get(2999)).toBe('text 2999');
    expect(store.get(3000)).toBe(long);
    expect(store.get(3001)).toBe('after');
  });
});
