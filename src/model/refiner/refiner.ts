/**
 * The two training-only layers together: the decoder's states go through refinement, then alignment,
 * and the shared head makes refined logits of the result.
 */
import * as z from 'zod';
import type { Value } from '../../engine/graph/graph.ts';
import * as ops from '../../engine/graph/ops.ts';
import { multiplyDims } from '../../engine/graph/shape.ts';
import { type Dropout, noDropout } from '../../nn/dropout.ts';
import { causalMask, type KeyValue } from '../../nn/layers.ts';
import type { Scope } from '../../nn/scope.ts';
import type { TextConfig } from '../config.ts';
import { alignmentKeyValue } from './alignment.ts';
import { extended, refinementKeyValue, refinementLayer, siblingMask } from './refinement.ts';

const { reshape } = ops;

const layerFields = {
  layers: z.int().positive().default(1),
  /** Must divide the decoder's width. */
  heads: z.int().positive().default(8),
  /** Width of a feed-forward part after each attention; 0 leaves it out. */
  feedForward: z.int().nonnegative().default(0),
  dropout: z.number().min(0).lt(1).default(0.1),
};

export const refinementSchema = z.strictObject({
  ...layerFields,
  /** Whether a caption reads its own earlier words alone, or the image's other captions as well. */
  context: z.enum(['own', 'siblings']).default('own'),
});

export const alignmentSchema = z.strictObject({
  ...layerFields,
  /** Weight of the contrastive loss between refined text states and images; 0 leaves it out. */
  contrastive: z.number().nonnegative().default(0),
});

export const refinerSchema = z.strictObject({
  refinement: refinementSchema.nullable().default(null),
  alignment: alignmentSchema.nullable().default(null),
  /** Layer of the decoder, counted from 0, whose states the layers read; null: the last. */
  readLayer: z.int().nonnegative().nullable().default(null),
});

/** Which training-only layers there are, and their sizes. */
export type RefinerConfig = Readonly<z.infer<typeof refinerSchema>>;

/** What is wrong with these layers over this decoder, if anything. */
export function refinerFault(config: RefinerConfig, text: TextConfig): string | undefined {
  for (const name of ['refinement', 'alignment'] as const) {
    const heads = config[name]?.heads;
    if (heads !== undefined && text.hidden_size % heads !== 0)
      return `${name}.heads (${heads}) does not divide the decoder's width (${text.hidden_size})`;
  }
  const { readLayer } = config;
  if (readLayer !== null && readLayer >= text.num_hidden_layers)
    return `readLayer (${readLayer}, counted from 0) is past the decoder's layers (${text.num_hidden_layers})`;
  return undefined;
}

const at = (scope: Scope, name: 'refinement' | 'alignment', i: number): Scope =>
  scope.at(name).at('layer').at(i);

/** The alignment layers' keys and values: made once an image. */
export function refinerCross(
  scope: Scope,
  config: RefinerConfig,
  text: TextConfig,
  imageTokens: Value,
): KeyValue[] {
  const { alignment } = config;
  if (!alignment) return [];
  return Array.from({ length: alignment.layers }, (_, i) =>
    alignmentKeyValue(at(scope, 'alignment', i), alignment.heads, imageTokens, text.hidden_size),
  );
}

export interface RefinerInput {
  /** i32 [b, c, t] */
  readonly ids: Value;
  /** The decoder's states of every layer, each [n, t, width]. */
  readonly states: readonly Value[];
  /** From `refinerCross`. */
  readonly cross: readonly KeyValue[];
  /** Keys and values of earlier positions, [n, heads, past, headWidth] a refinement layer. */
  readonly past?: readonly KeyValue[];
  /** Without it the context is the caption's own words, as at inference. */
  readonly siblings?: boolean;
  readonly dropout?: Dropout;
}

/**
 * Refined states [n, t, width]; keys and values of all positions so far, one entry a refinement layer; and, where
 * there is an alignment layer, how much each position takes of each image token in the last of them,
 * [b, heads, c t, s].
 */
export function refine(
  scope: Scope,
  config: RefinerConfig,
  text: TextConfig,
  { ids, states, cross, past, siblings = false, dropout = noDropout }: RefinerInput,
): { states: Value; present: KeyValue[]; seen?: Value } {
  const { refinement, alignment, readLayer } = config;
  const [images, captions, length] = ids.shape;
  const width = text.hidden_size;
  const rows = multiplyDims(images, captions);
  const beside = [images, multiplyDims(captions, length), width];
  const pastLength = past?.[0]?.key.shape[2] ?? 0;
  let stream = states[states.length - 1];
  let read = readLayer === null ? stream : states[readLayer];
  const present: KeyValue[] = [];
  if (refinement) {
    const together = siblings && refinement.context === 'siblings';
    const shape = together ? beside : [rows, length, width];
    const mask = together ? siblingMask(ids, text.pad_token_id) : causalMask(length, pastLength);
    stream = reshape(stream, shape);
    read = reshape(read, shape);
    const decoderStates = read;
    for (let i = 0; i < refinement.layers; i++) {
      const place = at(scope, 'refinement', i);
      // A sibling's refined states have seen this caption's words to come: deeper layers must not read them.
      const remembered = refinement.context === 'siblings' ? decoderStates : read;
      const memory = extended(past?.[i], refinementKeyValue(place, refinement.heads, remembered));
      present.push(memory);
      ({ stream } = refinementLayer(place, refinement, { read, stream, memory, mask }, dropout));
      read = stream;
    }
  }
  let seen: Value | undefined;
  if (alignment) {
    stream = reshape(stream, beside);
    read = reshape(read, beside);
    for (let i = 0; i < alignment.layers; i++) {
      const place = at(scope, 'alignment', i);
      const layer = refinementLayer(place, alignment, { read, stream, memory: cross[i] }, dropout);
      ({ stream, weights: seen } = layer);
      read = stream;
    }
  }
  return { states: reshape(stream, [rows, length, width]), present, ...(seen && { seen }) };
}
