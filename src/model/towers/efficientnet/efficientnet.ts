/** EfficientNet-Lite as a row of the table of towers. */
import * as z from 'zod';
import { parsePreprocessing } from '../../../data/images/preprocess.ts';
import type { TowerKind } from '../tower.ts';
import { type EfficientNetConfig, efficientNetSchema } from './config.ts';
import { blockOf, efficientNetTokens, finerEfficientNet, lastStage } from './graph.ts';

/** The layer list of a published folder, whose widths stand in the weights alone. */
const layersJson = z.looseObject({
  image_size: z.int().positive(),
  width: z.int().positive(),
  layers: z.array(z.looseObject({ name: z.string() })).nonempty(),
});

export const efficientNet: TowerKind<EfficientNetConfig> = {
  schema: efficientNetSchema,
  fault: () => undefined,
  of: (config) => ({
    tokens: sideOf(config) ** 2,
    grid: { side: sideOf(config), first: 0 },
    build: (scope, pixels) => efficientNetTokens(scope, config, pixels),
    finer: {
      side: sideOf({ ...config, layers: config.layers.slice(0, lastStage(config)) }),
      build: (scope, pixels) => finerEfficientNet(scope, config, pixels),
    },
    blocks: blocksOf(config),
  }),
  opensInPython: false,
  names: { original: [], positionIds: [] },
  published: {
    config(json, shapeOf) {
      const list = layersJson.safeParse(json);
      if (!list.success) return undefined;
      return {
        model_type: 'efficientnet_lite',
        image_size: list.data.image_size,
        hidden_size: list.data.width,
        layers: list.data.layers.map((layer) => ({
          ...layer,
          channels: shapeOf(`${layer.name}.weight`)?.[0],
        })),
      };
    },
    /** x / 127.5 - 1, as EfficientNet-Lite was trained. */
    preprocessing(size) {
      const half = [0.5, 0.5, 0.5];
      return parsePreprocessing({ size, image_mean: half, image_std: half }, 'EfficientNet-Lite');
    },
  },
};

function sideOf({ image_size, layers }: Pick<EfficientNetConfig, 'image_size' | 'layers'>): number {
  return Math.ceil(image_size / product(layers.map(({ stride }) => stride)));
}

function product(numbers: readonly number[]): number {
  return numbers.reduce((result, number) => result * number, 1);
}

function blocksOf({ layers }: EfficientNetConfig): string[] {
  return [...new Set(layers.map(blockOf))].map((name) => `${name}.`);
}
