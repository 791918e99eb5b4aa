/** Pictures in shards, captioned: the same captions as of the files, whatever holds them. */
import { readdirSync, readFileSync, truncateSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Captioner } from '../../../src/caption/captioner.ts';
import type { CaptionRow } from '../../../src/caption/output/formats.ts';
import { placeless } from '../../../src/caption/output/placeless.ts';
import { captionRun, type RunOutcome } from '../../../src/caption/run.ts';
import { countInputs, listInputs } from '../../../src/caption/sources/inputs.ts';
import { styled } from '../../../src/caption/style/style.ts';
import { newFolder, parquetOf, tarOf, zipOf } from '../../data/shards/shards.ts';
import { tiny } from '../models.ts';

const names = readdirSync(join(tiny, 'images')).sort().slice(0, 6);
const pictures = names.map((name) => readFileSync(join(tiny, 'images', name)));
const files = Object.fromEntries(names.map((name, i) => [`photos/${name}`, pictures[i]]));
const stem = (name: string) => basename(name, extname(name));
const folder = newFolder();

let captioner: Captioner;
beforeAll(async () => {
  captioner = await Captioner.load(tiny, { threads: 1 });
});
afterAll(() => captioner[Symbol.dispose]());

async function captioned(inputs: readonly string[]) {
  const rows: CaptionRow[] = [];
  const failures: string[] = [];
  const sink = {
    has: async () => false,
    write: async (batch: readonly CaptionRow[]) => void rows.push(...batch),
    finish: async () => undefined,
  };
  const onDone = (outcome: RunOutcome) => {
    if (outcome.kind === 'failed') failures.push(outcome.error.message);
  };
  const run = { options: { do_sample: true, seed: 3 }, batchSize: 4, failFast: false, onDone };
  await captionRun(captioner, listInputs(inputs), sink, run);
  return { rows, failures };
}

describe('pictures in shards', () => {
  const shards = () => ({
    tar: tarOf(join(folder, 'x.tar'), files),
    zip: zipOf(join(folder, 'x.zip'), files),
    parquet: parquetOf(
      join(folder, 'x.parquet'),
      names.map((name, i) => ({ bytes: pictures[i], path: `photos/${name}` })),
      {},
    ),
  });

  it('get the captions of the files, with key and shard', async () => {
    const plain = await captioned(names.map((name) => join(tiny, 'images', name)));
    for (const [kind, shard] of Object.entries(shards())) {
      const { rows, failures } = await captioned([shard]);
      expect(failures).toEqual([]);
      expect(rows.map(({ captions }) => captions)).toEqual(
        plain.rows.map(({ captions }) => captions),
      );
      expect(rows.map(({ file, key, shard: own }) => [file, key, own])).toEqual(
        names.map((name, i) => [
          kind === 'parquet' ? `parquet://${i}::${shard}` : `${kind}://photos/${name}::${shard}`,
          `photos/${stem(name)}`,
          shard,
        ]),
      );
    }
  });

  it('leave out what is damaged, and shards that are not there', async () => {
    const first = Object.fromEntries(Object.entries(files).slice(0, 2));
    const shard = tarOf(join(folder, 'y-1.tar'), { 'lone.txt': 'text', ...first, 'z.jpg': 'text' });
    const cut = tarOf(join(folder, 'y-2.tar'), first);
    truncateSync(cut, 1200);
    const { rows, failures } = await captioned([join(folder, 'y-{0..2}.tar')]);
    expect(rows.map(({ key }) => key)).toEqual(Object.keys(first).map((name) => name.slice(0, -4)));
    expect(failures).toEqual([
      `${join(folder, 'y-0.tar')}: there is no such shard; check the name.`,
      `tar://lone.txt::${shard}: a text without a picture; no picture of this key is in the shard.`,
      `tar://z.jpg::${shard}: the file is text, not a JPEG, PNG, WebP, AVIF, HEIC, GIF, TIFF or BMP image.`,
      `${cut}: the tar is cut off at its start; fetch or write the shard again.`,
    ]);
  });

  it('are not counted, as that would read them', async () =>
    expect(await countInputs([join(folder, 'x.tar')])).toBeUndefined());

  it('have no place for a file beside them', () => {
    expect(placeless('tar://a.jpg::x.tar')).toBe('in a shard');
    expect(placeless('https://a/b.jpg')).toBe('from an address');
    expect(placeless('tar/a.jpg')).toBeUndefined();
  });

  it('go by their own name in a template', () =>
    expect(
      styled('a cat', { template: '{folder}/{name}: {caption}' }, 'tar://p/0.jpg::x.tar'),
    ).toBe('p/0: a cat'));
});
