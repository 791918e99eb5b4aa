/** EfficientNet-Lite, against the features that the original program gives. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { gradients } from '../../../src/engine/graph/gradient.ts';
import { input } from '../../../src/engine/graph/graph.ts';
import { mul, reduceSum } from '../../../src/engine/graph/ops.ts';
import { Session } from '../../../src/engine/runtime/session.ts';
import { tensor } from '../../../src/engine/runtime/tensor.ts';
import { openTower } from '../../../src/model/checkpoint/tower.ts';
import type { EfficientNetConfig } from '../../../src/model/towers/efficientnet/config.ts';
import {
  efficientNetFeatures,
  efficientNetTokens,
  finerEfficientNet,
} from '../../../src/model/towers/efficientnet/graph.ts';
import { ParameterStore } from '../../../src/nn/parameter-store.ts';
import { Scope } from '../../../src/nn/scope.ts';
import { openWeights } from '../../../src/weights/open.ts';
import { shared } from '../../paths.ts';

describe.runIf(shared)('EfficientNet-Lite0', () => {
  it('gives the features of its source', async () => {
    const folder = join(shared ?? '', 'backbones/efficientnet-lite0');
    const tower = await openTower(folder);
    if (tower.config.model_type !== 'efficientnet_lite') throw new Error('wrong tower');
    await using expected = await openWeights(join(folder, 'expected.safetensors'));
    const pixels = await expected.readFloat32('pixel_values');
    const wanted = await expected.readFloat32('features');
    const scope = new Scope().at('vision_model');
    const x = input('pixels', 'f32', ['images', 3, 224, 224]);
    using session = await Session.open({ y: efficientNetFeatures(scope, tower.config, x) });
    const result = await session.run({
      ...tower.store.feeds(),
      pixels: tensor('f32', [4, 3, 224, 224], pixels),
    });
    expect(result.y.shape).toEqual([4, 1280, 7, 7]);
    const largest = wanted.reduce(
      (max, v, i) => Math.max(max, Math.abs(v - Number(result.y.data[i]))),
      0,
    );
    expect(largest).toBeLessThan(1e-4);
  });
});

type Layer = EfficientNetConfig['layers'][number];
const curved: Omit<Layer, 'name' | 'channels'> = {
  ...{ kernel: 3, groups: 1, pads: [1, 1, 1, 1], stride: 1, residual: false },
  activation: 'relu6',
};
const straight = { ...curved, activation: null };
const small: EfficientNetConfig = {
  model_type: 'efficientnet_lite',
  image_size: 16,
  hidden_size: 9,
  layers: [
    { ...curved, name: 'stem', channels: 6, stride: 2 },
    { ...curved, name: 'blocks.0.expand', channels: 8 },
    { ...curved, name: 'blocks.0.depthwise', channels: 8, groups: 8, stride: 2 },
    { ...straight, name: 'blocks.0.project', channels: 5 },
    { ...curved, name: 'blocks.1.expand', channels: 10, groups: 5 },
    { ...straight, name: 'blocks.1.project', channels: 5, residual: true },
    { ...curved, name: 'head', channels: 9 },
  ],
};

describe('the stage before the map is halved last', () => {
  it('leads to the same tokens, and their gradients back to it, as by reverse mode one by one', async () => {
    const [images, each] = [2, 3];
    const scope = new Scope();
    const pixels = input('pixels', 'f32', ['images', 3, 16, 16]);
    const slopes = input('slopes', 'f32', ['images', each, 16, 9]);
    const { tokens, stage, pullBack } = finerEfficientNet(scope, small, pixels);
    expect(stage.shape).toEqual(['images', 6, 8, 8]);
    const store = new ParameterStore(scope.parameters, () => 'frozen');
    store.initialize(createRandom(1));
    // Large enough for some ReLU6 to be at either end.
    for (const { data } of Object.values(store.feeds()))
      for (let i = 0; i < data.length; i++) data[i] = 60 * Number(data[i]) + 0.2 * Math.sin(i);
    const plain = efficientNetTokens(scope, small, pixels);
    const whole = { tokens, stage, pulled: pullBack(slopes), plain };
    const wave = (shape: readonly number[]) =>
      tensor(
        'f32',
        shape,
        Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(3 * i)),
      );
    const given = { pixels: wave([images, 3, 16, 16]), slopes: wave([images, each, 16, 9]) };
    using session = await Session.open(whole);
    const found = await session.run({ ...store.feeds(), ...given });
    expect(found.tokens.data).toEqual(found.plain.data);
    const values = new Set(Array.from(found.tokens.data, Number));
    expect([values.has(0), values.has(6)]).toEqual([true, true]);

    const place = input('place', 'f32', [1, 6, 8, 8]);
    const slope = input('slope', 'f32', [1, 16, 9]);
    const rest = { ...small, layers: small.layers.slice(1) };
    const sum = reduceSum(mul(efficientNetTokens(scope, rest, place), slope));
    using reverse = await Session.open({ back: gradients(sum, [place])[0] });
    const behind = Object.fromEntries(
      Object.entries(store.feeds()).filter(([name]) => !name.startsWith('stem.')),
    );
    const part = (data: ArrayLike<number | bigint>, size: number, at: number) =>
      Float32Array.from({ length: size }, (_, i) => Number(data[at * size + i]));
    for (let row = 0; row < images * each; row++) {
      const one = await reverse.run({
        ...behind,
        place: tensor('f32', [1, 6, 8, 8], part(found.stage.data, 384, Math.floor(row / each))),
        slope: tensor('f32', [1, 16, 9], part(given.slopes.data, 144, row)),
      });
      const pulled = part(found.pulled.data, 384, row);
      for (const [i, value] of pulled.entries())
        expect(value).toBeCloseTo(Number(one.back.data[i]), 3);
    }
  });
});
