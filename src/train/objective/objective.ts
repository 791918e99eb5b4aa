/** What training minimises, as a graph: from pixels (or cached image tokens) and captions to a loss and its gradients. */

import { gradients } from '../../engine/graph/gradient.ts';
import { constant, input, type Value } from '../../engine/graph/graph.ts';
import * as ops from '../../engine/graph/ops.ts';
import { multiplyDims } from '../../engine/graph/shape.ts';
import { imageInput } from '../../model/blip.ts';
import type { BlipConfig, VisionConfig } from '../../model/config.ts';
import { crossKeyValues, languageHead, textDecoder } from '../../model/decoder.ts';
import { contrastiveLoss, groundingLoss } from '../../model/refiner/alignment.ts';
import { type RefinerConfig, refine, refinerCross } from '../../model/refiner/refiner.ts';
import { towerOf } from '../../model/towers/towers.ts';
import { channelDropout, noDropout, seededDropout } from '../../nn/dropout.ts';
import { hidden } from '../../nn/layers.ts';
import { type CountedLoss, crossEntropy, klDivergence } from '../../nn/losses.ts';
import type { Scope } from '../../nn/scope.ts';
import { scorerLoss } from './scorers.ts';

const { add, mul, reshape } = ops;

/** The label of a position that does not count. */
export const ignoredLabel = -100;

export interface LossOptions {
  /** Where the images enter: as pixels, as the tokens that a frozen tower gave (f16), or not at all. */
  readonly images: 'pixels' | 'tokens' | 'none';
  /** Frames of a clip that are read as one image. Default 1. */
  readonly frames?: number;
  /** Whether a model's concepts are computed from the images (default) or fed. */
  readonly concepts?: 'computed' | 'given';
  /** Of such tokens. Default f16. */
  readonly tokensDtype?: 'f16' | 'f32';
  readonly labelSmoothing: number;
  /** Whether dropout is drawn (the config's rates), from the input `dropoutSeed`. */
  readonly dropout: boolean;
  /**
   * Share of the channels of an image's tokens that are left out, in all its tokens and for all its captions
   * (spatial dropout, Tompson et al. 2015). Default 0.
   */
  readonly imageDropout?: number;
}

/**
 * How captions were drawn. Their likelihoods are those of the distribution that they were drawn from: where a
 * word that is never drawn kept a probability, the gradient would move all of it there.
 */
export interface DrawnFrom {
  /** Logits were divided by it. */
  readonly temperature: number;
  /** Ids that are never drawn. */
  readonly suppressed: readonly number[];
}

export interface ObjectiveOptions extends LossOptions {
  /** The training-only layers; without them the base path alone is trained. */
  readonly refiner?: RefinerConfig;
  /** lambda: weight of the base path's cross-entropy beside the refined one's. */
  readonly baseWeight: number;
  /** mu: weight of KL(stopGradient(refined) || base). */
  readonly distillationWeight: number;
  /** Both distributions of the distillation are taken at this temperature, and the term times its square. */
  readonly distillationTemperature: number;
  /** Whether the refined path's losses train the decoder and tower under the layers too, or the layers and the head alone. */
  readonly refinedGradient: 'whole' | 'layers';
  /** Weight of the loss that draws the alignment layer's attention into people's boxes; 0 or left out: none. */
  readonly groundingWeight?: number;
  /** Weight of the loss of what scores concepts, which a tower in training would leave behind; 0 or left out: none. */
  readonly scorerWeight?: number;
  /** Each caption's negative log-likelihood is weighted by the input `advantages` f32 [images, captions]. */
  readonly advantages?: DrawnFrom;
}

/** The parts of the objective, each summed over what it counts. */
export interface ObjectiveOutputs {
  /** The weighted sum of the parts times the input `share` (and `captionShare` for the contrastive part). */
  readonly loss: Value;
  /** Words that count. */
  readonly count: Value;
  readonly base: Value;
  readonly refined?: Value;
  readonly distillation?: Value;
  readonly contrastive?: Value;
  /** Summed over words with boxes. */
  readonly grounding?: Value;
  /** Of what scores concepts, summed over images. */
  readonly scorers?: Value;
}

/** What both graphs begin with. */
function decode(scope: Scope, config: BlipConfig, options: LossOptions) {
  const text = config.text_config;
  const dropout = options.dropout ? seededDropout(input('dropoutSeed', 'i32', [])) : noDropout;
  const ids = input('ids', 'i32', ['images', 'captions', 'length']);
  const labels = input('labels', 'i32', ['images', 'captions', 'length']);
  let towerTokens: Value | undefined;
  const imageTokens = imageInput(scope, config, options, dropout, (tokens) => {
    towerTokens = tokens;
    return options.dropout ? channelDropout(tokens, options.imageDropout ?? 0, dropout) : tokens;
  });
  const cross = crossKeyValues(scope, text, imageTokens);
  const { states } = textDecoder(scope, text, { ids, cross, dropout });
  const positions = multiplyDims(multiplyDims('images', 'captions'), 'length');
  const flatLabels = reshape(labels, [positions]);
  const logitsOf = (x: Value): Value =>
    languageHead(scope, text, reshape(x, [positions, text.hidden_size]));
  return {
    ...{ dropout, ids, labels, imageTokens, towerTokens },
    ...{ states, positions, flatLabels, logitsOf },
  };
}

/**
 * The base path's loss of a batch. Inputs: `pixels` [images, 3, size, size] or `tokens` [images, tokens, width];
 * `ids` and `labels` i32 [images, captions, length], labels already shifted: labels[t] is the word
 * after ids[t], or `ignoredLabel`. Outputs: `loss` (mean over the words that count, with label
 * smoothing), their `sum` and `count`.
 */
export function lossGraph(
  scope: Scope,
  config: BlipConfig,
  options: LossOptions,
): { loss: Value; sum: Value; count: Value } {
  const { states, flatLabels, logitsOf } = decode(scope, config, options);
  const { mean, sum, count } = crossEntropy(logitsOf(states[states.length - 1]), flatLabels, {
    ignoreIndex: ignoredLabel,
    labelSmoothing: options.labelSmoothing,
  });
  return { loss: mean, sum, count };
}

/**
 * The whole objective: CE(refined) + baseWeight CE(base) + distillationWeight KL(stopGradient(refined) || base)
 * + contrastive; without refinement layers CE(base). Inputs as `lossGraph`'s, and `share`, what a word
 * counts (one over the words of the whole batch: micro-batches add up), `captionShare` for the contrastive part, `boxes`
 * and `groundedShare` (one over the words with boxes) for the grounding part,
 * `imageShare` and targets (see `scorerLoss`) for what scores concepts.
 */
export function objectiveGraph(
  scope: Scope,
  config: BlipConfig,
  options: ObjectiveOptions,
): ObjectiveOutputs {
  const decoded = decode(scope, config, options);
  const outputs = captionObjective(scope, config, options, decoded);
  const { scorerWeight = 0 } = options;
  const { towerTokens } = decoded;
  if (scorerWeight === 0 || !config.concept_config || !towerTokens) return outputs;
  const scorers = scorerLoss(scope, config.concept_config, towerTokens);
  const share = mul(input('imageShare', 'f32', []), scorerWeight);
  return { ...outputs, loss: add(outputs.loss, mul(scorers, share)), scorers };
}

function captionObjective(
  scope: Scope,
  config: BlipConfig,
  options: ObjectiveOptions,
  decoded: ReturnType<typeof decode>,
): ObjectiveOutputs {
  const { refiner } = options;
  const text = config.text_config;
  const { dropout, ids, imageTokens, states, logitsOf } = decoded;
  const share = input('share', 'f32', []);
  const likelihood = likelihoodOf(decoded, options);
  const baseLogits = logitsOf(states[states.length - 1]);
  const base = likelihood(baseLogits);
  if (!refiner) return { loss: mul(base.sum, share), base: base.sum, count: base.count };

  const reaching = (x: Value): Value =>
    options.refinedGradient === 'whole' ? x : ops.stopGradient(x);
  const cross = refinerCross(scope, refiner, text, reaching(imageTokens));
  const siblings = refiner.refinement?.context === 'siblings';
  const { states: refinedStates, seen } = refine(scope, refiner, text, {
    ids,
    states: states.map(reaching),
    cross,
    siblings,
    dropout,
  });
  const refinedLogits = logitsOf(refinedStates);
  const refined = likelihood(refinedLogits);
  let total = refined.sum;
  if (options.baseWeight > 0) total = add(total, mul(base.sum, options.baseWeight));
  let distillation: Value | undefined;
  if (options.distillationWeight > 0) {
    distillation = distilled(refinedLogits, baseLogits, decoded.flatLabels, options);
    total = add(total, mul(distillation, options.distillationWeight));
  }
  let loss = mul(total, share);
  const contrastiveWeight = refiner.alignment?.contrastive ?? 0;
  let contrastive: Value | undefined;
  if (contrastiveWeight > 0) {
    const kept = ops.cast(ops.not(ops.equal(decoded.labels, ignoredLabel)), 'f32');
    const place = scope.at('alignment.contrastive');
    contrastive = contrastiveLoss(place, refinedStates, reaching(imageTokens), kept).sum;
    const captionShare = input('captionShare', 'f32', []);
    loss = add(loss, mul(mul(contrastive, contrastiveWeight), captionShare));
  }
  const groundingWeight = options.groundingWeight ?? 0;
  let grounding: Value | undefined;
  if (groundingWeight > 0 && seen) {
    grounding = grounded(seen, ids, config.vision_config);
    loss = add(loss, mul(mul(grounding, groundingWeight), input('groundedShare', 'f32', [])));
  }
  return {
    loss,
    base: base.sum,
    refined: refined.sum,
    count: base.count,
    ...(distillation && { distillation }),
    ...(contrastive && { contrastive }),
    ...(grounding && { grounding }),
  };
}

/** The grounding loss over the tower's grid, from the input `boxes` f32 [images, captions, length, cells]. */
function grounded(seen: Value, ids: Value, vision: VisionConfig): Value {
  const { side, first } = towerOf(vision).grid;
  const boxes = input('boxes', 'f32', [...ids.shape, side * side]);
  return groundingLoss(seen, boxes, first).sum;
}

/** The cross-entropy of logits, weighted by the input `advantages` where captions were drawn. */
function likelihoodOf(
  { positions, flatLabels }: ReturnType<typeof decode>,
  { advantages, labelSmoothing }: ObjectiveOptions,
): (logits: Value) => CountedLoss {
  const perCaption = advantages
    ? reshape(input('advantages', 'f32', ['images', 'captions']), ['images', 'captions', 1])
    : undefined;
  const weights =
    perCaption && reshape(ops.expand(perCaption, ['images', 'captions', 'length']), [positions]);
  return (logits) =>
    crossEntropy(advantages ? drawnLogits(logits, advantages) : logits, flatLabels, {
      ignoreIndex: ignoredLabel,
      labelSmoothing,
      ...(weights && { weights }),
    });
}

/** KL(stopGradient(refined) || base) at the temperature, times its square (Hinton et al. 2015). */
function distilled(
  refinedLogits: Value,
  baseLogits: Value,
  labels: Value,
  { distillationTemperature: temperature }: ObjectiveOptions,
): Value {
  const soft = (logits: Value) => mul(logits, 1 / temperature);
  const target = ops.stopGradient(soft(refinedLogits));
  const options = { ignoreIndex: ignoredLabel };
  const divergence = klDivergence(target, soft(baseLogits), labels, options);
  return mul(divergence.sum, temperature * temperature);
}

/** The logits [positions, vocabulary] that words were drawn from. */
function drawnLogits(logits: Value, { temperature, suppressed }: DrawnFrom): Value {
  const mask = new Float32Array(Number(logits.shape[1]));
  for (const id of suppressed) mask[id] = hidden;
  return add(mul(logits, 1 / temperature), constant('f32', [mask.length], mask));
}

/** The prefix of the outputs that hold gradients: `gradient.NAME` of the parameter NAME. */
export const gradientPrefix = 'gradient.';
/** The prefix of the inputs that gradients are added to. */
export const accumulatedPrefix = 'accumulated.';

/**
 * Adds the gradients of `loss` with respect to the named parameters of the scope.
 * @param accumulate adds inputs `accumulated.NAME` to them, which may be the very memory written to
 */
export function withGradients(
  scope: Scope,
  outputs: Readonly<Record<string, Value>> & { readonly loss: Value },
  trainable: ReadonlySet<string>,
  accumulate = false,
): Record<string, Value> {
  const parameters = scope.parameters.filter(({ name }) => trainable.has(name));
  const found = gradients(
    outputs.loss,
    parameters.map(({ value }) => value),
  );
  const named = parameters.map(({ name, shape }, i) => {
    const gradient = accumulate
      ? add(input(`${accumulatedPrefix}${name}`, 'f32', shape), found[i])
      : found[i];
    return [`${gradientPrefix}${name}`, gradient] as const;
  });
  return { ...outputs, ...Object.fromEntries(named) };
}
