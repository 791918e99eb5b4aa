/**
 * EfficientNet-Lite (Google, TPU models) as a vision tower: BatchNorm folded into the convolutions,
 * ReLU6 throughout, the last feature map as tokens.
 */
import { gradients } from '../../../engine/graph/gradient.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import {
  add,
  and,
  cast,
  clip,
  conv2d,
  expand,
  gather,
  greater,
  iota,
  less,
  mul,
  pad,
  reduceSum,
  reshape,
  scalar,
  sub,
  transpose,
} from '../../../engine/graph/ops.ts';
import { multiplyDims, type Shape } from '../../../engine/graph/shape.ts';
import { normal, type Scope, zeros } from '../../../nn/scope.ts';
import type { FinerTower } from '../tower.ts';
import type { EfficientNetConfig } from './config.ts';

type Layer = EfficientNetConfig['layers'][number];

/** Layers one after the other. @param note what goes into each layer, and what comes out before its activation */
function convolutions(
  scope: Scope,
  layers: readonly Layer[],
  input: Value,
  note?: (before: Value, after: Value, layer: Layer) => void,
): Value {
  let x = input;
  let block = '';
  let blockInput = x;
  for (const layer of layers) {
    // 'blocks.3.expand' belongs to the block 'blocks.3'; a residual adds what came into its block.
    const name = layer.name.slice(0, Math.max(0, layer.name.lastIndexOf('.')));
    if (name !== block || name === '') blockInput = x;
    block = name;
    const { stride, pads, groups, channels } = layer;
    const bias = scope.at(layer.name).get('bias', [channels], zeros);
    const weight = weightOf(scope, layer, x.shape);
    const after = add(
      conv2d(x, weight, { strides: [stride, stride], pads, groups }),
      reshape(bias, [channels, 1, 1]),
    );
    note?.(x, after, layer);
    x = layer.activation === 'relu6' ? clip(after, 0, 6) : after;
    if (layer.residual) x = add(x, blockInput);
  }
  return x;
}

function weightOf(scope: Scope, { name, channels, kernel, groups }: Layer, input: Shape): Value {
  const perGroup = Number(input[1]) / groups;
  return scope.at(name).get('weight', [channels, perGroup, kernel, kernel], normal());
}

/** pixels [batch, 3, size, size] (x / 127.5 - 1) -> feature map [batch, width, size / 32, size / 32]. */
export function efficientNetFeatures(
  scope: Scope,
  config: EfficientNetConfig,
  pixels: Value,
): Value {
  return convolutions(scope, config.layers, pixels);
}

/** The same as tokens [batch, height * width, channels]. */
export function efficientNetTokens(scope: Scope, config: EfficientNetConfig, pixels: Value): Value {
  return asTokens(efficientNetFeatures(scope, config, pixels));
}

/** The block that halves the map last begins here: its input is the finest stage that still knows what things are. */
export function lastStage({ layers }: EfficientNetConfig): number {
  const last = layers.findLastIndex(({ stride }) => stride > 1);
  const block = blockOf(layers[Math.max(0, last)]);
  return layers.findIndex((layer) => blockOf(layer) === block);
}

/** 'blocks.3.expand' belongs to the block 'blocks.3'. */
export function blockOf({ name }: Layer): string {
  return name.replace(/^(blocks\.\d+)\..*$/, '$1');
}

/** The tokens by way of the stage before the map is halved last, whose gradients are theirs pulled back. */
export function finerEfficientNet(
  scope: Scope,
  config: EfficientNetConfig,
  pixels: Value,
): FinerTower {
  const start = lastStage(config);
  const rest = config.layers.slice(start);
  const stage = convolutions(scope, config.layers.slice(0, start), pixels);
  const open = new Map<Layer, Value>();
  const inputs: Shape[] = [];
  const features = convolutions(scope, rest, stage, (before, after, layer) => {
    inputs.push(before.shape);
    if (layer.activation === 'relu6')
      open.set(layer, cast(and(greater(after, scalar(0)), less(after, scalar(6))), 'f32'));
  });
  const pullBack = (slopes: Value): Value => {
    const [images, each, tokens, width] = slopes.shape;
    const rows = multiplyDims(images, each);
    const columns = transpose(reshape(slopes, [rows, tokens, width]), [0, 2, 1]);
    const opened = (dx: Value, layer: Layer): Value => {
      const isOpen = open.get(layer) ?? scalar(1);
      const apart = reshape(dx, [images, each, ...dx.shape.slice(1)]);
      return reshape(mul(apart, reshape(isOpen, [images, 1, ...dx.shape.slice(1)])), dx.shape);
    };
    const back = pulledBack(
      scope,
      rest,
      inputs,
      reshape(columns, [rows, ...features.shape.slice(1)]),
      opened,
    );
    return reshape(back, [images, each, ...stage.shape.slice(1)]);
  };
  return { tokens: asTokens(features), stage, pullBack };
}

/**
 * Gradients with respect to what comes out of layers -> with respect to what goes in: where each ReLU6 was open, they
 * are linear, so that no way forward is gone for them.
 * @param inputs the shape of what goes into each layer
 * @param opened gradients, where the layer's activation lets them through
 */
function pulledBack(
  scope: Scope,
  layers: readonly Layer[],
  inputs: readonly Shape[],
  slopes: Value,
  opened: (slopes: Value, layer: Layer) => Value,
): Value {
  let dx = slopes;
  let beside: Value | undefined;
  for (const [i, layer] of [...layers.entries()].reverse()) {
    if (layer.residual) beside = dx;
    if (layer.activation === 'relu6') dx = opened(dx, layer);
    dx = inputGradient(scope, layer, inputs[i], dx);
    const isFirst = i === 0 || blockOf(layers[i - 1]) !== blockOf(layer);
    if (!isFirst || !beside) continue;
    dx = add(dx, beside);
    beside = undefined;
  }
  return dx;
}

/** The gradient of a convolution with respect to its input of this shape, but for the first dimension. */
function inputGradient(scope: Scope, layer: Layer, input: Shape, dy: Value): Value {
  const { stride, pads, groups, kernel, channels } = layer;
  const weight = weightOf(scope, layer, input);
  const isDepthwise = groups === channels && weight.shape[1] === 1;
  const spread = stride === 1 ? dy : spreadOut(dy, stride);
  const [top, left] = pads.map((pad) => kernel - 1 - pad);
  const [bottom, right] = [top, left].map(
    (before, i) => Number(input[2 + i]) - Number(spread.shape[2 + i]) + kernel - 1 - before,
  );
  if ((groups === 1 || isDepthwise) && Math.min(top, left, bottom, right) >= 0) {
    // A convolution with the kernel turned round: many times as fast as what ONNX has for the general case.
    const backwards = cast(sub(scalar(kernel - 1), cast(iota(kernel), 'f32')), 'i32');
    const turned = gather(gather(weight, backwards, 2), backwards, 3);
    return conv2d(spread, isDepthwise ? turned : transpose(turned, [1, 0, 2, 3]), {
      pads: [top, left, bottom, right],
      groups,
    });
  }
  const x = expand(scalar(0), [dy.shape[0], ...input.slice(1)]);
  const y = conv2d(x, weight, { strides: [stride, stride], pads, groups });
  return gradients(reduceSum(mul(y, dy)), [x])[0];
}

/** Each place of a map followed by stride - 1 zeros, across and down. */
function spreadOut(map: Value, stride: number): Value {
  const [rows, channels, height, width] = map.shape;
  const more = stride - 1;
  const apart = pad(
    reshape(map, [rows, channels, height, 1, width, 1]),
    [0, 0, 0, 0, 0, 0],
    [0, 0, 0, more, 0, more],
  );
  return reshape(apart, [rows, channels, Number(height) * stride, Number(width) * stride]);
}

/** [batch, channels, height, width] -> [batch, height * width, channels]. */
function asTokens(features: Value): Value {
  const [batch, channels, height, width] = features.shape;
  return transpose(reshape(features, [batch, channels, Number(height) * Number(width)]), [0, 2, 1]);
}
