/** Methods that look into the model: values of image tokens, laid out over the picture. */
import { median } from '../../base/median.ts';
import { batchOf } from '../../caption/executor/batch.ts';
import { positiveShares, resizeGrid, smoothGrid } from '../grid.ts';
import { forcedIds } from '../model.ts';
import * as tokenMaps from '../token-maps.ts';
import { integratedGradients, type TokenMaps } from '../token-maps.ts';
import type { ExplainedScene, Maps, Method } from './method.ts';

/** Gradients through a stride of two are uneven from cell to cell; a Gaussian hill of one cell evens them out. */
const deviation = 1;

export const layerCam: Method = {
  isSigned: false,
  async maps(scene: ExplainedScene): Promise<Maps> {
    const { side, values, besides } = await layerCamOf(scene);
    return { side, values: values.map((map) => smoothGrid(map, side, deviation)), besides };
  },
};

/**
 * LayerCAM as shares of 1, where the word takes more of a place than the caption's median position does, else 0: what stands out in
 * the picture stands out at every word, and tells none of them. docs/explain.md has the figures.
 */
export const contrastiveLayerCam: Method = {
  isSigned: false,
  async maps(scene: ExplainedScene): Promise<Maps> {
    const { side, values, besides } = await layerCamOf(scene);
    const shares = values.map(positiveShares);
    const usual = shares[0].map((_, cell) => median(shares.map((map) => map[cell])));
    const contrasts = shares.map((map) =>
      smoothGrid(map, side, deviation).map((share, cell) => (map[cell] > usual[cell] ? share : 0)),
    );
    return { side, values: contrasts, besides };
  },
};

async function layerCamOf({
  model,
  pixels,
  size,
  ids,
  signal,
}: ExplainedScene): Promise<Required<Maps>> {
  signal?.throwIfAborted();
  const found = await tokenMaps.layerCamMaps(
    model,
    batchOf([pixels], { width: size, height: size }),
    forcedIds([ids]),
  );
  const { logprobs, means } = found;
  return { ...placed(found, await model.finerGrids()), besides: { logprobs, means } };
}

export const attention: Method = {
  isSigned: false,
  maps: (scene) => laidOut(scene, tokenMaps.attention),
};

export const gradientAttention: Method = {
  isSigned: false,
  maps: (scene) => laidOut(scene, tokenMaps.gradientAttention),
};

export const relevance: Method = {
  isSigned: false,
  maps: (scene) => laidOut(scene, tokenMaps.relevanceMaps),
};

export const gradientInput: Method = {
  isSigned: true,
  maps: (scene) => laidOut(scene, tokenMaps.gradientInput),
};

export const integrated: Method = {
  isSigned: true,
  maps: (scene) =>
    laidOut(scene, (model, tokens, forced) =>
      integratedGradients(model, tokens, forced, {
        ...(scene.signal && { signal: scene.signal }),
      }),
    ),
};

async function laidOut(
  { model, tokens, ids, signal }: ExplainedScene,
  explain: (...args: Parameters<typeof tokenMaps.attention>) => Promise<TokenMaps>,
): Promise<Maps> {
  signal?.throwIfAborted();
  const found = await explain(model, await tokens(), forcedIds([ids]));
  return placed(found, await model.grids());
}

/** The members' values of one picture, summed where they lie. */
function placed(
  { logprobs, members }: TokenMaps,
  grids: readonly { readonly side: number; readonly first: number }[],
): Omit<Maps, 'besides'> {
  const [{ side }] = grids;
  const values = Array.from(logprobs, (_, position) => {
    const sum = new Float32Array(side * side);
    for (const [m, map] of members.entries()) {
      const { side: own, first } = grids[m];
      const start = (position * map.length) / logprobs.length + first;
      const places = map.subarray(start, start + own * own);
      for (const [i, value] of resizeGrid(places, own, side).entries()) sum[i] += value;
    }
    return sum;
  });
  return { side, values };
}
