/**
 * Weights rounded to 8 bits: a tensor `NAME` of i8 [rows, ...] with `NAME.scale`, f32 [rows], beside it stands for
 * f32 numbers, row by row the whole numbers times the row's scale.
 */
import { InputError } from '../base/errors.ts';
import { checkTargetLength } from './safetensors/read.ts';
import { elementCount, fromFloat32, type WeightInfo, type WeightSource } from './weight.ts';

/** A rounded tensor as it is stored. */
export interface RoundedRows {
  /** [rows, columns]. */
  readonly values: Int8Array;
  /** [rows]. */
  readonly scale: Float32Array;
}

/** A rounded tensor that is not read yet. */
export interface RoundedTensor {
  /** Its whole numbers as they are stored. */
  readonly values: WeightInfo;
  /** Its scales as they are stored: [rows]. */
  readonly scale: WeightInfo;
  read(): Promise<RoundedRows>;
}

/** A source in which rounded tensors are of f32. */
export interface WideningSource extends WeightSource {
  /** A rounded tensor as it is stored; undefined for any other. */
  rounded(name: string): RoundedTensor | undefined;
}

export const scaleSuffix = '.scale';

/** The tensors of `source`, with rounded ones as f32. @throws InputError when scales do not fit their tensor */
export function widening(source: WeightSource): WideningSource {
  const rounded = new Map<string, RoundedTensor>();
  for (const info of source.tensors.values()) {
    const scale = source.tensors.get(info.name + scaleSuffix);
    if (info.dtype === 'i8' && scale) rounded.set(info.name, roundedTensor(source, info, scale));
  }
  const tensors = new Map<string, WeightInfo>();
  for (const [name, info] of source.tensors) {
    if (name.endsWith(scaleSuffix) && rounded.has(name.slice(0, -scaleSuffix.length))) continue;
    tensors.set(name, rounded.has(name) ? wide(info) : info);
  }
  const readFloat32 = async (name: string, target?: Float32Array): Promise<Float32Array> => {
    const stored = rounded.get(name);
    return stored
      ? multiplied(name, await stored.read(), target)
      : source.readFloat32(name, target);
  };
  return {
    ...source,
    tensors,
    rounded: (name) => rounded.get(name),
    readFloat32,
    async read(name) {
      const info = rounded.has(name) ? tensors.get(name) : undefined;
      return info ? fromFloat32(await readFloat32(name), info.shape) : source.read(name);
    },
    async readInto(name, target) {
      if (!rounded.has(name)) return source.readInto(name, target);
      const { data } = fromFloat32(await readFloat32(name), []);
      checkTargetLength(name, target.length, data.length, 'bytes');
      target.set(data);
    },
  };
}

function roundedTensor(source: WeightSource, values: WeightInfo, scale: WeightInfo): RoundedTensor {
  const { name, shape } = values;
  const count = elementCount(scale.shape);
  if (count !== shape[0])
    throw new InputError(
      `${source.path}: '${scale.name}' has ${count} values for the ${shape[0]} rows of '${name}'.`,
    );
  const read = async (): Promise<RoundedRows> => {
    const { data } = await source.read(name);
    const scales = await source.readFloat32(scale.name);
    return { values: new Int8Array(data.buffer, data.byteOffset, data.length), scale: scales };
  };
  return { values, scale, read };
}

/** What is known of a tensor that is computed on reading: it lies nowhere as it is. */
function wide({ name, shape }: WeightInfo): WeightInfo {
  return { name, dtype: 'f32', shape, byteLength: 4 * elementCount(shape) };
}

function multiplied(
  name: string,
  { values, scale }: RoundedRows,
  target: Float32Array = new Float32Array(values.length),
): Float32Array {
  checkTargetLength(name, target.length, values.length, 'values');
  const columns = values.length / scale.length;
  for (let row = 0, i = 0; row < scale.length; row++)
    for (const end = i + columns; i < end; i++) target[i] = values[i] * scale[row];
  return target;
}
