/**
 * The vision tower of BLIP: a pre-norm ViT (Dosovitskiy et al. 2021) with a class token.
 * Parameter names are those of transformers' `BlipVisionModel`.
 */
import { checkpoint, type Value } from '../../../engine/graph/graph.ts';
import * as ops from '../../../engine/graph/ops.ts';
import type { Dropout } from '../../../nn/dropout.ts';
import {
  attention,
  layerNorm,
  linear,
  linearParts,
  mergeHeads,
  splitHeads,
} from '../../../nn/layers.ts';
import { normal, type Scope, zeros } from '../../../nn/scope.ts';
import type { VitConfig } from './config.ts';

const { add, concat, gelu, matmul, reshape, transpose } = ops;

/** pixels [b, 3, size, size], normalised -> tokens [b, s, width]: s = 577 for 384 px and patches of 16. */
export function vitTokens(scope: Scope, config: VitConfig, pixels: Value, dropout: Dropout): Value {
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
