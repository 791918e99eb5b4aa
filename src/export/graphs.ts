/**
 * The graphs of an export: a model's members side by side, the next word of all of them averaged.
 *
 * Letters in shape comments: b images, t words, s image tokens, h heads, d values of a head.
 */
import { input, type Value } from '../engine/graph/graph.ts';
import * as ops from '../engine/graph/ops.ts';
import { type Dim, subtractDims } from '../engine/graph/shape.ts';
import { visionTower } from '../model/blip.ts';
import { chooseConcepts, conceptScores, conceptTokens } from '../model/concepts/concepts.ts';
import { conceptTokenCount } from '../model/concepts/config.ts';
import type { BlipConfig, TextConfig } from '../model/config.ts';
import { crossKeyValues, languageHead, textDecoder } from '../model/decoder.ts';
import { towerOf } from '../model/towers/towers.ts';
import type { KeyValue } from '../nn/layers.ts';
import type { Scope } from '../nn/scope.ts';

const { add, concat, exp, log, reduceMax, reduceSum, reshape, slice, sub } = ops;

/** A model that writes, alone or with others, and where its parameters lie. */
export interface Member {
  readonly config: BlipConfig;
  readonly scope: Scope;
}

/** Two graphs, by the names of their outputs. */
export interface ExportGraphs {
  readonly encoder: Readonly<Record<string, Value>>;
  readonly decoder: Readonly<Record<string, Value>>;
}

const batch = 'batch_size';
const length = 'sequence_length';
const past = 'past_sequence_length';

/**
 * Keys and values go from the encoder to the decoder, which keeps those of the words alone.
 *
 * encoder: `pixel_values` [b, 3, size, size] -> `cross_key.N`, `cross_value.N` [b, h, s, d];
 * decoder: `input_ids` [b, t] i64, those, and `past_key.N`, `past_value.N` [b, h, past, d] ->
 * `logits` [b, t, vocabulary], `present_key.N`, `present_value.N` [b, h, past + t, d].
 * N counts the layers of all members.
 */
export function plainGraphs(members: readonly Member[]): ExportGraphs {
  const pixels = pixelInput(members);
  const made = members.flatMap((member) =>
    crossKeyValues(member.scope, member.config.text_config, tokensOf(member, pixels)),
  );
  let layer = 0;
  const inputs = members.map((member) => {
    const { text_config } = member.config;
    return Array.from({ length: text_config.num_hidden_layers }, () => {
      const n = layer++;
      const pair = (name: string, positions: Dim) =>
        keyValueInput(`${name}_key.${n}`, `${name}_value.${n}`, text_config, positions);
      return { cross: pair('cross', tokenCount(member)), past: pair('past', past) };
    });
  });
  const { logits, present } = writeWords(members, inputs);
  return {
    encoder: named(made, 'cross_key.', 'cross_value.'),
    decoder: { logits, ...named(present.flat(), 'present_key.', 'present_value.') },
  };
}

/**
 * As transformers.js runs a vision encoder and a text decoder: the encoder gives image tokens, and the decoder's cache
 * keeps what it made of them.
 *
 * encoder: `pixel_values` -> `last_hidden_state` [b, s, width], the members' tokens side by side;
 * decoder: `input_ids`, `encoder_hidden_states` and `past_key_values.N.{decoder,encoder}.{key,value}` -> `logits` and
 * `present.N...`. One graph is the first step and all others: from the tokens are made as many of the
 * encoder's keys and values as the past lacks, all or none.
 */
export function mergedGraphs(members: readonly Member[]): ExportGraphs {
  const pixels = pixelInput(members);
  const counts = members.map(tokenCount);
  const most = Math.max(...counts);
  const tokens = members.map((member, i) => padTokens(tokensOf(member, pixels), most - counts[i]));
  const widths = members.map(({ config }) => config.vision_config.hidden_size);
  const whole = widths.reduce((sum, width) => sum + width, 0);
  const states = input('encoder_hidden_states', 'f32', [batch, most, whole]);
  let layer = 0;
  const inputs = members.map(({ config, scope }, i) => {
    const text = config.text_config;
    const before = widths.slice(0, i).reduce((sum, width) => sum + width, 0);
    const pastTokens = `past_encoder_sequence_length${i === 0 ? '' : `_${i + 1}`}`;
    const missing = slice(states, 1, 0, subtractDims(counts[i], pastTokens));
    const own = slice(missing, 2, before, before + widths[i]); // [b, s or 0, width]
    return crossKeyValues(scope, text, own).map((made) => {
      const name = `past_key_values.${layer++}`;
      const pair = (part: string, positions: Dim) =>
        keyValueInput(`${name}.${part}.key`, `${name}.${part}.value`, text, positions);
      const words = pair('decoder', past);
      const known = pair('encoder', pastTokens);
      const key = concat([known.key, made.key], 2);
      const value = concat([known.value, made.value], 2);
      return { cross: { key, value }, past: words };
    });
  });
  const { logits, present } = writeWords(members, inputs);
  const outputs: Record<string, Value> = { logits };
  const cross = inputs.flat();
  for (const [n, words] of present.flat().entries()) {
    outputs[`present.${n}.decoder.key`] = words.key;
    outputs[`present.${n}.decoder.value`] = words.value;
    outputs[`present.${n}.encoder.key`] = cross[n].cross.key;
    outputs[`present.${n}.encoder.value`] = cross[n].cross.value;
  }
  return { encoder: { last_hidden_state: concat(tokens, 2) }, decoder: outputs };
}

interface LayerInput {
  readonly cross: KeyValue;
  readonly past: KeyValue;
}

/** All members over the same words; `present` by member and layer. */
function writeWords(
  members: readonly Member[],
  inputs: readonly (readonly LayerInput[])[],
): { logits: Value; present: (readonly KeyValue[])[] } {
  const ids = reshape(input('input_ids', 'i64', [batch, length]), [batch, 1, length]);
  const decoded = members.map(({ config, scope }, i) => {
    const { states, present } = textDecoder(scope, config.text_config, {
      ids,
      cross: inputs[i].map(({ cross }) => cross),
      past: inputs[i].map((layer) => layer.past),
    });
    const last = states[states.length - 1];
    return { logits: languageHead(scope, config.text_config, last), present };
  });
  return {
    logits: meanLogits(decoded.map(({ logits }) => logits)),
    present: decoded.map(({ present }) => present),
  };
}

/**
 * Logits [b, t, vocabulary] of the mean of the members' probabilities, on the members' scale: what
 * `meanScores` of generation computes from one step's.
 */
function meanLogits(all: readonly Value[]): Value {
  if (all.length === 1) return all[0];
  const normalizers = all.map(logSumExp);
  const logProbabilities = all.map((logits, i) => sub(logits, normalizers[i]));
  const largest = logProbabilities.reduce((a, b) => ops.maximum(a, b));
  const sum = logProbabilities.map((value) => exp(sub(value, largest))).reduce((a, b) => add(a, b));
  const mean = add(log(ops.mul(sum, 1 / all.length)), largest);
  return add(
    mean,
    ops.mul(
      normalizers.reduce((a, b) => add(a, b)),
      1 / all.length,
    ),
  );
}

/** Over the last dimension, which is kept with size 1. */
function logSumExp(x: Value): Value {
  const largest = reduceMax(x, [-1], true);
  return add(log(reduceSum(exp(sub(x, largest)), [-1], true)), largest);
}

function pixelInput([{ config }]: readonly Member[]): Value {
  const size = config.vision_config.image_size;
  return input('pixel_values', 'f32', [batch, 3, size, size]);
}

/** What a member's decoder reads of images, [b, s, width]: the tower's tokens, and those of its concepts. */
function tokensOf({ config, scope }: Member, pixels: Value): Value {
  const { vision_config, text_config, concept_config: concepts } = config;
  const tokens = visionTower(scope, vision_config, pixels);
  if (!concepts) return tokens;
  const chosen = chooseConcepts(concepts, conceptScores(scope, concepts, tokens));
  return concat([tokens, conceptTokens(scope, concepts, text_config, chosen)], 1);
}

function tokenCount({ config }: Member): number {
  return towerOf(config.vision_config).tokens + conceptTokenCount(config.concept_config);
}

/** `missing` rows of zeros after the tokens [b, s, width]. */
function padTokens(tokens: Value, missing: number): Value {
  return missing === 0 ? tokens : ops.pad(tokens, [0, 0, 0], [0, missing, 0]);
}

function keyValueInput(
  key: string,
  value: string,
  { hidden_size: width, num_attention_heads: heads }: TextConfig,
  positions: Dim,
): KeyValue {
  const shape = [batch, heads, positions, width / heads];
  return { key: input(key, 'f32', shape), value: input(value, 'f32', shape) };
}

function named(all: readonly KeyValue[], keys: string, values: string): Record<string, Value> {
  return Object.fromEntries(
    all.flatMap(({ key, value }, i) => [
      [`${keys}${i}`, key],
      [`${values}${i}`, value],
    ]),
  );
}
