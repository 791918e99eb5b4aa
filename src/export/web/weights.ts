/** A model's weights for the web: as they are, in 16 bits, or rounded to 8 with a scale a row. */
import { quantizeGraph, roundRows } from '../../generation/quantisation.ts';
import { encoderGraph, stepGraph } from '../../model/blip.ts';
import type { PretrainedWeights } from '../../model/checkpoint/weights.ts';
import type { BlipConfig } from '../../model/config.ts';
import { Scope } from '../../nn/scope.ts';
import { scaleSuffix } from '../../weights/rounded.ts';
import type { LazyWeight } from '../../weights/safetensors/write.ts';
import { elementCount } from '../../weights/weight.ts';
import { isScorer, leastValues, productLimit, roundedParts, tableLimit } from '../weights.ts';

/** The weights with products', tables and kernels in 8 bits, as an export to ONNX rounds them; the others as they are. */
export function* roundedWeights(
  config: BlipConfig,
  weights: PretrainedWeights,
): Generator<[string, LazyWeight]> {
  const products = productNames(config);
  for (const [name, weight] of weights.lazy()) {
    const { shape } = weight;
    const isProduct = products.has(name);
    const isTable = shape.length > 1 && shape[0] > 1 && elementCount(shape) >= leastValues;
    if (isScorer(name) || !(isProduct || isTable)) {
      yield [name, weight];
      continue;
    }
    const rows = shape[0];
    const columns = elementCount(shape) / rows;
    const limit = isProduct ? productLimit : tableLimit;
    const parts = roundedParts(async () =>
      roundRows(await weights.readFloat32(name), { start: 0, rows, columns }, limit),
    );
    yield [name, { dtype: 'i8', shape, read: parts.matrix }];
    yield [name + scaleSuffix, { dtype: 'f32', shape: [rows], read: parts.scale }];
  }
}

/** Parameters that products read. */
function productNames(config: BlipConfig): ReadonlySet<string> {
  const scope = new Scope();
  const outputs = { ...encoderGraph(scope, config), ...stepGraph(scope, config.text_config) };
  return new Set(quantizeGraph(outputs).weights.map(({ source }) => source));
}
