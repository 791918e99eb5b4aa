/**
 * EfficientNet-Lite (Google, TPU models) as a vision tower: BatchNorm folded into the convolutions,
 * ReLU6 throughout, the last feature map as tokens.
 */
import type { Value } from '../../../engine/graph/graph.ts';
import { add, clip, conv2d, reshape, transpose } from '../../../engine/graph/ops.ts';
import { normal, type Scope, zeros } from '../../../nn/scope.ts';
import type { EfficientNetConfig } from './config.ts';

/** pixels [batch, 3, size, size] (x / 127.5 - 1) -> feature map [batch, width, size / 32, size / 32]. */
export function efficientNetFeatures(
  scope: Scope,
  config: EfficientNetConfig,
  pixels: Value,
): Value {
  let x = pixels;
  let block = '';
  let blockInput = x;
  for (const layer of config.layers) {
    // 'blocks.3.expand' belongs to the block 'blocks.3'; a residual adds what came into its block.
    const name = layer.name.slice(0, Math.max(0, layer.name.lastIndexOf('.')));
    if (name !== block || name === '') blockInput = x;
    block = name;
    const { stride, pads, groups, kernel, channels } = layer;
    const at = scope.at(layer.name);
    const perGroup = Number(x.shape[1]) / groups;
    const weight = at.get('weight', [channels, perGroup, kernel, kernel], normal());
    const bias = reshape(at.get('bias', [channels], zeros), [channels, 1, 1]);
    x = add(conv2d(x, weight, { strides: [stride, stride], pads, groups }), bias);
    if (layer.activation === 'relu6') x = clip(x, 0, 6);
    if (layer.residual) x = add(x, blockInput);
  }
  return x;
}

/** The same as tokens [batch, height * width, channels]. */
export function efficientNetTokens(scope: Scope, config: EfficientNetConfig, pixels: Value): Value {
  const features = efficientNetFeatures(scope, config, pixels);
  const [batch, channels, height, width] = features.shape;
  return transpose(reshape(features, [batch, channels, Number(height) * Number(width)]), [0, 2, 1]);
}
