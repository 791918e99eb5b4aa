/** Pooled features of training images with their class probabilities: what concepts are scored from. */
import { f16ToF32 } from '../../base/half.ts';
import { input } from '../../engine/graph/graph.ts';
import * as ops from '../../engine/graph/ops.ts';
import { Session, type SessionOptions } from '../../engine/runtime/session.ts';
import { tensor } from '../../engine/runtime/tensor.ts';
import type { Classifier } from '../../model/checkpoint/tower.ts';
import type { FeatureCache } from '../features/cache.ts';
import type { PooledImages } from './fit.ts';

/**
 * Means over the tokens of every view of every image, image by image and view by view, and what the classifier
 * makes of them.
 * @param width of a token
 * @throws InputError naming a file of features that was damaged or removed; the signal's reason when aborted
 */
export async function poolImages(
  cache: FeatureCache,
  images: number,
  width: number,
  classifier: Classifier | undefined,
  { session, signal }: { readonly session: SessionOptions; readonly signal?: AbortSignal },
): Promise<PooledImages> {
  const { views, valuesPerImage } = cache;
  const pooled = new Float32Array(images * views * width);
  const tokens = new Uint16Array(valuesPerImage * views);
  const everyView = Array.from({ length: views }, (_, view) => view);
  for (let image = 0; image < images; image++) {
    signal?.throwIfAborted();
    const places = everyView.map(() => image);
    await cache.read(places, everyView, tokens);
    const values = f16ToF32(tokens);
    for (const view of everyView) {
      const row = image * views + view;
      addMean(
        values.subarray(view * valuesPerImage, (view + 1) * valuesPerImage),
        pooled.subarray(row * width, (row + 1) * width),
      );
    }
  }
  const image = Array.from({ length: images * views }, (_, row) => Math.floor(row / views));
  const classes = classifier
    ? await classProbabilities(pooled, width, classifier, session)
    : new Float32Array(0);
  return { pooled, width, classes, image };
}

function addMean(tokens: Float32Array, mean: Float32Array): void {
  const width = mean.length;
  for (let at = 0; at < tokens.length; at += width)
    for (let i = 0; i < width; i++) mean[i] += tokens[at + i];
  const count = tokens.length / width;
  for (let i = 0; i < width; i++) mean[i] /= count;
}

const rowsAtOnce = 1024;

/** [rows, classes] from pooled tokens [rows, width]. */
async function classProbabilities(
  pooled: Float32Array,
  width: number,
  { weight, bias }: Classifier,
  options: SessionOptions,
): Promise<Float32Array> {
  const count = bias.length;
  const x = input('pooled', 'f32', ['rows', width]);
  const logits = ops.add(
    ops.matmul(x, input('weight', 'f32', [count, width]), { transB: true }),
    input('bias', 'f32', [count]),
  );
  using session = await Session.open({ classes: ops.softmax(logits, 1) }, options);
  const rows = pooled.length / width;
  const result = new Float32Array(rows * count);
  for (let start = 0; start < rows; start += rowsAtOnce) {
    const end = Math.min(rows, start + rowsAtOnce);
    await session.run(
      {
        pooled: tensor('f32', [end - start, width], pooled.subarray(start * width, end * width)),
        weight: tensor('f32', [count, width], weight),
        bias: tensor('f32', [count], bias),
      },
      {
        classes: tensor('f32', [end - start, count], result.subarray(start * count, end * count)),
      },
    );
  }
  return result;
}
