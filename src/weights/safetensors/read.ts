/**
 * Reading safetensors from memory or by random access (header at once, tensors on demand), and encoding
 * them in memory. Browser-safe: files are opened and written by weights-file.ts and safetensors-write.ts.
 */
import { InputError } from '../../base/errors.ts';
import { accessBytes, type RandomAccess, readWidened } from '../bytes.ts';
import {
  aligned,
  bytesPerElement,
  elementCount,
  type WeightInfo,
  type WeightSource,
  type WeightTensor,
} from '../weight.ts';
import { headerLength, layOut, parseHeader, quote, sizeError } from './header.ts';

export { SafetensorsError } from './header.ts';

/** A tensor of a safetensors file and where its bytes begin in that file. */
export interface SafetensorsInfo extends WeightInfo {
  readonly fileOffset: number;
}

/** An open safetensors file. */
export interface SafetensorsSource extends WeightSource {
  readonly tensors: ReadonlyMap<string, SafetensorsInfo>;
}

/**
 * Reads the header of a safetensors file; tensors are read on demand. Closing the source closes `access`.
 * @throws SafetensorsError when the header breaks the format (then `access` stays open).
 */
export function readSafetensors(access: RandomAccess): SafetensorsSource {
  const { path, size } = access;
  const prefix = new Uint8Array(8);
  if (size >= 8) access.readSync(0, prefix);
  const json = new Uint8Array(headerLength(prefix, size, path));
  access.readSync(8, json);
  const { metadata, entries, dataOffset } = parseHeader(json, size, path);
  const tensors = new Map<string, SafetensorsInfo>();
  for (const { name, dtype, shape, begin, end } of entries) {
    const fileOffset = dataOffset + begin;
    const location = access.isFile ? { location: { path, offset: fileOffset } } : {};
    tensors.set(name, { name, dtype, shape, byteLength: end - begin, fileOffset, ...location });
  }
  const find = (name: string) => findTensor(tensors, name, path);
  return {
    path,
    format: 'safetensors',
    metadata,
    tensors,
    skipped: [],
    async read(name) {
      const { dtype, shape, byteLength, fileOffset } = find(name);
      const data = new Uint8Array(byteLength);
      await access.read(fileOffset, data);
      return { dtype, shape, data };
    },
    async readInto(name, target) {
      const { byteLength, fileOffset } = find(name);
      checkTargetLength(name, target.length, byteLength, 'bytes');
      await access.read(fileOffset, target);
    },
    async readFloat32(name, target) {
      const { dtype, shape, fileOffset } = find(name);
      const count = elementCount(shape);
      const values = target ?? new Float32Array(count);
      checkTargetLength(name, values.length, count, 'values');
      await readWidened(access, fileOffset, dtype, values);
      return values;
    },
    close: () => access.close(),
    [Symbol.asyncDispose]: () => access.close(),
  };
}

/**
 * All tensors of a safetensors file in memory, as views of `bytes` where the alignment allows.
 * @param label what messages call the file
 * @throws SafetensorsError when the file breaks the format.
 */
export function parseSafetensors(
  bytes: Uint8Array,
  label?: string,
): { metadata: ReadonlyMap<string, string>; tensors: Map<string, WeightTensor> } {
  const source = readSafetensors(accessBytes(bytes, label));
  const tensors = new Map<string, WeightTensor>();
  for (const { name, dtype, shape, byteLength, fileOffset } of source.tensors.values()) {
    const view = new Uint8Array(bytes.buffer, bytes.byteOffset + fileOffset, byteLength);
    const data = aligned(view, bytesPerElement(dtype));
    tensors.set(name, { dtype, shape, data });
  }
  return { metadata: source.metadata, tensors };
}

/** The whole file in memory: for browsers and small models. */
export function encodeSafetensors(
  weights: ReadonlyMap<string, WeightTensor>,
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): Uint8Array {
  const items = [...weights].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const { prefix, entries } = layOut(items, Object.entries(metadata), 'memory');
  const result = new Uint8Array(prefix.length + (entries.at(-1)?.end ?? 0));
  result.set(prefix);
  for (const { name, begin, end } of entries) {
    const data = weights.get(name)?.data;
    if (data?.length !== end - begin)
      throw sizeError('memory', name, data?.length ?? 0, end - begin);
    result.set(data, prefix.length + begin);
  }
  return result;
}

/** The tensor's entry. @throws InputError naming the source when it has none. */
export function findTensor<Info>(
  tensors: ReadonlyMap<string, Info>,
  name: string,
  path: string,
): Info {
  const info = tensors.get(name);
  if (!info) throw new InputError(`${path} has no tensor ${quote(name)}.`);
  return info;
}

/** Refuses a target of another length than the tensor's. */
export function checkTargetLength(
  name: string,
  length: number,
  wanted: number,
  unit: string,
): void {
  if (length !== wanted)
    throw new RangeError(
      `tensor ${quote(name)} has ${wanted} ${unit} and the target holds ${length}`,
    );
}
