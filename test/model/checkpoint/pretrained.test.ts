import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/base/errors.ts';
import { loadModel, loadParameters } from '../../../src/model/checkpoint/pretrained.ts';
import { saveModel, storeWeights } from '../../../src/model/checkpoint/save.ts';
import { openWeights } from '../../../src/weights/open.ts';
import { writeSafetensors } from '../../../src/weights/safetensors/write.ts';
import type { WeightTensor } from '../../../src/weights/weight.ts';
import { fixtures } from '../../paths.ts';

const tiny = join(fixtures, 'blip/tiny');
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-pretrained-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function parametersOf(path: string) {
  await using model = await loadModel(path);
  return storeWeights(await loadParameters(model));
}

/** A copy of the tiny model whose weights `change` has edited. */
async function changed(change: (weights: Map<string, WeightTensor>) => void): Promise<string> {
  await cp(tiny, folder, { recursive: true });
  await rm(join(folder, 'pytorch_model.bin'));
  await using source = await openWeights(tiny);
  const weights = new Map<string, WeightTensor>();
  for (const name of source.tensors.keys()) weights.set(name, await source.read(name));
  change(weights);
  await writeSafetensors(join(folder, 'model.safetensors'), weights);
  return folder;
}

describe('loadModel', () => {
  it('reads the same weights from safetensors, an older .bin and the original .pth', async () => {
    const expected = await parametersOf(tiny);
    expect(expected.size).toBe(91);
    expect(await parametersOf(join(tiny, 'pytorch_model.bin'))).toEqual(expected);
    expect(await parametersOf(join(tiny, 'original.pth'))).toEqual(expected);
  });

  it('lists every missing, unexpected and wrongly shaped tensor in one error', async () => {
    const path = await changed((weights) => {
      weights.delete('vision_model.post_layernorm.bias');
      weights.delete('text_decoder.cls.predictions.bias');
      const table = weights.get('vision_model.embeddings.class_embedding');
      if (!table) throw new Error('the fixture has changed');
      weights.set('extra.one', table);
      weights.set('extra.two', table);
      weights.set('text_decoder.bert.embeddings.LayerNorm.bias', table);
    });
    await expect(loadModel(path)).rejects.toThrow(
      /model\.safetensors does not fit.*missing: vision_model\.post_layernorm\.bias, text_decoder\.cls\.predictions\.bias; unexpected: extra\.one, extra\.two; wrongly shaped: text_decoder\.bert\.embeddings\.LayerNorm\.bias is \[1, 1, 32\] and must be \[24\]/,
    );
  });

  it.each(['module.', '_orig_mod.module.', 'model._orig_mod.'])(
    'reads weights whose names begin with %s',
    async (prefix) => {
      const path = await changed((weights) => {
        for (const [name, weight] of [...weights]) {
          weights.delete(name);
          weights.set(prefix + name, weight);
        }
      });
      expect(await parametersOf(path)).toEqual(await parametersOf(tiny));
    },
  );

  it('names the first of many tensors, and all of them in the details', async () => {
    const path = await changed((weights) => {
      for (const name of weights.keys()) if (name.includes('.layers.')) weights.delete(name);
    });
    const error: unknown = await loadModel(path).catch((reason) => reason);
    if (!(error instanceof InputError)) throw error;
    expect(error.message).toMatch(
      /missing: (vision_model\S+, ){2}vision_model\S+ and 21 more \(--verbose/,
    );
    expect(error.message.length).toBeLessThan(500);
    expect(error.details).toHaveLength(24);
  });

  const renamed: [string, (name: string) => string | undefined, RegExp][] = [
    ['VQA', (name) => name, /question answering/],
    ['ITM', (name) => (name.startsWith('text_decoder') ? undefined : name), /image-text matching/],
    [
      'a tower',
      (name) => (name.startsWith('vision_model') ? name : undefined),
      /a vision tower alone/,
    ],
    [
      'another',
      (name) => name.replace(/^[^.]+/, 'decoder'),
      /none of its 9\d tensors is named as in/,
    ],
  ];
  it.each(renamed)(
    'says in one sentence that weights are those of %s',
    async (kind, rename, sentence) => {
      const path = await changed((weights) => {
        for (const [name, weight] of [...weights]) {
          weights.delete(name);
          const to = rename(name);
          if (to !== undefined) weights.set(to, weight);
          if (kind === 'VQA' || kind === 'ITM') weights.set(`text_encoder.${name}`, weight);
        }
      });
      const error: unknown = await loadModel(path).catch((reason) => reason);
      if (!(error instanceof InputError)) throw error;
      expect(error.message).toMatch(sentence);
      expect(error.message.length).toBeLessThan(400);
    },
  );

  it('refuses an output matrix that is not tied to the word embeddings', async () => {
    const path = await changed((weights) => {
      const words = weights.get('text_decoder.bert.embeddings.word_embeddings.weight');
      if (!words) throw new Error('the fixture has changed');
      const data = words.data.slice();
      data[2] ^= 1;
      weights.set('text_decoder.cls.predictions.decoder.weight', { ...words, data });
    });
    await expect(loadModel(path)).rejects.toThrow(/decoder\.weight' differs from .*ties the two/);
  });

  it('takes the output matrix where the word embeddings themselves are left out', async () => {
    const path = await changed((weights) => {
      const name = 'text_decoder.bert.embeddings.word_embeddings.weight';
      const words = weights.get(name);
      if (!words) throw new Error('the fixture has changed');
      weights.delete(name);
      weights.set('text_decoder.cls.predictions.decoder.weight', words);
    });
    expect(await parametersOf(path)).toEqual(await parametersOf(tiny));
  });

  it.each([
    [
      'config.json',
      '{"text_config": {"num_attention_heads": 5, "hidden_size": 24}}',
      /num_attention_heads \(5\) does not divide text_config\.hidden_size \(24\)/,
    ],
    ['config.json', '{', /config\.json: not valid JSON/],
    [
      'config.json',
      '{"model_type": "vision-encoder-decoder", "encoder": {}}',
      /config\.json: model_type is "vision-encoder-decoder", another family/,
    ],
    ['config.json', '{"num_classes": 1000}', /config\.json: this is not the config of a BLIP/],
    [
      'config.json',
      '{"vision_config": {"hidden_act": "quick_gelu"}}',
      /config\.json: vision_config\.hidden_act: /,
    ],
    [
      'config.json',
      '{"vision_config": {"model_type": "blip_2_vision_model"}}',
      /config\.json: vision_config\.model_type: .*blip_vision_model/,
    ],
    [
      'vocab.txt',
      `[PAD]\n[UNK]\n[CLS]\n[SEP]\n${Array.from({ length: 200 }, (_, i) => `w${i}`).join('\n')}`,
      /the vocabulary does not fit the embedding/,
    ],
    ['generation_config.json', '{"num_beams": 0}', /generation_config\.json: num_beams/],
    ['preprocessor_config.json', '{"size": 64}', /64 x 64, but vision_config\.image_size .* is 48/],
  ])('names the file and the fault of a wrong %s', async (file, text, message) => {
    await cp(tiny, folder, { recursive: true });
    if (file === 'vocab.txt') await rm(join(folder, 'tokenizer.json'));
    await writeFile(join(folder, file), text);
    await expect(loadModel(folder)).rejects.toThrow(message);
  });

  it('says when there is no model, no config or no weights', async () => {
    await expect(loadModel(join(folder, 'none'))).rejects.toThrow(/no such model/);
    await expect(loadModel(folder)).rejects.toThrow(/this folder is empty/);
    await cp(tiny, folder, { recursive: true });
    for (const file of await readdir(folder))
      if (/\.(safetensors|bin|pth)$/.test(file)) await rm(join(folder, file));
    await expect(loadModel(folder)).rejects.toThrow(/without weights/);
  });
});

describe('folders that hold no model', () => {
  const make = async (...names: string[]) => {
    for (const name of names) {
      await mkdir(join(folder, name, '..'), { recursive: true });
      await writeFile(join(folder, name), '{}');
    }
  };
  it.each([
    [
      ['config.json', 'metrics.jsonl', 'best/config.json'],
      /a training run; its model is .*best\.$/,
    ],
    [['config.json', 'checkpoints/x'], /interrupted before it saved a model/],
    [['results.json', 'captions.jsonl'], /an evaluation and holds no model/],
    [['a.jpg', 'b.png'], /a folder of pictures and no model/],
    [['00000.tar'], /a dataset and no model/],
    [['model_index.json'], /a pipeline of diffusers/],
    [['adapter_config.json'], /without its weights/],
    [['model_base.pth'], /there is no config\.json; a model's config\.json and its tokenizer must/],
    [
      ['checkpoint-1000/config.json', 'checkpoint-500/config.json'],
      /models in .*checkpoint-500, .*checkpoint-1000; name one\.$/,
    ],
    [['notes.txt'], /no config\.json, so this is no model folder/],
  ])('%j', async (names, sentence) => {
    await make(...names);
    await expect(loadModel(folder)).rejects.toThrow(sentence);
    await expect(loadModel(folder)).rejects.toThrow(InputError);
  });

  it('a weight file alone', async () => {
    const path = join(folder, 'model_base.pth');
    await cp(join(tiny, 'original.pth'), path);
    await expect(loadModel(path)).rejects.toThrow(
      /model_base\.pth: there is no config\.json beside it; .*copy both/,
    );
  });
});

describe('saveModel', () => {
  async function save(dtype: 'f32' | 'f16' | 'bf16', overwrite = false): Promise<string> {
    const target = join(folder, 'saved');
    await using model = await loadModel(tiny);
    const { config, configJson, preprocessing, generation } = model;
    const tokenizer = { folder: model.folder };
    const weights = model.weights.lazy();
    await saveModel(
      target,
      { config, configJson, preprocessing, generation, tokenizer, weights, dtype },
      { overwrite },
    );
    return target;
  }

  it('writes what it reads again, to the bit', async () => {
    expect(await parametersOf(await save('f32'))).toEqual(await parametersOf(tiny));
  });

  it.each([
    ['f16', 2 ** -11],
    ['bf16', 2 ** -8],
  ] as const)('rounds to %s', async (dtype, bound) => {
    const target = await save(dtype);
    const saved = await loadModel(target);
    await using _ = saved;
    await using original = await loadModel(tiny);
    for (const name of original.weights.tensors.keys()) {
      expect(saved.weights.tensors.get(name)?.dtype).toBe(dtype);
      const values = await saved.weights.readFloat32(name);
      for (const [i, x] of (await original.weights.readFloat32(name)).entries())
        expect(Math.abs(values[i] - x)).toBeLessThanOrEqual(Math.abs(x) * bound + 6e-8);
    }
  });

  it('replaces a model only when asked, keeps other files, and leaves nothing behind', async () => {
    const target = await save('f32');
    await writeFile(join(target, 'README.md'), 'mine');
    await expect(save('f32')).rejects.toThrow(/exists and is not empty/);
    await save('f16', true);
    expect(await readFile(join(target, 'README.md'), 'utf8')).toBe('mine');
    expect(await readdir(folder)).toEqual(['saved']);
  });

  it('never replaces a run of refcap, nor what is no model', async () => {
    const target = join(folder, 'saved');
    for (const mark of ['metrics.jsonl', 'results.json', 'ablation-config.json']) {
      await mkdir(target);
      await writeFile(join(target, 'config.json'), '{}');
      await writeFile(join(target, mark), 'mine');
      await expect(save('f32', true)).rejects.toThrow(
        /this is an? [a-z ]+, which is not overwritten/,
      );
      expect((await readdir(target)).sort()).toEqual(['config.json', mark].sort());
      await rm(target, { recursive: true });
    }
    await writeFile(target, 'a file');
    await expect(save('f32', true)).rejects.toThrow(/saved: this is not a folder/);
  });

  it('writes the fields that Python expects to be floats as such', async () => {
    const text = await readFile(join(await save('f32'), 'config.json'), 'utf8');
    expect(text).toContain('"label_smoothing": 0.0');
    expect(JSON.parse(text)).toMatchObject({
      architectures: ['BlipForConditionalGeneration'],
      model_type: 'blip',
      text_config: { model_type: 'blip_text_model', vocab_size: 182, eos_token_id: 2 },
      vision_config: { model_type: 'blip_vision_model', hidden_size: 32 },
    });
  });
});
