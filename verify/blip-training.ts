/** BLIP's loss, gradients and optimizer steps against those that transformers and PyTorch give. */

import * as ops from '../src/engine/graph/ops.ts';
import { input, Session } from '../src/engine/index.ts';
import { type Tensor, tensor } from '../src/engine/runtime/tensor.ts';
import { visionTower } from '../src/model/blip.ts';
import type { BlipConfig } from '../src/model/config.ts';
import { crossKeyValues, languageHead, textDecoder } from '../src/model/decoder.ts';
import { hidden } from '../src/nn/layers.ts';
import { adamW } from '../src/nn/optimizers.ts';
import { ParameterStore } from '../src/nn/parameter-store.ts';
import { Scope } from '../src/nn/scope.ts';
import { Updater } from '../src/nn/updater.ts';
import { GradientSession } from '../src/train/objective/gradients.ts';
import { ignoredLabel, lossGraph, objectiveGraph } from '../src/train/objective/objective.ts';

/** A batch as transformers takes it. */
export interface TrainingBatch {
  readonly pixels: Tensor<'f32'>;
  /** i32 [images, length]. */
  readonly ids: Tensor<'i32'>;
  /** Labels that stand at their own position, as transformers' `labels`. */
  readonly labels: Int32Array;
  /** 1 for a word, 0 for padding. */
  readonly attentionMask: Int32Array;
}

/** Logits [images, length, vocabulary] under an attention mask, as `BlipForConditionalGeneration` gives them. */
export async function computeLogits(
  config: BlipConfig,
  feeds: Readonly<Record<string, Tensor>>,
  batch: TrainingBatch,
): Promise<Float32Array> {
  const { vision_config: vision, text_config: text } = config;
  const scope = new Scope();
  const pixels = input('pixels', 'f32', ['images', 3, vision.image_size, vision.image_size]);
  const ids = input('ids', 'i32', ['images', 1, 'length']);
  const attentionMask = input('attentionMask', 'f32', ['images', 1, 1, 'length']);
  const mask = ops.mul(ops.sub(1, attentionMask), hidden);
  const cross = crossKeyValues(scope, text, visionTower(scope, vision, pixels));
  const { states } = textDecoder(scope, text, { ids, cross, mask });
  using session = await Session.open({
    logits: languageHead(scope, text, states[states.length - 1]),
  });
  const [images, length] = batch.ids.shape;
  const result = await session.run({
    ...feeds,
    pixels: batch.pixels,
    ids: tensor('i32', [images, 1, length], batch.ids.data),
    attentionMask: tensor('f32', [images, 1, 1, length], Float32Array.from(batch.attentionMask)),
  });
  return Float32Array.from(result.logits.data as Float32Array);
}

/** The feeds of `lossGraph`: transformers' labels moved one place to the left. */
function lossFeeds({ pixels, ids, labels }: TrainingBatch) {
  const [images, length] = ids.shape;
  const shifted = new Int32Array(labels.length).fill(ignoredLabel);
  for (let image = 0; image < images; image++)
    for (let t = 0; t + 1 < length; t++)
      shifted[image * length + t] = labels[image * length + t + 1];
  return {
    pixels,
    ids: tensor('i32', [images, 1, length], ids.data),
    labels: tensor('i32', [images, 1, length], shifted),
  };
}

/** The loss of a batch. */
export async function computeLoss(
  config: BlipConfig,
  feeds: Readonly<Record<string, Tensor>>,
  batch: TrainingBatch,
  labelSmoothing: number,
): Promise<number> {
  const scope = new Scope();
  const options = { images: 'pixels', labelSmoothing, dropout: false } as const;
  using session = await Session.open({ loss: lossGraph(scope, config, options).loss });
  const { loss } = await session.run({ ...feeds, ...lossFeeds(batch) });
  return Number(loss.data[0]);
}

export interface AdamSteps {
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weight_decay: number;
  readonly clip_norm: number;
  readonly losses: readonly number[];
}

export interface TrainingRun {
  /** Gradients before the first step, by parameter. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
  readonly losses: readonly number[];
  /** Before clipping. */
  readonly gradientNorms: readonly number[];
  /** The weights afterwards. */
  readonly store: ParameterStore;
}

/** Takes as many AdamW steps on the batch as there are expected losses. */
export async function takeSteps(
  config: BlipConfig,
  weights: ParameterStore,
  batch: TrainingBatch,
  settings: AdamSteps,
): Promise<TrainingRun> {
  const scope = new Scope();
  const labelSmoothing = config.text_config.label_smoothing;
  // The trainer's own step, with both training-only layers left out.
  const graph = objectiveGraph(scope, config, {
    images: 'pixels',
    labelSmoothing,
    dropout: false,
    baseWeight: 0,
    distillationWeight: 0,
    distillationTemperature: 1,
    refinedGradient: 'whole',
  });
  // In this reference, decay applies to every parameter.
  const store = new ParameterStore(scope.parameters, () => 'decayed');
  for (const name of store.names) store.tensor(name).data.set(weights.tensor(name).data);
  const { betas, eps, lr, weight_decay: weightDecay, clip_norm: clip } = settings;
  const optimizer = adamW({ beta1: betas[0], beta2: betas[1], epsilon: eps });
  const flat = new Float32Array(store.trainable.length);
  using session = await GradientSession.open(scope, graph, store, flat, {});
  using updater = await Updater.open(optimizer, store);
  const feeds = lossFeeds(batch);
  const words = feeds.labels.data.filter((label) => Number(label) !== ignoredLabel).length;
  const share = tensor('f32', [], Float32Array.of(1 / words));
  const gradients = new Map<string, Float32Array>();
  const losses: number[] = [];
  const gradientNorms: number[] = [];
  for (let step = 1; step <= settings.losses.length; step++) {
    flat.fill(0);
    losses.push((await session.add({ ...feeds, share })).loss);
    if (step === 1)
      for (const name of store.names) gradients.set(name, store.viewOf(name, flat).data.slice());
    const norm = await updater.gradientNorm(flat);
    gradientNorms.push(norm);
    const gradientScale = Math.min(1, clip / (norm + 1e-6));
    await updater.apply(flat, { step, learningRate: lr, weightDecay, gradientScale });
  }
  return { gradients, losses, gradientNorms, store };
}
