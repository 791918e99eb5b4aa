/** What a run of a session reads, and whether it fits the graph. */
import type * as ort from 'onnxruntime-node';
import { InputError } from '../../base/errors.ts';
import type { DType } from '../graph/dtype.ts';
import { printShape } from '../graph/shape.ts';
import type { GraphInput } from '../onnx/encode.ts';
import type { Tensor } from './tensor.ts';

/**
 * A value on a device, as a run with `keepOnDevice` gives it: feed it again, read it with
 * `readFromDevice`, or dispose it.
 */
export class DeviceTensor implements Disposable {
  readonly raw: ort.Tensor;
  readonly dtype: DType;
  constructor(raw: ort.Tensor, dtype: DType) {
    this.raw = raw;
    this.dtype = dtype;
  }
  get shape(): readonly number[] {
    return this.raw.dims;
  }
  [Symbol.dispose](): void {
    this.raw.dispose();
  }
}

export type Feed = Tensor | DeviceTensor;

/** What a run reads: a value for every input, by name. */
export type Feeds = Readonly<Record<string, Feed>>;

/** Checks dtypes and shapes, and that every symbolic size is the same wherever it stands. */
export function checkFeeds(
  feeds: Feeds,
  inputs: ReadonlyMap<string, GraphInput>,
): ReadonlyMap<string, number> {
  const sizes = new Map<string, { size: number; name: string }>();
  for (const [name, value] of Object.entries(feeds)) {
    const spec = inputs.get(name);
    if (!spec) throw new InputError(`the graph has no input '${name}'`);
    checkType('input', value, spec);
    for (const [axis, d] of spec.shape.entries()) {
      if (typeof d === 'number') continue;
      const size = value.shape[axis];
      const known = sizes.get(d);
      if (known && known.size !== size)
        throw new InputError(
          `the size '${d}' is ${known.size} in the input '${known.name}' but ${size} in '${name}'`,
        );
      sizes.set(d, { size, name });
    }
  }
  for (const name of inputs.keys())
    if (!(name in feeds)) throw new InputError(`the input '${name}' is missing`);
  return new Map([...sizes].map(([name, { size }]) => [name, size]));
}

/** @throws InputError where a tensor has another dtype or shape than the graph says */
export function checkType(kind: 'input' | 'output', value: Feed, spec: GraphInput): void {
  const fits =
    value.dtype === spec.dtype &&
    value.shape.length === spec.shape.length &&
    spec.shape.every((d, i) => typeof d !== 'number' || d === value.shape[i]);
  if (!fits)
    throw new InputError(
      `the ${kind} '${spec.name}' must be ${spec.dtype}${printShape(spec.shape)}, not ${value.dtype}${printShape(value.shape)}`,
    );
}
