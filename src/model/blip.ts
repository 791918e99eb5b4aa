/**
 * BLIP (Li et al. 2022, arXiv:2201.12086) for captioning, as graphs, from pixels to logits.
 * A vision tower turns pixels into tokens; a post-norm BERT decoder with cross-attention writes the
 * caption. Parameter names are those of transformers' `BlipForConditionalGeneration`.
 *
 * Letters in shape comments: b images, c captions an image, n = b c, t text positions, s image tokens.
 */
import type { Value } from '../engine/graph/graph.ts';
import { checkpoint, input } from '../engine/graph/graph.ts';
import * as ops from '../engine/graph/ops.ts';
import { addDims, type Dim, multiplyDims, type Shape } from '../engine/graph/shape.ts';
import { type Dropout, noDropout } from '../nn/dropout.ts';
import {
  attention,
  causalMask,
  embeddingTable,
  type KeyValue,
  layerNorm,
  linear,
  linearParts,
  mergeHeads,
  splitHeads,
} from '../nn/layers.ts';
import { normal, type Scope, zeros } from '../nn/scope.ts';
import type { BlipConfig, TextConfig, VisionConfig, VitConfig } from './config.ts';
import { type RefinerConfig, refine, refinerCross } from './refiner/refiner.ts';
import { efficientNetTokens } from './towers/efficientnet.ts';

const { add, concat, gather, gelu, matmul, reshape, slice, transpose } = ops;

// ---------------------------------------------------------------- the vision tower

/** pixels [b, 3, size, size], normalised -> image tokens [b, s, width]. */
export function visionTower(
  scope: Scope,
  config: VisionConfig,
  pixels: Value,
  dropout = noDropout,
): Value {
  const at = scope.at('vision_model');
  switch (config.model_type) {
    case 'blip_vision_model':
      return vit(at, config, pixels, dropout);
    case 'efficientnet_lite':
      return efficientNetTokens(at, config, pixels);
  }
}

/** How many tokens the tower gives an image. */
export function imageTokenCount(config: VisionConfig): number {
  if (config.model_type === 'blip_vision_model')
    return (config.image_size / config.patch_size) ** 2 + 1;
  const strides = config.layers.reduce((product, { stride }) => product * stride, 1);
  return Math.ceil(config.image_size / strides) ** 2;
}

/** A pre-norm ViT (Dosovitskiy et al. 2021) with a class token; 577 tokens for 384 px and patches of 16. */
function vit(scope: Scope, config: VitConfig, pixels: Value, dropout: Dropout): Value {
  let x = patchEmbedding(scope.at('embeddings'), config, pixels); // [b, s, width]
  for (let i = 0; i < config.num_hidden_layers; i++)
    x = vitBlock(scope.at('encoder.layers').at(i), config, x, dropout);
  return layerNorm(scope.at('post_layernorm'), x, config.layer_norm_eps);
}

function patchEmbedding(scope: Scope, config: VitConfig, pixels: Value): Value {
  const { hidden_size: width, patch_size: patch, image_size: size } = config;
  const batch = pixels.shape[0];
  const side = size / patch;
  const at = scope.at('patch_embedding');
  const weight = at.get('weight', [width, 3, patch, patch], normal());
  // A convolution with stride = kernel is one matrix product over the patches.
  const grid = reshape(pixels, [batch, 3, side, patch, side, patch]);
  const patches = reshape(transpose(grid, [0, 2, 4, 1, 3, 5]), [
    batch,
    side * side,
    3 * patch * patch,
  ]);
  const flat = reshape(weight, [width, 3 * patch * patch]);
  const embedded = add(matmul(patches, flat, { transB: true }), at.get('bias', [width], zeros));
  const classToken = scope.get('class_embedding', [1, 1, width], normal());
  const tokens = concat([ops.expand(classToken, [batch, 1, width]), embedded], 1); // [b, s, width]
  return add(tokens, scope.get('position_embedding', [1, side * side + 1, width], normal()));
}

function vitBlock(scope: Scope, config: VitConfig, x: Value, dropout: Dropout): Value {
  const { layer_norm_eps: epsilon, num_attention_heads: heads, hidden_size: width } = config;
  const normed = layerNorm(scope.at('layer_norm1'), x, epsilon);
  const at = scope.at('self_attn');
  const [q, k, v] = linearParts(at.at('qkv'), normed, 3 * width, 3).map((part) =>
    splitHeads(part, heads),
  ); // [b, heads, s, headWidth]
  // Attention weights and the widened states are the largest values of a block: computed again in the
  // backward pass rather than kept.
  const seen = checkpoint(() =>
    attention(q, k, v, undefined, (w) => dropout(w, config.attention_dropout)),
  );
  const attended = add(x, linear(at.at('projection'), mergeHeads(seen), width));
  const normed2 = layerNorm(scope.at('layer_norm2'), attended, epsilon);
  const inner = linear(scope.at('mlp.fc1'), normed2, config.intermediate_size);
  return add(
    attended,
    checkpoint(() => linear(scope.at('mlp.fc2'), gelu(inner), width)),
  );
}

// ---------------------------------------------------------------- the text decoder

/** What every layer of the decoder reads of an image: made once an image, shared by its captions. */
export function crossKeyValues(scope: Scope, config: TextConfig, imageTokens: Value): KeyValue[] {
  return Array.from({ length: config.num_hidden_layers }, (_, i) => {
    const at = scope.at('text_decoder.bert.encoder.layer').at(i).at('crossattention.self');
    const project = (name: string) =>
      splitHeads(linear(at.at(name), imageTokens, config.hidden_size), config.num_attention_heads);
    return { key: project('key'), value: project('value') };
  });
}

export interface DecoderInput {
  /** i32 [b, c, t]: c captions (or beams) of each of b images. */
  readonly ids: Value;
  readonly cross: readonly KeyValue[];
  /** Keys and values of the positions before these, [n, heads, past, headWidth] a layer. */
  readonly past?: readonly KeyValue[];
  /** Added to the self-attention scores beside the causal mask, broadcasting to [n, heads, t, keys]. */
  readonly mask?: Value;
  readonly dropout?: Dropout;
}

export interface DecoderOutput {
  /** The states of every layer's end, [n, t, width]; the last is what the head reads. */
  readonly states: readonly Value[];
  /** Keys and values of all positions so far, one entry a layer. */
  readonly present: readonly KeyValue[];
}

/** Runs the decoder over `ids`. Each position sees itself and the ones before, and the whole image. */
export function textDecoder(
  scope: Scope,
  config: TextConfig,
  decoderInput: DecoderInput,
): DecoderOutput {
  const { ids, past, dropout = noDropout } = decoderInput;
  const [images, captions, length] = ids.shape;
  const rows = multiplyDims(images, captions);
  const pastLength: Dim = past ? past[0].key.shape[2] : 0;
  const bert = scope.at('text_decoder.bert');

  let x = embed(bert.at('embeddings'), config, reshape(ids, [rows, length]), pastLength, dropout);
  const causal = causalMask(length, pastLength); // [t, past + t]
  const mask = decoderInput.mask ? add(causal, decoderInput.mask) : causal;
  const states: Value[] = [];
  const present: KeyValue[] = [];
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = bert.at('encoder.layer').at(i);
    const self = selfKeyValue(layer.at('attention.self'), config, x, past?.[i]);
    present.push(self);
    x = attentionBlock(layer.at('attention'), config, x, self, mask, dropout); // [n, t, width]
    // The captions of an image stand one after the other in one long row of queries, so that its
    // keys and values are read once.
    const beside = reshape(x, [images, multiplyDims(captions, length), config.hidden_size]);
    const crossed = attentionBlock(
      layer.at('crossattention'),
      config,
      beside,
      decoderInput.cross[i],
      undefined,
      dropout,
    );
    x = feedForward(layer, config, reshape(crossed, [rows, length, config.hidden_size]), dropout);
    states.push(x);
  }
  return { states, present };
}

function wordEmbeddings(scope: Scope, config: TextConfig): Value {
  const at = scope.at('text_decoder.bert.embeddings.word_embeddings');
  return embeddingTable(at, config.vocab_size, config.hidden_size);
}

function embed(scope: Scope, config: TextConfig, ids: Value, past: Dim, dropout: Dropout): Value {
  const length = ids.shape[1];
  const words = embeddingTable(scope.at('word_embeddings'), config.vocab_size, config.hidden_size);
  const positions = embeddingTable(
    scope.at('position_embeddings'),
    config.max_position_embeddings,
    config.hidden_size,
  );
  const here = slice(positions, 0, past, addDims(past, length)); // [t, width]
  const sum = add(gather(words, ids), here);
  const normed = layerNorm(scope.at('LayerNorm'), sum, config.layer_norm_eps);
  return dropout(normed, config.hidden_dropout_prob);
}

function selfKeyValue(
  scope: Scope,
  config: TextConfig,
  x: Value,
  past: KeyValue | undefined,
): KeyValue {
  const project = (name: string) =>
    splitHeads(linear(scope.at(name), x, config.hidden_size), config.num_attention_heads);
  const key = project('key');
  const value = project('value');
  if (!past) return { key, value };
  return { key: concat([past.key, key], 2), value: concat([past.value, value], 2) };
}

/** BERT's attention sub-layer: layerNorm(x + output(attention(query(x), ...))). */
function attentionBlock(
  scope: Scope,
  config: TextConfig,
  x: Value,
  { key, value }: KeyValue,
  mask: Value | undefined,
  dropout: Dropout,
): Value {
  const { hidden_size: width, num_attention_heads: heads } = config;
  const query = splitHeads(linear(scope.at('self.query'), x, width), heads);
  const seen = attention(query, key, value, mask, (w) =>
    dropout(w, config.attention_probs_dropout_prob),
  );
  const out = linear(scope.at('output.dense'), mergeHeads(seen), width);
  const sum = add(dropout(out, config.hidden_dropout_prob), x);
  return layerNorm(scope.at('output.LayerNorm'), sum, config.layer_norm_eps);
}

function feedForward(scope: Scope, config: TextConfig, x: Value, dropout: Dropout): Value {
  const inner = gelu(linear(scope.at('intermediate.dense'), x, config.intermediate_size));
  const out = linear(scope.at('output.dense'), inner, config.hidden_size);
  const sum = add(dropout(out, config.hidden_dropout_prob), x);
  return layerNorm(scope.at('output.LayerNorm'), sum, config.layer_norm_eps);
}

/** states [..., width] -> logits [..., vocabulary]; the output matrix is the word embeddings. */
export function languageHead(scope: Scope, config: TextConfig, states: Value): Value {
  const at = scope.at('text_decoder.cls.predictions');
  const transformed = gelu(linear(at.at('transform.dense'), states, config.hidden_size));
  const normed = layerNorm(at.at('transform.LayerNorm'), transformed, config.layer_norm_eps);
  const bias = at.get('bias', [config.vocab_size], zeros);
  return add(matmul(normed, wordEmbeddings(scope, config), { transB: true }), bias);
}

// ---------------------------------------------------------------- graphs for inference

/** What an inference graph has beside the base model. */
export interface GraphOptions {
  /** Where the images enter: as pixels (default), or as the tokens that the tower gave earlier. */
  readonly images?: 'pixels' | 'tokens';
  /** How such tokens are fed. Default f16; f32 for devices without 16-bit floats. */
  readonly tokensDtype?: 'f16' | 'f32';
  /** The training-only layers, where they are kept. */
  readonly refiner?: RefinerConfig;
}

/** The image tokens [b, s, width] from the input `pixels` or `tokens`. */
export function imageInput(
  scope: Scope,
  config: VisionConfig,
  { images = 'pixels', tokensDtype = 'f16' }: Pick<GraphOptions, 'images' | 'tokensDtype'>,
  dropout = noDropout,
): Value {
  if (images === 'tokens') {
    const shape = ['images', imageTokenCount(config), config.hidden_size];
    return ops.cast(input('tokens', tokensDtype, shape), 'f32');
  }
  const size = config.image_size;
  return visionTower(scope, config, input('pixels', 'f32', ['images', 3, size, size]), dropout);
}

/** pixels -> each layer's cross-attention keys and values, and the image tokens. */
export function encoderGraph(
  scope: Scope,
  config: BlipConfig,
  options: GraphOptions = {},
): Record<string, Value> {
  const { refiner, images } = options;
  const text = config.text_config;
  const imageTokens = imageInput(scope, config.vision_config, options);
  const cross = crossKeyValues(scope, text, imageTokens);
  if (refiner) cross.push(...refinerCross(scope, refiner, text, imageTokens));
  // Tokens that came in need not go out again.
  const outputs: Record<string, Value> = images === 'tokens' ? {} : { tokens: imageTokens };
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
