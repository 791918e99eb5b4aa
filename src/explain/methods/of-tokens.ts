/** Methods that look into the model: values of image tokens, laid out over the picture. */
import { resizeGrid } from '../grid.ts';
import { forcedIds } from '../model.ts';
import * as tokenMaps from '../token-maps.ts';
import { integratedGradients, type TokenMaps } from '../token-maps.ts';
import type { ExplainedScene, Maps, Method } from './method.ts';

export const attention: Method = {
  about: 'attention of the decoder to the picture',
  isSigned: false,
  maps: (scene) => laidOut(scene, tokenMaps.attention),
};

export const gradientAttention: Method = {
  about: 'attention, where more of it makes the word likelier',
  isSigned: false,
  maps: (scene) => laidOut(scene, tokenMaps.gradientAttention),
};

export const gradientInput: Method = {
  about: 'gradient times image token',
  isSigned: true,
  maps: (scene) => laidOut(scene, tokenMaps.gradientInput),
};

export const integrated: Method = {
  about: 'gradients on the way from no picture to this one, summed',
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
  const grids = await model.grids();
  const { members } = await explain(model, tokens, forcedIds([ids]));
  const [{ side }] = grids;
  const values = Array.from({ length: ids.length - 1 }, (_, position) => {
    const sum = new Float32Array(side * side);
    for (const [m, map] of members.entries()) {
      const { side: own, first } = grids[m];
      const start = position * tokens[m].shape[1] + first;
      const places = map.subarray(start, start + own * own);
      for (const [i, value] of resizeGrid(places, own, side).entries()) sum[i] += value;
    }
    return sum;
  });
  return { side, values };
}
