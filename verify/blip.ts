/** Checks a BLIP checkpoint against what transformers made of it: `npm run verify -- blip DIR`. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { createPreprocessor, decodeImage } from '../src/data/index.ts';
import { tensor } from '../src/engine/runtime/tensor.ts';
import { generate } from '../src/generation/generate.ts';
import { type EncodedImages, Inference } from '../src/generation/inference.ts';
import { resolveGeneration } from '../src/generation/options.ts';
import {
  loadModel,
  loadParameters,
  type PretrainedModel,
} from '../src/model/checkpoint/pretrained.ts';
import { openWeights } from '../src/weights/open.ts';
import type { WeightSource } from '../src/weights/weight.ts';
import { computeLogits, computeLoss, type TrainingBatch, takeSteps } from './blip-training.ts';
import { Checks } from './checks.ts';

const runSchema = z.object({
  options: z.looseObject({ prompt: z.string().optional() }),
  ids: z.array(z.array(z.int())),
  texts: z.array(z.string()),
  prompt_ids: z.array(z.int()).optional(),
  token_logprobs: z.array(z.array(z.number())).optional(),
  sequences_scores: z.array(z.number()).optional(),
});

const expectedSchema = z.looseObject({
  images: z.array(z.string()),
  loss: z.number(),
  generate: z.record(z.string(), runSchema),
  adamw: z.object({
    lr: z.number(),
    betas: z.tuple([z.number(), z.number()]),
    eps: z.number(),
    weight_decay: z.number(),
    clip_norm: z.number(),
    losses: z.array(z.number()),
    grad_norms: z.array(z.number()),
  }),
});

type Expected = z.infer<typeof expectedSchema>;

/** Runs all checks on DIR and prints their table. @returns 0 if all agree */
export async function run(args: readonly string[]): Promise<number> {
  if (args.length !== 1) {
    console.error('Usage: npm run verify -- blip DIR');
    return 2;
  }
  return (await verify(args[0])) ? 0 : 1;
}

/** All checks on a folder with config, weights, expected.json and expected.safetensors. */
export async function verify(folder: string): Promise<boolean> {
  const expected = expectedSchema.parse(
    JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8')),
  );
  await using model = await loadModel(folder);
  await using values = await openWeights(join(folder, 'expected.safetensors'));
  const checks = new Checks();
  await checkOtherFiles(checks, folder, model);
  await checkPixels(checks, folder, model, expected, values);
  await checkTraining(checks, model, expected, values);
  await checkLarger(checks, folder, values);
  await checkGeneration(checks, model, expected, values);
  return checks.report();
}

/** The same weights in other layouts must be the same. */
async function checkOtherFiles(
  checks: Checks,
  folder: string,
  model: PretrainedModel,
): Promise<void> {
  const reference = await loadParameters(model);
  for (const name of ['pytorch_model.bin', 'original.pth']) {
    const path = join(folder, name);
    const isThere = await stat(path).then(
      () => true,
      () => false,
    );
    if (!isThere || model.weights.path === path) continue;
    try {
      await using other = await loadModel(path);
      const store = await loadParameters(other);
      checks.numbers(
        `weights of ${name}`,
        reference.names.map((n) => [n, store.tensor(n).data, reference.tensor(n).data]),
        { absolute: 0 },
      );
    } catch (error) {
      checks.failed(`weights of ${name}`, error);
    }
  }
}

/** The pictures themselves through decoding and preprocessing. */
async function checkPixels(
  checks: Checks,
  folder: string,
  model: PretrainedModel,
  { images }: Expected,
  values: WeightSource,
): Promise<void> {
  const preprocessor = createPreprocessor(model.preprocessing);
  const pixels = await values.readFloat32('all_pixel_values');
  const size = preprocessor.valuesPerImage;
  const pairs: [string, Float32Array, Float32Array][] = [];
  for (const [i, name] of images.entries()) {
    const computed = new Float32Array(size);
    preprocessor.write(await decodeImage(join(folder, 'images', name)), computed);
    pairs.push([name, computed, pixels.subarray(i * size, (i + 1) * size)]);
  }
  checks.numbers('pixel values', pairs, { absolute: 1e-6 });
}

async function readBatch(values: WeightSource): Promise<TrainingBatch> {
  const read = async (name: string) => ({
    shape: values.tensors.get(name)?.shape ?? [],
    data: await values.readFloat32(name),
  });
  const pixels = await read('pixel_values');
  const ids = await read('input_ids');
  return {
    pixels: tensor('f32', pixels.shape, pixels.data),
    ids: tensor('i32', ids.shape, Int32Array.from(ids.data)),
    labels: Int32Array.from((await read('labels')).data),
    attentionMask: Int32Array.from((await read('attention_mask')).data),
  };
}

async function checkTraining(
  checks: Checks,
  model: PretrainedModel,
  expected: Expected,
  values: WeightSource,
): Promise<void> {
  const { config } = model;
  const store = await loadParameters(model);
  const feeds = store.feeds();
  const batch = await readBatch(values);
  const logits = await computeLogits(config, feeds, batch);
  const wanted = await values.readFloat32('logits');
  checks.numbers('logits', [['logits', logits, wanted]], { absolute: 2e-5 });

  const losses: [string, number[], number[]][] = [];
  for (const [name, value] of Object.entries(expected)) {
    if (typeof value !== 'number' || !name.startsWith('loss')) continue;
    const smoothing = /^loss_label_smoothing_(.+)$/.exec(name);
    const ignored = /^loss_first_(\d+)_labels_ignored$/.exec(name);
    const labels = ignored ? ignoreFirst(batch, Number(ignored[1])) : batch.labels;
    const rate = smoothing ? Number(smoothing[1]) : config.text_config.label_smoothing;
    losses.push([name, [await computeLoss(config, feeds, { ...batch, labels }, rate)], [value]]);
  }
  checks.numbers('loss', losses, { absolute: 1e-6, relative: 1e-6 });

  const result = await takeSteps(config, store, batch, expected.adamw);
  const { names } = store;
  const read = async (prefix: string, computed: (name: string) => Float32Array) => {
    const pairs: [string, Float32Array, Float32Array][] = [];
    for (const name of names)
      pairs.push([name, computed(name), await values.readFloat32(`${prefix}.${name}`)]);
    return pairs;
  };
  const none = new Float32Array();
  const gradients = await read('grad', (name) => result.gradients.get(name) ?? none);
  checks.numbers('gradients', gradients, { absolute: 1e-6, relative: 1e-3 });
  const { losses: adamLosses, grad_norms: norms } = expected.adamw;
  checks.numbers(
    'losses and norms of AdamW steps',
    [
      ['losses', result.losses, adamLosses],
      ['norms', result.gradientNorms, norms],
    ],
    { absolute: 1e-5, relative: 1e-5 },
  );
  const after = await read('after_adamw', (name) => result.store.tensor(name).data);
  checks.numbers('parameters after AdamW', after, { absolute: 5e-5 });
}

/** Labels whose first `count` of each row do not count. */
function ignoreFirst({ labels, ids }: TrainingBatch, count: number): Int32Array {
  const length = ids.shape[1];
  return labels.map((label, i) => (i % length < count ? -100 : label));
}

/** A larger image through interpolated position embeddings. */
async function checkLarger(checks: Checks, folder: string, values: WeightSource): Promise<void> {
  const shape = values.tensors.get('larger_pixel_values')?.shape;
  if (!shape) return;
  try {
    await using model = await loadModel(folder, { imageSize: shape[2] });
    using inference = await Inference.open(model.config, model.weights);
    const pixels = tensor('f32', shape, await values.readFloat32('larger_pixel_values'));
    const { tokens } = await inference.encode(pixels);
    const wanted = await values.readFloat32('larger_image_embeds');
    const computed = tokens.data as Float32Array;
    checks.numbers('larger image', [['larger_image_embeds', computed, wanted]], { absolute: 1e-4 });
  } catch (error) {
    checks.failed('larger image', error);
  }
}

async function checkGeneration(
  checks: Checks,
  model: PretrainedModel,
  expected: Expected,
  values: WeightSource,
): Promise<void> {
  using inference = await Inference.open(model.config, model.weights);
  const shape = values.tensors.get('all_pixel_values')?.shape ?? [];
  const encoded = await inference.encode(
    tensor('f32', shape, await values.readFloat32('all_pixel_values')),
  );
  const wanted = await values.readFloat32('image_embeds');
  const computed = (encoded.tokens.data as Float32Array).subarray(0, wanted.length);
  checks.numbers('image embeddings', [['image_embeds', computed, wanted]], { absolute: 2e-5 });
  for (const [name, reference] of Object.entries(expected.generate)) {
    try {
      await checkRun(checks, name, reference, model, inference, encoded);
    } catch (error) {
      checks.failed(name, error);
    }
  }
}

async function checkRun(
  checks: Checks,
  name: string,
  reference: z.infer<typeof runSchema>,
  model: PretrainedModel,
  inference: Inference,
  encoded: EncodedImages,
): Promise<void> {
  const { prompt: text = '', ...options } = reference.options;
  const { text_config: config } = model.config;
  const { tokenizer } = model;
  const prompt = [config.bos_token_id, ...tokenizer.encode(text, { specialTokens: false })];
  const settings = resolveGeneration(options, model.generation);
  const rows = (await generate(inference.decode(encoded), settings, { config, prompt })).flat();
  // The reference fills rows up with padding, or with the end.
  const fills = new Set([config.pad_token_id, config.sep_token_id]);
  const cut = (ids: readonly number[], i: number): number[] => {
    const rest = ids.slice(rows[i]?.ids.length ?? 0);
    return rest.every((id) => fills.has(id)) ? ids.slice(0, rows[i]?.ids.length) : [...ids];
  };
  checks.equal(
    `${name}: ids`,
    reference.ids.map((ids, i) => [`row ${i}`, rows[i]?.ids, cut(ids, i)]),
  );
  checks.equal(
    `${name}: texts`,
    reference.texts.map((t, i) => [`row ${i}`, tokenizer.decode(rows[i]?.ids ?? []), t]),
  );
  const { token_logprobs: logprobs, sequences_scores: scores } = reference;
  if (logprobs)
    checks.numbers(
      `${name}: log-probabilities`,
      rows.map((row, i) => [`row ${i}`, row.logprobs, logprobs[i].slice(0, row.logprobs.length)]),
      { absolute: 2e-5 },
    );
  if (scores)
    checks.numbers(
      `${name}: scores`,
      rows.map((row, i) => [`row ${i}`, [row.score ?? Number.NaN], [scores[i]]]),
      { absolute: 2e-5, relative: 1e-6 },
    );
}
