/**
 * BLIP (Li et al. 2022, arXiv:2201.12086) for captioning, as graphs, from pixels to logits: a vision tower
 * turns pixels into tokens, and the text decoder writes the caption. Parameter names are those of
 * transformers' `BlipForConditionalGeneration`.
 *
 * Letters in shape comments: b images, s image tokens.
 */
import { GraphError, input, type Value } from '../engine/graph/graph.ts';
import * as ops from '../engine/graph/ops.ts';
import { addDims, multiplyDims, type Shape } from '../engine/graph/shape.ts';
import { noDropout } from '../nn/dropout.ts';
import type { Scope } from '../nn/scope.ts';
import {
  type AllowedConcepts,
  type ChosenConcepts,
  chooseConcepts,
  conceptScores,
  conceptTokens,
  givenConcepts,
} from './concepts/concepts.ts';
import type { BlipConfig, TextConfig } from './config.ts';
import { crossKeyValues, languageHead, textDecoder } from './decoder.ts';
import { type RefinerConfig, refine, refinerCross } from './refiner/refiner.ts';
import { towerOf, type VisionConfig } from './towers/towers.ts';

const { add, reshape, slice } = ops;

/** pixels [b, 3, size, size], normalised -> image tokens [b, s, width]. */
export function visionTower(
  scope: Scope,
  config: VisionConfig,
  pixels: Value,
  dropout = noDropout,
): Value {
  return towerOf(config).build(scope.at('vision_model'), pixels, dropout);
}

/** What an inference graph has beside the base model. */
export interface GraphOptions {
  /**
   * Where the images enter: as pixels (default), or as the tokens that the tower gave earlier. With 'none' there
   * is no picture, and concepts that are given stand for it.
   */
  readonly images?: 'pixels' | 'tokens' | 'none';
  /** Frames of a clip that are read as one image: their tokens stand end to end. Default 1. */
  readonly frames?: number;
  /** How such tokens are fed. Default f16; f32 for devices without 16-bit floats. */
  readonly tokensDtype?: 'f16' | 'f32';
  /** Whether a model's concepts are computed from the image (default) or fed. */
  readonly concepts?: 'computed' | 'given';
  /** Of computed concepts those that may be chosen. Default: all. */
  readonly allowedConcepts?: AllowedConcepts;
  /** The training-only layers, where they are kept. */
  readonly refiner?: RefinerConfig;
}

/** How images enter a graph. */
export type ImageOptions = Pick<
  GraphOptions,
  'images' | 'frames' | 'tokensDtype' | 'concepts' | 'allowedConcepts'
>;

/**
 * The tower's tokens [b, s, width] from the input `pixels` or `tokens`. Of several frames the pixels are
 * [b, frames, 3, size, size], and s counts the tokens of all.
 */
export function towerInput(
  scope: Scope,
  config: VisionConfig,
  { images = 'pixels', frames = 1, tokensDtype = 'f16' }: ImageOptions,
  dropout = noDropout,
): Value {
  const shape = ['images', frames * towerOf(config).tokens, config.hidden_size];
  if (images === 'tokens') return ops.cast(input('tokens', tokensDtype, shape), 'f32');
  const pixels = [3, config.image_size, config.image_size];
  if (frames === 1)
    return visionTower(scope, config, input('pixels', 'f32', ['images', ...pixels]), dropout);
  const all = input('pixels', 'f32', ['images', frames, ...pixels]);
  const one = reshape(all, [multiplyDims('images', frames), ...pixels]);
  return reshape(visionTower(scope, config, one, dropout), shape);
}

/**
 * What the decoder reads of an image, [b, s, width]: the tower's tokens, and those of the model's concepts.
 * @param seen changes the tower's tokens before the decoder reads them, such as dropout; concepts are
 *   computed from the tokens as they are
 */
export function imageInput(
  scope: Scope,
  config: BlipConfig,
  options: ImageOptions,
  dropout = noDropout,
  seen?: (tokens: Value) => Value,
): Value {
  return readImages(scope, config, options, dropout, seen).tokens;
}

/** `imageInput`, and the concepts among it where they are computed. */
function readImages(
  scope: Scope,
  config: BlipConfig,
  options: ImageOptions,
  dropout = noDropout,
  seen?: (tokens: Value) => Value,
): ReadTokens {
  const { vision_config: vision } = config;
  const tokens =
    options.images === 'none' ? undefined : towerInput(scope, vision, options, dropout);
  return readTokens(scope, config, tokens, options, seen);
}

/** What the decoder reads, and the concepts among it where they are computed. */
export interface ReadTokens {
  readonly tokens: Value;
  readonly concepts?: ChosenConcepts;
}

/**
 * What the decoder reads of the tower's tokens [b, s, w]: these, and behind them those of the model's concepts.
 * @param tokens undefined where given concepts stand for the picture
 * @param seen as for `imageInput`
 */
export function readTokens(
  scope: Scope,
  config: BlipConfig,
  tokens: Value | undefined,
  options: ImageOptions = {},
  seen: (tokens: Value) => Value = (tokens) => tokens,
): ReadTokens {
  const { text_config: text, concept_config: concepts } = config;
  if (!concepts) {
    if (!tokens) throw new GraphError('a model without concepts cannot do without images');
    return { tokens: seen(tokens) };
  }
  const isComputed = options.concepts !== 'given' && tokens !== undefined;
  const chosen = isComputed
    ? chooseConcepts(concepts, conceptScores(scope, concepts, tokens), options.allowedConcepts)
    : givenConcepts(concepts);
  const named = conceptTokens(scope, concepts, text, chosen); // [b, k, width]
  return {
    tokens: tokens ? ops.concat([seen(tokens), named], 1) : named,
    ...(isComputed && { concepts: chosen }),
  };
}

/** pixels -> each layer's cross-attention keys and values, the image tokens, and the concepts that were chosen. */
export function encoderGraph(
  scope: Scope,
  config: BlipConfig,
  options: GraphOptions = {},
): Record<string, Value> {
  const { refiner, images } = options;
  const text = config.text_config;
  const { tokens: imageTokens, concepts } = readImages(scope, config, options);
  const cross = crossKeyValues(scope, text, imageTokens);
  if (refiner) cross.push(...refinerCross(scope, refiner, text, imageTokens));
  // Tokens that came in need not go out again.
  const outputs: Record<string, Value> = images === 'tokens' ? {} : { tokens: imageTokens };
  if (concepts) {
    outputs.conceptWords = concepts.words;
    outputs.conceptProbabilities = concepts.probabilities;
  }
  for (const [i, { key, value }] of cross.entries()) {
    outputs[`crossKey.${i}`] = key;
    outputs[`crossValue.${i}`] = value;
  }
  return outputs;
}

/** Heads of each layer that caches keys and values of the text: the decoder's, then the refiner's. */
export function cachedHeads(text: TextConfig, refiner?: RefinerConfig): number[] {
  const own = Array.from({ length: text.num_hidden_layers }, () => text.num_attention_heads);
  const { refinement } = refiner ?? {};
  return [...own, ...Array.from({ length: refinement?.layers ?? 0 }, () => refinement?.heads ?? 1)];
}

/**
 * One step of generation: `ids` [images, beams, length] after `past` positions -> for each row
 * (image by image, beam by beam) the `logits` [rows, vocabulary] of the next word, the log of the sum
 * of their exponentials `normalizer` [rows], and the grown keys and values. A past of length 0 starts
 * a caption.
 */
export function stepGraph(
  scope: Scope,
  config: TextConfig,
  options: Pick<GraphOptions, 'refiner'> = {},
): Record<string, Value> {
  const { refiner } = options;
  const { num_hidden_layers: layers, num_attention_heads: heads, hidden_size: width } = config;
  const ids = input('ids', 'i32', ['images', 'beams', 'length']);
  const rows = multiplyDims('images', 'beams');
  const keyValue =
    (name: string, shapeOf: (heads: number) => Shape) => (count: number, i: number) => ({
      key: input(`${name}Key.${i}`, 'f32', shapeOf(count)),
      value: input(`${name}Value.${i}`, 'f32', shapeOf(count)),
    });
  const alignment = refiner?.alignment;
  const crossHeads = [
    ...Array.from({ length: layers }, () => heads),
    ...Array.from({ length: alignment?.layers ?? 0 }, () => alignment?.heads ?? 1),
  ];
  const cross = crossHeads.map(keyValue('cross', (n) => ['images', n, 'tokens', width / n]));
  const past = cachedHeads(config, refiner).map(
    keyValue('past', (n) => [rows, n, 'past', width / n]),
  );
  const decoded = textDecoder(scope, config, { ids, cross, past });
  const { states } = decoded;
  const present = [...decoded.present];
  let final = states[layers - 1];
  if (refiner) {
    const refined = refine(scope, refiner, config, {
      ids,
      states,
      cross: cross.slice(layers),
      past: past.slice(layers),
    });
    final = refined.states;
    present.push(...refined.present);
  }
  const last = reshape(slice(final, 1, addDims('length', -1), 'length'), [rows, width]);
  const logits = languageHead(scope, config, last);
  const largest = ops.reduceMax(logits, [1], true);
  const sum = ops.reduceSum(ops.exp(ops.sub(logits, largest)), [1]);
  const normalizer = add(ops.log(sum), reshape(largest, [rows]));
  const outputs: Record<string, Value> = { logits, normalizer };
  for (const [i, { key, value }] of present.entries()) {
    outputs[`presentKey.${i}`] = key;
    outputs[`presentValue.${i}`] = value;
  }
  return outputs;
}
