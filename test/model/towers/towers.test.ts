/** What every tower of the table must do, and each one's own promises. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { input } from '../../../src/engine/graph/graph.ts';
import { Session } from '../../../src/engine/runtime/session.ts';
import { type Tensor, tensor } from '../../../src/engine/runtime/tensor.ts';
import { loadModel } from '../../../src/model/checkpoint/pretrained.ts';
import { openTower, towerGraph } from '../../../src/model/checkpoint/tower.ts';
import { parseBlipConfig, type VisionConfig } from '../../../src/model/config.ts';
import { type TowerName, towerNames, towerOf, towers } from '../../../src/model/towers/towers.ts';
import { noDropout } from '../../../src/nn/dropout.ts';
import { ParameterStore } from '../../../src/nn/parameter-store.ts';
import { Scope } from '../../../src/nn/scope.ts';
import { openWeights } from '../../../src/weights/open.ts';
import { writeSafetensors } from '../../../src/weights/safetensors/write.ts';
import { fixtures } from '../../paths.ts';

const tiny = join(fixtures, 'blip/tiny');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-towers-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const convolution = { kernel: 3, groups: 1, pads: [1, 1, 1, 1], activation: 'relu6' } as const;

/** A small one of each kind, as it stands in a config.json. */
const small: { readonly [Name in TowerName]: object } = {
  blip_vision_model: {
    hidden_size: 12,
    intermediate_size: 24,
    num_hidden_layers: 3,
    num_attention_heads: 3,
    image_size: 16,
    patch_size: 4,
  },
  efficientnet_lite: {
    image_size: 16,
    hidden_size: 12,
    layers: [
      { ...convolution, name: 'stem', channels: 6, stride: 2 },
      { ...convolution, name: 'blocks.0.expand', channels: 8, stride: 1 },
      { ...convolution, name: 'blocks.0.project', channels: 6, stride: 1, residual: true },
      { ...convolution, name: 'head', channels: 12, stride: 2 },
    ],
  },
};

function configOf(name: TowerName): VisionConfig {
  const json = { vision_config: { model_type: name, ...small[name] } };
  return parseBlipConfig(json, 'config.json').vision_config;
}

describe.each(towerNames)('%s', (name) => {
  const config = configOf(name);
  const scope = new Scope();
  const tokens = towerGraph(scope, config);

  it('gives as many tokens as it says, of the width that its config says', async () => {
    const store = new ParameterStore(scope.parameters, () => 'frozen');
    store.initialize(createRandom(1));
    const size = config.image_size;
    const pixels = Float32Array.from({ length: 2 * 3 * size * size }, (_, i) => Math.sin(i));
    using session = await Session.open({ tokens });
    const run = async (values: Float32Array, images: number) => {
      const feeds = { ...store.feeds(), pixels: tensor('f32', [images, 3, size, size], values) };
      return (await session.run(feeds)).tokens;
    };
    const both = await run(pixels, 2);
    expect(both.shape).toEqual([2, towerOf(config).tokens, config.hidden_size]);
    // An image's tokens do not depend on its neighbour.
    const second = await run(pixels.slice(pixels.length / 2), 1);
    const all = values(both);
    expect(difference(values(second), all.slice(all.length / 2))).toBeLessThan(1e-5);
    expect(new Set(all).size).toBeGreaterThan(all.length / 4);
  });

  it('names its blocks so that each holds parameters, in the order of computation', () => {
    const { blocks } = towerOf(config);
    const names = scope.parameters.map((parameter) => parameter.name);
    const places = blocks.map((block) =>
      names.findIndex((parameter) => parameter.startsWith(`vision_model.${block}`)),
    );
    expect(places.every((place) => place >= 0)).toBe(true);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    // Nothing that is computed after the first block is in no block.
    const rest = names.slice(places[0]);
    expect(
      rest.filter((parameter) => !blocks.some((b) => parameter.startsWith(`vision_model.${b}`))),
    ).toEqual([]);
  });

  it('has a table of positions among its parameters, if it says so', () => {
    const { positionEmbedding, positionIds } = towers[name].names;
    const names = scope.parameters.map((parameter) => parameter.name);
    if (positionEmbedding !== undefined)
      expect(names).toContain(`vision_model.${positionEmbedding}`);
    for (const buffer of positionIds) expect(names).not.toContain(`vision_model.${buffer}`);
  });

  it('declares its parameters below the scope that it is given, and the same ones each time', () => {
    const sizes = (parameters: Scope['parameters']) =>
      parameters.map((parameter) => [parameter.name, parameter.shape]);
    const alone = new Scope();
    const pixels = input('pixels', 'f32', ['images', 3, config.image_size, config.image_size]);
    towerOf(config).build(alone, pixels, noDropout);
    const inModel = sizes(alone.parameters).map(([parameter, shape]) => [
      `vision_model.${parameter}`,
      shape,
    ]);
    expect(inModel).toEqual(sizes(scope.parameters));
  });
});

function values({ data }: Tensor): number[] {
  return Array.from({ length: data.length }, (_, i) => Number(data[i]));
}

function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));
}

describe('the table', () => {
  it('refuses a kind of tower that it does not have, naming those it has', () => {
    const json = { vision_config: { model_type: 'swin' } };
    expect(() => parseBlipConfig(json, 'config.json')).toThrow(
      'config.json: vision_config.model_type: "swin" is none of the vision towers that are known: blip_vision_model, efficientnet_lite',
    );
  });

  it("says which of a tower's fields does not fit", () => {
    const odd = { vision_config: { hidden_size: 10, num_attention_heads: 3 } };
    expect(() => parseBlipConfig(odd, 'c')).toThrow(
      'c: vision_config.num_attention_heads (3) does not divide vision_config.hidden_size (10)',
    );
    const list = {
      vision_config: { model_type: 'efficientnet_lite', image_size: 8, hidden_size: 4 },
    };
    expect(() => parseBlipConfig(list, 'c')).toThrow('c: vision_config.layers: ');
  });
});

describe('a folder of vision weights alone', () => {
  it.each(['', 'vision_model.'])(
    "gives the captioner's tokens, under names with '%s'",
    async (stem) => {
      await using model = await loadModel(tiny);
      await using expected = await openWeights(join(tiny, 'expected.safetensors'));
      const path = await mkdtemp(join(folder, 'vit-'));
      await writeFile(join(path, 'config.json'), JSON.stringify(model.config.vision_config));
      await writeFile(
        join(path, 'preprocessor_config.json'),
        JSON.stringify({
          size: {
            height: model.config.vision_config.image_size,
            width: model.config.vision_config.image_size,
          },
        }),
      );
      const prefix = 'vision_model.';
      const weights = [...model.weights.lazy()].filter(([name]) => name.startsWith(prefix));
      await writeSafetensors(
        join(path, 'model.safetensors'),
        weights.map(([name, weight]) => [stem + name.slice(prefix.length), weight]),
      );
      const tower = await openTower(path);
      const pixels = await expected.readFloat32('pixel_values');
      const wanted = await expected.readFloat32('image_embeds');
      using session = await Session.open({ y: towerGraph(new Scope(), tower.config) });
      const size = tower.config.image_size;
      const images = pixels.length / (3 * size * size);
      const feeds = {
        ...tower.store.feeds(),
        pixels: tensor('f32', [images, 3, size, size], pixels),
      };
      const { y } = await session.run(feeds);
      expect(difference(values(y), wanted)).toBeLessThan(1e-5);
    },
  );
});
