/** COCO's results: pictures by number, also where a stopped run goes on. */
import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cocoNumber } from '../../../src/caption/output/coco.ts';
import type { CaptionRow } from '../../../src/caption/output/formats.ts';
import { onlyNumbered } from '../../../src/caption/output/numbered.ts';
import { fileSink } from '../../../src/caption/output/output.ts';
import { readCandidates } from '../../../src/data/captions/captions.ts';
import { newFolder } from '../../data/shards/shards.ts';

describe("a picture's number", () => {
  it.each([
    ['val2014/COCO_val2014_000000000042.jpg', 42],
    ['000000391895.jpg', 391895],
    ['7.png', 7],
    ['zip://val2017/000000000042.jpg::val2017.zip', 42],
    ['img42.jpg', undefined],
    ['000000000042', undefined],
  ])('of %s is %j', (file, number) => expect(cocoNumber(file)).toBe(number));
});

const row = (file: string, caption: string): CaptionRow => {
  const best = { text: caption, ids: [], logprob: -1, meanLogprob: -1 };
  return {
    file,
    caption,
    captions: [best, { ...best, text: 'other' }],
    width: 1,
    height: 1,
    ms: 1,
  };
};

describe("COCO's results", () => {
  const options = { resume: true, overwrite: false, candidates: 2, batchSize: 2 };
  const open = async (path: string) => onlyNumbered(await fileSink(path, 'coco', options));

  it('are an array of numbers and best captions, which score reads', async () => {
    const path = join(newFolder(), 'captions_test2014_refcap_results.json');
    const sink = await open(path);
    await sink.write([row('COCO_val2014_000000000042.jpg', 'a dog'), row('000000000007.jpg', 'b')]);
    await sink.finish();
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual([
      { image_id: 42, caption: 'a dog' },
      { image_id: 7, caption: 'b' },
    ]);
    expect([...((await readCandidates(path)).byId?.keys() ?? [])]).toEqual(['42', '7']);
  });

  it('go on where they stopped', async () => {
    const path = join(newFolder(), 'results.json');
    const files = [1, 2, 3, 4, 5].map((n) => `00000000000${n}.jpg`);
    const whole = await open(path);
    for (const start of [0, 2, 4])
      await whole.write(files.slice(start, start + 2).map((file) => row(file, 'a cat')));
    await whole.finish();
    const text = readFileSync(path, 'utf8');
    truncateSync(path, text.indexOf('4') + 3);
    const resumed = await open(path);
    expect(await Promise.all(files.map((file) => resumed.has(file)))).toEqual([
      ...[true, true, false, false, false],
    ]);
    await resumed.write(files.slice(2, 4).map((file) => row(file, 'a cat')));
    await resumed.write(files.slice(4).map((file) => row(file, 'a cat')));
    await resumed.finish();
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('refuse pictures without a number, by their name', async () => {
    const sink = await open(join(newFolder(), 'results.json'));
    await expect(sink.has('photos/dog.jpg')).rejects.toThrow(
      "photos/dog.jpg: COCO's results name pictures by number, and this name is none; use --format json.",
    );
    await sink.finish();
  });
});
