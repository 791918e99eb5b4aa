/** LoRA adapters of PEFT beside their base model: what merge_and_unload gives, by its formula in f64. */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { convertModel } from '../../../src/model/checkpoint/convert.ts';
import { hashWeights } from '../../../src/model/checkpoint/hash.ts';
import { loadModel, loadParameters } from '../../../src/model/checkpoint/pretrained.ts';
import { writeSafetensors } from '../../../src/weights/safetensors/write.ts';
import { fromFloat32, type WeightTensor } from '../../../src/weights/weight.ts';
import { fixtures } from '../../paths.ts';

const tiny = join(fixtures, 'blip/tiny');
const query = 'text_decoder.bert.encoder.layer.0.attention.self.query';
const value = 'text_decoder.bert.encoder.layer.1.attention.self.value';
const patches = 'vision_model.embeddings.patch_embedding';
let root: string;
let folder: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'refcap-adapter-'));
  folder = join(root, 'adapter');
  await mkdir(folder);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const random = createRandom(3);
const noise = (...shape: number[]): WeightTensor => {
  const count = shape.reduce((a, b) => a * b);
  return fromFloat32(
    Float32Array.from({ length: count }, () => random.normal()),
    shape,
  );
};
const floats = ({ data }: WeightTensor) =>
  new Float32Array(data.buffer, data.byteOffset, data.length / 4);

async function write(config: object, weights: Record<string, WeightTensor>): Promise<void> {
  const json = { peft_type: 'LORA', base_model_name_or_path: tiny, r: 4, lora_alpha: 8, ...config };
  await writeFile(join(folder, 'adapter_config.json'), JSON.stringify(json));
  const named = Object.entries(weights).map(
    ([name, w]) => [`base_model.model.${name}`, w] as const,
  );
  await writeSafetensors(join(folder, 'adapter_model.safetensors'), named);
}
const lora = (module: string, a: WeightTensor, b: WeightTensor) => ({
  [`${module}.lora_A.weight`]: a,
  [`${module}.lora_B.weight`]: b,
});
async function weightOf(path: string, name: string, base?: string): Promise<Float32Array> {
  await using model = await loadModel(path, { hub: { base, offline: true } });
  return (await loadParameters(model)).tensor(name).data;
}

/** W + scaling B A, in f64. */
function merged(w: Float32Array, a: WeightTensor, b: WeightTensor, scaling: number): number[] {
  const [rank] = a.shape;
  const columns = floats(a).length / rank;
  return Array.from(w, (x, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    let sum = 0;
    for (let k = 0; k < rank; k++)
      sum += floats(b)[row * rank + k] * floats(a)[k * columns + column];
    return x + scaling * sum;
  });
}

describe('an adapter', () => {
  it.each([
    [{}, 4, 2],
    [{ use_rslora: true }, 4, 4],
    [{ r: 2, lora_alpha: 3 }, 2, 1.5],
    [{ rank_pattern: { query: 8 } }, 8, 1],
    [{ alpha_pattern: { 'layer.0.attention.self.query': 20 } }, 4, 5],
    [{ alpha_pattern: { ery: 20 }, bias: 'none', fan_in_fan_out: false }, 4, 2],
  ])('with %j is merged into its base', async (config, rank, scaling) => {
    const [a, b] = [noise(rank, 24), noise(24, rank)];
    await write(config, lora(query, a, b));
    const before = await weightOf(tiny, `${query}.weight`);
    const after = await weightOf(folder, `${query}.weight`);
    const wanted = merged(before, a, b, scaling);
    for (const [i, x] of after.entries()) expect(Math.abs(x - wanted[i])).toBeLessThan(1e-5);
    expect(Math.max(...after.map((x, i) => Math.abs(x - before[i])))).toBeGreaterThan(0.1);
    expect(await weightOf(folder, `${value}.weight`)).toEqual(
      await weightOf(tiny, `${value}.weight`),
    );
  });

  it('adapts convolutions, and replaces biases and whole modules', async () => {
    const [a, b, bias] = [noise(4, 3, 16, 16), noise(32, 4, 1, 1), noise(24)];
    const norm = 'text_decoder.bert.embeddings.LayerNorm.weight';
    await write(
      { bias: 'all', modules_to_save: ['LayerNorm'] },
      { ...lora(patches, a, b), [`${query}.base_layer.bias`]: bias, [norm]: bias },
    );
    const wanted = merged(await weightOf(tiny, `${patches}.weight`), a, b, 2);
    for (const [i, x] of (await weightOf(folder, `${patches}.weight`)).entries())
      expect(Math.abs(x - wanted[i])).toBeLessThan(1e-5);
    expect(await weightOf(folder, `${query}.bias`)).toEqual(floats(bias));
    expect(await weightOf(folder, norm)).toEqual(floats(bias));
  });

  it('is found beside its base, takes --base in its place, and is converted to a model of its own', async () => {
    await cp(tiny, join(folder, 'base'), { recursive: true });
    await write({ base_model_name_or_path: 'base' }, lora(query, noise(4, 24), noise(24, 4)));
    const merged = await weightOf(folder, `${query}.weight`);
    await write({ base_model_name_or_path: null }, {});
    await expect(loadModel(folder)).rejects.toThrow(/base_model_name_or_path is empty.*--base/);
    await write({ base_model_name_or_path: 'base' }, lora(query, noise(4, 24), noise(24, 4)));
    expect(await weightOf(folder, `${query}.weight`, tiny)).not.toEqual(merged);
    const target = join(root, 'whole');
    await convertModel(folder, target);
    await using adapted = await loadModel(folder);
    await using whole = await loadModel(target);
    expect(await hashWeights(whole.weights)).toBe(await hashWeights(adapted.weights));
  });

  it.each<[object, Record<string, WeightTensor>, RegExp]>([
    [{ peft_type: 'IA3' }, {}, /peft_type is IA3, and LORA alone is read; merge it in Python/],
    [{ use_dora: true }, {}, /adapter_config\.json: use_dora is not read; merge/],
    [{ init_lora_weights: 'pissa_niter_4' }, {}, /init_lora_weights is pissa_niter_4/],
    [{ r: 'four' }, {}, /adapter_config\.json: r: /],
    [{ rank_pattern: { '(': 2 } }, lora(query, noise(4, 24), noise(24, 4)), /"\(" is no regular/],
    [{}, lora(query, noise(8, 24), noise(24, 8)), /do not fit rank 4 and a weight \[24, 24\]/],
    [{}, { [`${query}.lora_A.weight`]: noise(4, 24) }, /there is lora_A alone/],
    [{}, lora('model.layers.0.q_proj', noise(4, 24), noise(24, 4)), /layers.0.q_proj.*--base/],
    [
      {},
      lora('text_decoder.cls.predictions.decoder', noise(4, 24), noise(182, 4)),
      /uses twice, for words in and words out, and merged it would change both; train without it/,
    ],
    [
      {},
      {
        'text_decoder.bert.embeddings.position_embeddings.lora_embedding_A': noise(4, 40),
        'text_decoder.bert.embeddings.position_embeddings.lora_embedding_B': noise(24, 4),
      },
      /position_embeddings\.lora_embedding_A adapts an embedding, which is not read; merge it in/,
    ],
    [
      { base_model_name_or_path: '/none/base' },
      {},
      /a LoRA adapter of "\/none\/base", which cannot be had/,
    ],
  ])('is refused in one sentence: %j', async (config, weights, sentence) => {
    await write(config, weights);
    await expect(loadModel(folder, { hub: { offline: true } })).rejects.toThrow(sentence);
  });
});
