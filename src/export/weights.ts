/** The weights of an exported graph: each in the format that was asked for, read when its turn comes. */
import { type DType, dtypes } from '../engine/graph/dtype.ts';
import { topologicalOrder, type Value } from '../engine/graph/graph.ts';
import { fromFloat32 } from '../weights/weight.ts';

/** Formats of exported weights. */
export const exportDtypes = ['f32', 'f16'] as const;
export type ExportDtype = (typeof exportDtypes)[number];

/** A weight that will stand in an ONNX file, or beside it. */
export interface PlannedWeight {
  readonly dtype: DType;
  readonly byteLength: number;
  read(): Promise<Uint8Array>;
}

/** A graph and what its parameters are filled with. */
export interface WeightPlan {
  readonly outputs: Readonly<Record<string, Value>>;
  readonly weights: ReadonlyMap<string, PlannedWeight>;
}

/** Reads a parameter's values by its name in the graph. */
export type ReadParameter = (name: string) => Promise<Float32Array>;

/** Plans the parameters that `outputs` reach. */
export function planWeights(
  outputs: Readonly<Record<string, Value>>,
  read: ReadParameter,
  dtype: ExportDtype,
): WeightPlan {
  const weights = new Map<string, PlannedWeight>();
  for (const { op, attributes } of topologicalOrder(Object.values(outputs))) {
    if (op !== 'parameter' || weights.has(attributes.name)) continue;
    const { name, shape } = attributes;
    const count = shape.map(Number).reduce((product, size) => product * size, 1);
    weights.set(name, {
      dtype,
      byteLength: count * dtypes[dtype].bytes,
      read: async () => fromFloat32(await read(name), shape.map(Number), dtype).data,
    });
  }
  return { outputs, weights };
}
