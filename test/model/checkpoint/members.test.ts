/** Models that write together: against their own probabilities, and what a folder of members may hold. */
import { cp, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { Captioner, type CaptionOptions } from '../../../src/caption/index.ts';
import { tensor } from '../../../src/engine/runtime/tensor.ts';
import { Inference } from '../../../src/generation/inference.ts';
import { Ensemble } from '../../../src/generation/members.ts';
import { convertModel } from '../../../src/model/checkpoint/convert.ts';
import { memberFolders } from '../../../src/model/checkpoint/members.ts';
import { loadModel, loadParameters } from '../../../src/model/checkpoint/pretrained.ts';
import { saveModel, storeWeights } from '../../../src/model/checkpoint/save.ts';
import { openWeights } from '../../../src/weights/open.ts';
import { fixtures } from '../../paths.ts';

const tiny = join(fixtures, 'blip/tiny');
let folder = '';
let files: string[];

/** tiny with noise on its weights. */
async function writeOther(target: string): Promise<void> {
  await using model = await loadModel(tiny);
  const store = await loadParameters(model);
  const random = createRandom(5);
  for (let i = 0; i < store.trainable.length; i++) store.trainable[i] *= 1 + 0.3 * random.normal();
  const { config, preprocessing, generation } = model;
  await saveModel(target, {
    config,
    preprocessing,
    generation,
    weights: storeWeights(store),
    tokenizer: { folder: tiny },
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-members-'));
  files = (await readdir(join(tiny, 'images'))).sort().map((name) => join(tiny, 'images', name));
  await writeOther(join(folder, 'other'));
  for (const [name, first, second] of [
    ['twice', tiny, tiny],
    ['ab', tiny, join(folder, 'other')],
    ['ba', join(folder, 'other'), tiny],
  ]) {
    await cp(first, join(folder, name), { recursive: true });
    await cp(second, join(folder, name, 'member-2'), { recursive: true });
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const settings: CaptionOptions[] = [
  {},
  { num_beams: 4, num_return_sequences: 3 },
  { do_sample: true, seed: 7, top_p: 0.9 },
];

async function captions(model: string, options: CaptionOptions, members?: number) {
  using captioner = await Captioner.load(model, {
    threads: 1,
    ...(members !== undefined && { members }),
  });
  const all = await captioner.captionAll(files, options);
  return all.flatMap(({ captions: found }) =>
    found.map(({ ids, logprob }) => ({ ids, logprob: Number(logprob.toFixed(4)) })),
  );
}

describe('members', () => {
  it('give the mean of their probabilities', async () => {
    await using a = await loadModel(tiny);
    await using b = await loadModel(join(folder, 'other'));
    const first = await Inference.open(a.config, a.weights, { threads: 1 });
    const second = await Inference.open(b.config, b.weights, { threads: 1 });
    using together = new Ensemble([first, second]);
    await using values = await openWeights(join(tiny, 'expected.safetensors'));
    const pixels = tensor('f32', [6, 3, 48, 48], await values.readFloat32('pixel_values'));
    const decoders = [
      together.decode(await together.encode(pixels)),
      first.decode(await first.encode(pixels)),
      second.decode(await second.encode(pixels)),
    ];
    for (const ids of [[180], [12], [104]]) {
      const [mean, ...own] = await Promise.all(
        decoders.map((decoder) =>
          decoder.step(
            Int32Array.from({ length: 6 }, () => ids[0]),
            1,
          ),
        ),
      );
      const words = mean.logits.length / 6;
      let apart = 0;
      for (const [i, logit] of mean.logits.entries()) {
        const row = Math.floor(i / words);
        const [p, q] = own.map((scores) => Math.exp(scores.logits[i] - scores.normalizer[row]));
        expect(Math.abs(Math.exp(logit - mean.normalizer[row]) - (p + q) / 2)).toBeLessThan(1e-6);
        apart = Math.max(apart, Math.abs(p - q));
      }
      expect(apart).toBeGreaterThan(0.01);
      for (const decoder of decoders) decoder.select([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]);
    }
  });

  it.each(settings)('write what one writes when they are the same, %j', async (options) => {
    expect(await captions(join(folder, 'twice'), options)).toEqual(await captions(tiny, options));
  });

  it.each(settings)('write the same in either order, %j', async (options) => {
    const joint = await captions(join(folder, 'ab'), options);
    expect(await captions(join(folder, 'ba'), options)).toEqual(joint);
    expect(joint).not.toEqual(await captions(tiny, options));
  });

  it('may be left out', async () => {
    expect(await captions(join(folder, 'ab'), {}, 1)).toEqual(await captions(tiny, {}));
    // One weight file is one model.
    const file = join(folder, 'ab/model.safetensors');
    expect(await captions(file, {})).toEqual(await captions(tiny, {}));
    await expect(captions(file, {}, 2)).rejects.toThrow(
      /members \(2\): .*model\.safetensors has one/,
    );
    await expect(captions(join(folder, 'ab'), {}, 3)).rejects.toThrow(
      /members \(3\): .*ab has 2, so 1 to 2 can write together/,
    );
    await expect(captions(tiny, {}, 2)).rejects.toThrow(/members \(2\): .*tiny has one/);
  });

  it('are converted with the first', async () => {
    const { values } = await convertModel(join(folder, 'ab'), join(folder, 'converted'));
    const { values: one } = await convertModel(tiny, join(folder, 'alone'));
    expect(values).toBe(2 * one);
    expect(await captions(join(folder, 'converted'), {})).toEqual(
      await captions(join(folder, 'ab'), {}),
    );
  });

  it('are replaced with the model, which appears whole or not at all', async () => {
    const target = join(folder, 'replaced');
    await cp(join(folder, 'ab'), target, { recursive: true });
    await writeFile(join(target, 'notes.txt'), 'mine');
    const overwrite = { overwrite: true };
    // Into itself: read while it is written.
    await convertModel(target, target, overwrite);
    expect(await captions(target, {})).toEqual(await captions(join(folder, 'ab'), {}));
    // A model of one member leaves none of the old one's.
    await convertModel(tiny, target, overwrite);
    expect(await captions(target, {})).toEqual(await captions(tiny, {}));
    expect(await readdir(target)).toContain('notes.txt');
    expect(await readdir(target)).not.toContain('member-2');
    // A member that cannot be read: nothing is made of the ones before it.
    const broken = join(folder, 'broken');
    await cp(join(folder, 'ab'), broken, { recursive: true });
    await writeFile(join(broken, 'member-2/config.json'), '{');
    await expect(convertModel(broken, join(folder, 'none'))).rejects.toThrow(
      /member-2.config\.json/,
    );
    await expect(convertModel(broken, target, overwrite)).rejects.toThrow(/member-2.config\.json/);
    expect(await captions(target, {})).toEqual(await captions(tiny, {}));
    const signal = AbortSignal.abort();
    await expect(convertModel(tiny, join(folder, 'none'), { signal })).rejects.toThrow(/abort/);
    const left = await readdir(folder);
    expect(left.filter((name) => name === 'none' || name.endsWith('.tmp'))).toEqual([]);
  });

  it('have the same words and no gaps in their numbers', async () => {
    const wrong = join(folder, 'wrong');
    await cp(join(folder, 'ab'), wrong, { recursive: true });
    await rename(join(wrong, 'member-2'), join(wrong, 'member-3'));
    await expect(memberFolders(wrong)).rejects.toThrow(/member-3 but no member-2/);
    await rename(join(wrong, 'member-3'), join(wrong, 'member-2'));
    const preprocessing = join(wrong, 'member-2/preprocessor_config.json');
    const before = await loadModel(wrong);
    await before[Symbol.asyncDispose]();
    await writeFile(
      preprocessing,
      JSON.stringify({ size: { height: 48, width: 48 }, image_mean: [0, 0, 0] }),
    );
    await expect(captions(wrong, {})).rejects.toThrow(/member-2: its preprocessing differs/);
  });
});
