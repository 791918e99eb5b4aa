/** The weights in a torch.save file as a weight source: which entries are tensors, and how their bytes are read. */

import { firstFew } from '../../base/errors.ts';
import { type RandomAccess, readWidened } from '../bytes.ts';
import { checkTargetLength, findTensor } from '../safetensors/read.ts';
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

/** Where training code puts the state dict when it saves more than that, best first: averages come last. */
const wrappers = [
  'model',
  'state_dict',
  'model_state_dict',
  'module',
  'net',
  'network',
  'weights',
  'params',
  'ema',
  'model_ema',
  'ema_model',
  'ema_state_dict',
  'state_dict_ema',
  'shadow_params',
  'shadow',
];
/** How deep they are looked for, as in `{"ema": {"module": {"state_dict": ...}}}`. */
const mostWrappers = 4;

/**
 * The tensors of a torch.save file: of its dict of tensors, or of the dict under `model` (as in the
 * original BLIP's files), `state_dict` or another of the usual names, also one in another.
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
    read: async (name) => readTorchTensor(find(name)),
    async readInto(name, target) {
      const tensor = find(name);
      checkTargetLength(name, target.length, tensors.get(name)?.byteLength ?? 0, 'bytes');
      await readTensor(tensor, target);
    },
    async readFloat32(name, target) {
      const tensor = find(name);
      const { storage, shape } = tensor;
      const values = target ?? new Float32Array(elementCount(shape));
      checkTargetLength(name, values.length, elementCount(shape), 'values');
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
  const skipped: string[] = [];
  const dict = unwrap(value, skipped, mostWrappers);
  if (!dict) {
    const keys = [...value.keys()].map((name) => show(name));
    throw new PickleError(
      path,
      `it has no tensors, neither at the top nor under ${firstFew(wrappers, 4)} usual names; its keys are: ${firstFew(keys, 10) || 'none'}`,
    );
  }
  const found = new Map<string, TorchTensor>();
  for (const [name, item] of dict) {
    if (typeof name === 'string' && isTensor(item)) found.set(name, item);
    else skipped.push(show(name));
  }
  return { found, skipped };
}

/** The dict of tensors, at the top or in wrappers; what stands beside it goes to `skipped`. */
function unwrap(
  value: unknown,
  skipped: string[],
  depth: number,
): Map<unknown, unknown> | undefined {
  if (!(value instanceof Map)) return undefined;
  const isWrapped = (name: string) => value.get(name) instanceof Map;
  // A few single tensors, such as a step or a temperature, may stand beside the dict.
  const tensors = [...value.values()].filter(isTensor).length;
  if (tensors > 0 && !wrappers.some((name) => isWrapped(name) && tensors < 4)) return value;
  if (depth === 0) return undefined;
  for (const name of wrappers) {
    const inside: string[] = [];
    const dict = unwrap(value.get(name), inside, depth - 1);
    if (!dict) continue;
    for (const key of value.keys()) if (key !== name) skipped.push(show(key));
    for (const key of inside) skipped.push(key);
    return dict;
  }
  return tensors > 0 ? value : undefined;
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
