/** The weights in a torch.save file as a weight source: which entries are tensors, and how their bytes are read. */

import { type RandomAccess, readWidened } from '../bytes.ts';
import { checkTarget, findTensor } from '../safetensors/read.ts';
import {
  bytesPerElement,
  elementCount,
  type WeightInfo,
  type WeightSource,
  type WeightTensor,
  widen,
} from '../weight.ts';
import { isTensor, readTorch, type TorchTensor } from './torch.ts';
import { PickleError, PickleTuple } from './unpickle.ts';

/** Where training code puts the state dict when it saves more than that. */
const wrappers = ['model', 'state_dict', 'model_state_dict', 'module'];

/**
 * The tensors of a torch.save file: of its dict of tensors, or of the dict under `model` (as in the
 * original BLIP's files), `state_dict`, `model_state_dict` or `module`.
 * Closing the source closes `access`.
 * @throws PickleError when the file is broken, asks for other objects, or has no tensors where expected.
 */
export function readTorchWeights(access: RandomAccess): WeightSource {
  const { path } = access;
  const { found, skipped } = findStateDict(readTorch(access), path);
  const tensors = new Map<string, WeightInfo>();
  for (const [name, tensor] of found) {
    const { dtype, access: holder, bigEndian } = tensor.storage;
    const byteLength = elementCount(tensor.shape) * bytesPerElement(dtype);
    const direct = holder.isFile && !bigEndian && isContiguous(tensor);
    const location = direct ? { location: { path, offset: byteOffset(tensor) } } : {};
    tensors.set(name, { name, dtype, shape: tensor.shape, byteLength, ...location });
  }
  const find = (name: string) => findTensor(found, name, path);
  return {
    path,
    format: 'pickle',
    metadata: new Map(),
    tensors,
    skipped,
    async read(name) {
      const tensor = find(name);
      return { dtype: tensor.storage.dtype, shape: tensor.shape, data: await readTensor(tensor) };
    },
    async readInto(name, target) {
      const tensor = find(name);
      checkTarget(name, target.length, tensors.get(name)?.byteLength ?? 0, 'bytes');
      await readTensor(tensor, target);
    },
    async readFloat32(name, target) {
      const tensor = find(name);
      const { storage, shape } = tensor;
      const values = target ?? new Float32Array(elementCount(shape));
      checkTarget(name, values.length, elementCount(shape), 'values');
      if (isContiguous(tensor) && !storage.bigEndian)
        await readWidened(storage.access, byteOffset(tensor), storage.dtype, values);
      else widen(storage.dtype, await readTensor(tensor), values);
      return values;
    },
    close: () => access.close(),
    [Symbol.asyncDispose]: () => access.close(),
  };
}

/** A tensor of a torch.save file, row-major and little-endian. */
export async function readTorchTensor(tensor: TorchTensor): Promise<WeightTensor> {
  const { storage, shape } = tensor;
  return { dtype: storage.dtype, shape, data: await readTensor(tensor) };
}

function findStateDict(
  value: unknown,
  path: string,
): { found: Map<string, TorchTensor>; skipped: string[] } {
  if (!(value instanceof Map))
    throw new PickleError(path, `it holds ${describe(value)} and not a dict of tensors`);
  let dict: Map<unknown, unknown> = value;
  const skipped: string[] = [];
  const hasTensors = (entries: Map<unknown, unknown>) => [...entries.values()].some(isTensor);
  if (!hasTensors(value)) {
    const key = wrappers.find((name) => {
      const inner = value.get(name);
      return inner instanceof Map && hasTensors(inner);
    });
    const keys = [...value.keys()].map((name) => show(name));
    if (!key)
      throw new PickleError(
        path,
        `it has no tensors, neither at the top nor under ${wrappers.join(', ')}; its keys are: ${keys.slice(0, 10).join(', ') || 'none'}`,
      );
    dict = value.get(key) as Map<unknown, unknown>;
    for (const name of keys) if (name !== key) skipped.push(name);
  }
  const found = new Map<string, TorchTensor>();
  for (const [name, item] of dict) {
    if (typeof name === 'string' && isTensor(item)) found.set(name, item);
    else skipped.push(show(name));
  }
  return { found, skipped };
}

function show(key: unknown): string {
  return typeof key === 'string' ? key.slice(0, 100) : describe(key);
}

function describe(value: unknown): string {
  if (isTensor(value)) return 'a single tensor';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof PickleTuple) return 'a tuple';
  if (value === null) return 'None';
  return typeof value === 'object' ? 'an object' : `${typeof value} ${String(value).slice(0, 40)}`;
}

function byteOffset({ storage, offset }: TorchTensor): number {
  return storage.offset + offset * bytesPerElement(storage.dtype);
}

function isContiguous({ shape, stride }: TorchTensor): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    // The stride of a dimension of 1 means nothing.
    if (shape[i] !== 1 && stride[i] !== expected) return elementCount(shape) === 0;
    expected *= shape[i];
  }
  return true;
}

async function readTensor(tensor: TorchTensor, target?: Uint8Array): Promise<Uint8Array> {
  const { storage, shape, stride } = tensor;
  const width = bytesPerElement(storage.dtype);
  const count = elementCount(shape);
  const result = target ?? new Uint8Array(count * width);
  if (count === 0) return result;
  if (isContiguous(tensor)) await storage.access.read(byteOffset(tensor), result);
  else {
    const span = shape.reduce((sum, n, i) => sum + (n - 1) * stride[i], 1);
    const source = new Uint8Array(span * width);
    await storage.access.read(byteOffset(tensor), source);
    gather(source, result, shape, stride, width);
  }
  if (storage.bigEndian) swapBytes(result, width);
  return result;
}

/** Copies strided elements of `source` to `target` in row-major order. */
function gather(
  source: Uint8Array,
  target: Uint8Array,
  shape: readonly number[],
  stride: readonly number[],
  width: number,
): void {
  const inner = shape.length - 1;
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < target.length; ) {
    for (let i = 0, at = from; i < shape[inner]; i++, at += stride[inner])
      for (let b = 0; b < width; b++) target[to++] = source[at * width + b];
    for (let d = inner - 1; d >= 0; d--) {
      from += stride[d];
      if (++index[d] < shape[d]) break;
      from -= shape[d] * stride[d];
      index[d] = 0;
    }
  }
}

function swapBytes(bytes: Uint8Array, width: number): void {
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}
