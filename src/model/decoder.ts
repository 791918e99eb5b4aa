/**
 * BLIP's text decoder: a post-norm BERT with cross-attention to the image tokens, and its language head.
 * Parameter names are those of transformers' `BlipTextLMHeadModel`.
 *
 * Letters in shape comments: b images, c captions an image, n = b c, t text positions, s image tokens.
 */
import type { Value } from '../engine/graph/graph.ts';
import * as ops from '../engine/graph/ops.ts';
import { addDims, type Dim, multiplyDims } from '../engine/graph/shape.ts';
import { type Dropout, noDropout } from '../nn/dropout.ts';
import {
  attentionWeights,
  causalMask,
  embeddingTable,
  hidden,
  type KeyValue,
  layerNorm,
  linear,
  mergeHeads,
  splitHeads,
} from '../nn/layers.ts';
import { normal, type Scope, zeros } from '../nn/scope.ts';
import type { TextConfig } from './config.ts';

const { add, concat, gather, gelu, matmul, reshape, slice } = ops;

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
  /**
   * Gradients go from a position to itself alone: what it reads of the positions before counts as constant, so that
   * one backward pass gives each position's own. Values stay the same. Without `past` and `mask`.
   */
  readonly isolated?: boolean;
}

export interface DecoderOutput {
  /** The states of every layer's end, [n, t, width]; the last is what the head reads. */
  readonly states: readonly Value[];
  /** Keys and values of all positions so far, one entry a layer. */
  readonly present: readonly KeyValue[];
  /**
   * How each position reads the image tokens, one entry a layer, the captions of an image one after the other.
   * Nothing of a graph that does not ask for them.
   */
  readonly imageAttention: readonly AttentionParts[];
  /** How much each position takes of each position up to its own, [n, heads, t, keys], one entry a layer, likewise. */
  readonly textAttention: readonly Value[];
}

/** An attention from inside: b rows of n queries to s keys. */
export interface AttentionParts {
  /** [b, heads, n, headWidth]. */
  readonly query: Value;
  /** How much each query takes of each key, [b, heads, n, s]. */
  readonly weights: Value;
  /** What it takes: weights times values, [b, heads, n, headWidth]. */
  readonly seen: Value;
}

/** The weights by which `crossKeyValues` makes keys and values of tokens, [heads, headWidth, width] a layer. */
export function crossProjections(scope: Scope, config: TextConfig, width: number): KeyValue[] {
  const { hidden_size: hiddenSize, num_attention_heads: heads } = config;
  return Array.from({ length: config.num_hidden_layers }, (_, i) => {
    const at = scope.at('text_decoder.bert.encoder.layer').at(i).at('crossattention.self');
    const weight = (name: string): Value =>
      reshape(at.at(name).get('weight', [hiddenSize, width], normal()), [
        ...[heads, hiddenSize / heads, width],
      ]);
    return { key: weight('key'), value: weight('value') };
  });
}

/** Runs the decoder over `ids`. Each position sees itself and the ones before, and the whole image. */
export function textDecoder(
  scope: Scope,
  config: TextConfig,
  decoderInput: DecoderInput,
): DecoderOutput {
  const { ids, past, dropout = noDropout, isolated = false } = decoderInput;
  const [images, captions, length] = ids.shape;
  const rows = multiplyDims(images, captions);
  const pastLength: Dim = past ? past[0].key.shape[2] : 0;
  const bert = scope.at('text_decoder.bert');

  let x = embed(bert.at('embeddings'), config, reshape(ids, [rows, length]), pastLength, dropout);
  const causal = isolated ? isolatedMask(length) : causalMask(length, pastLength); // [t, keys]
  const mask = decoderInput.mask ? add(causal, decoderInput.mask) : causal;
  const states: Value[] = [];
  const present: KeyValue[] = [];
  const imageAttention: AttentionParts[] = [];
  const textAttention: Value[] = [];
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = bert.at('encoder.layer').at(i);
    const self = selfKeyValue(layer.at('attention.self'), config, x, past?.[i]);
    present.push(self);
    const read = isolated ? besideConstants(self) : self;
    const before = attentionBlock(layer.at('attention'), config, x, read, mask, dropout);
    textAttention.push(before.parts.weights);
    x = before.output; // [n, t, width]
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
    imageAttention.push(crossed.parts);
    const apart = reshape(crossed.output, [rows, length, config.hidden_size]);
    x = feedForward(layer, config, apart, dropout);
    states.push(x);
  }
  return { states, present, imageAttention, textAttention };
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

/** Each key and value twice: first as a constant, for the positions after it, then as it is, for its own. */
function besideConstants({ key, value }: KeyValue): KeyValue {
  const twice = (once: Value): Value => concat([ops.stopGradient(once), once], 2);
  return { key: twice(key), value: twice(value) };
}

/** [t, 2 t]: of the first half each position sees those before it, of the second itself. */
function isolatedMask(length: Dim): Value {
  const rows = reshape(ops.iota(length), [length, 1]);
  const columns = ops.iota(multiplyDims(2, length));
  const isOwn = ops.equal(columns, add(rows, ops.dimension(length)));
  return ops.where(ops.or(ops.less(columns, rows), isOwn), ops.scalar(0), ops.scalar(hidden));
}

/** BERT's attention sub-layer, layerNorm(x + output(attention(query(x), ...))), and its parts. */
function attentionBlock(
  scope: Scope,
  config: TextConfig,
  x: Value,
  { key, value }: KeyValue,
  mask: Value | undefined,
  dropout: Dropout,
): { output: Value; parts: AttentionParts } {
  const { hidden_size: width, num_attention_heads: heads } = config;
  const query = splitHeads(linear(scope.at('self.query'), x, width), heads);
  const weights = attentionWeights(query, key, mask);
  const seen = matmul(dropout(weights, config.attention_probs_dropout_prob), value);
  const out = linear(scope.at('output.dense'), mergeHeads(seen), width);
  const sum = add(dropout(out, config.hidden_dropout_prob), x);
  const output = layerNorm(scope.at('output.LayerNorm'), sum, config.layer_norm_eps);
  return { output, parts: { query, weights, seen } };
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
