/** EfficientNet-Lite, against the features that the original program gives. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { input } from '../../../src/engine/graph/graph.ts';
import { Session } from '../../../src/engine/runtime/session.ts';
import { tensor } from '../../../src/engine/runtime/tensor.ts';
import { openTower } from '../../../src/model/checkpoint/tower.ts';
import { efficientNetFeatures } from '../../../src/model/towers/efficientnet/graph.ts';
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
