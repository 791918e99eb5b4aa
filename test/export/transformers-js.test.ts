/** transformers.js, offline, writes refcap's greedy captions with an exported folder. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import {
  env,
  type ImageToTextPipeline,
  pipeline,
  RawImage,
  type Tensor,
} from '@huggingface/transformers';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Captioner } from '../../src/caption/captioner.ts';
import { exportModel } from '../../src/export/export.ts';
import { withStart } from '../../src/export/transformers-js.ts';
import { fixtures, repositoryRoot } from '../paths.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-transformers-js-'));
const tiny = join(fixtures, 'blip/tiny');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  env.allowRemoteModels = false;
  env.localModelPath = `${folder}/`;
});

async function open(out: string): Promise<ImageToTextPipeline> {
  return pipeline('image-to-text', basename(out));
}

const pictures = (from: string) =>
  readdirSync(from)
    .filter((name) => /\.(png|jpg)$/.test(name))
    .map((name) => join(from, name));

const photos = pictures(join(repositoryRoot, 'samples')).slice(0, 6);

describe('the tiny BLIP', () => {
  it.each([{}, { limit: 1000 }])(
    'gives the same text for pictures of its size: %j',
    async (given) => {
      const out = join(folder, `tiny-${Object.keys(given).length}`);
      await exportModel(tiny, out, given);
      const captioner = await open(out);
      using refcap = await Captioner.load(tiny, { threads: 1 });
      const paths = pictures(join(tiny, 'images'));
      const texts = new Set<string>();
      for (const path of paths) {
        const [{ generated_text: text }] = await captioner(path);
        expect(text).toBe((await refcap.caption(path)).caption);
        texts.add(text);
      }
      expect(texts.size).toBeGreaterThan(10);
      await captioner.dispose();
    },
  );
});

describe('the bundled model', () => {
  it('gives the same ids for the same pixels', async () => {
    const out = join(folder, 'small');
    await exportModel('refcap-small', out, { dtype: 'f16' });
    const captioner = await open(out);
    using refcap = await Captioner.load('refcap-small', { threads: 1 });
    for (const path of photos) {
      const { captions } = await refcap.caption(path, { num_beams: 1 });
      const { pixels } = await refcap.prepare(path);
      const { pixel_values: theirs } = await captioner.processor(await RawImage.read(path));
      theirs.data.set(pixels);
      const ids = (await captioner.model.generate({ inputs: theirs })) as Tensor;
      expect(ids.tolist()[0].map(Number)).toEqual(captions[0].ids);
    }
    await captioner.dispose();
  });

  it('is given pixels nearer to refcap by the filter that the folder names than by a bicubic one', async () => {
    const captioner = await open(join(folder, 'small'));
    using refcap = await Captioner.load('refcap-small', { threads: 1 });
    const processor = captioner.processor.image_processor;
    if (!processor) throw new Error('the pipeline has no image processor');
    const distance = async (resample: number): Promise<number> => {
      processor.resample = resample;
      let sum = 0;
      for (const path of photos) {
        const { pixels } = await refcap.prepare(path);
        const { pixel_values: theirs } = await captioner.processor(await RawImage.read(path));
        for (const [i, x] of pixels.entries()) sum += Math.abs(x - theirs.data[i]);
      }
      return sum;
    };
    expect(await distance(processor.resample)).toBeLessThan((await distance(3)) / 2);
    await captioner.dispose();
  });

  it('gives the same text for a picture that needs no resizing', async () => {
    const path = join(folder, 'square.png');
    await sharp(join(repositoryRoot, 'samples/dog-on-grass.jpg'))
      .resize(224, 224, { fit: 'fill' })
      .png()
      .toFile(path);
    using refcap = await Captioner.load('refcap-small', { threads: 1 });
    const captioner = await open(join(folder, 'small'));
    const [{ generated_text: text }] = await captioner(path);
    expect(text).toBe((await refcap.caption(path, { num_beams: 1 })).caption);
    await captioner.dispose();
  });
});

it('names [DEC] where the tokenizer does not know it', () => {
  const before = { added_tokens: [{ id: 3 }], model: {} };
  expect(withStart(before, 3, true)).toBe(before);
  expect(withStart(before, 3, false)).toBe(before);
  const { added_tokens } = withStart(before, 7, false);
  expect(added_tokens).toMatchObject([{ id: 3 }, { id: 7, content: '[DEC]', special: true }]);
});
