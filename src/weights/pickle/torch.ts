/**
 * torch.save files without Python: the zip format (torch 1.6 and later) and the legacy stream, read by
 * the restricted unpickler; tensors are read on demand, whatever their strides.
 * Formats: torch/serialization.py and torch/_utils.py of PyTorch.
 */

import { accessBytes, type RandomAccess } from '../bytes.ts';
import { bytesPerElement, elementCount, type WeightDtype } from '../weight.ts';
import { ByteReader, PickleError, type PickleGlobal, PickleTuple, readPickle } from './unpickle.ts';
import { readZipDirectory, type ZipEntry } from './zip.ts';

/** Memory that tensors share; `offset` is the place of its first byte in `access`. */
export interface TorchStorage {
  readonly kind: 'storage';
  readonly dtype: WeightDtype;
  readonly elements: number;
  readonly bigEndian: boolean;
  readonly access: RandomAccess;
  offset: number;
}

/** A view of a storage; offset and stride count elements. */
export interface TorchTensor {
  readonly kind: 'tensor';
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
}

const storageDtypes: Record<string, WeightDtype> = {
  'torch.DoubleStorage': 'f64',
  'torch.FloatStorage': 'f32',
  'torch.HalfStorage': 'f16',
  'torch.BFloat16Storage': 'bf16',
  'torch.LongStorage': 'i64',
  'torch.IntStorage': 'i32',
  'torch.ShortStorage': 'i16',
  'torch.CharStorage': 'i8',
  'torch.ByteStorage': 'u8',
  'torch.BoolStorage': 'bool',
};

const legacyMagic = 0x1950a86a20f9469cfc6cn;
const mostRank = 64;
/** What an expanded tensor (stride 0) may take beyond its storage. */
const mostExpandedBytes = 64 * 2 ** 20;

/**
 * The object that torch.save wrote: maps, arrays, tuples, plain values and tensors.
 * @throws PickleError naming the file when it is no such file, broken, or wants other objects.
 */
export function readTorch(access: RandomAccess): unknown {
  const start = new Uint8Array(Math.min(4, access.size));
  access.readSync(0, start);
  const isZip = start.length === 4 && new DataView(start.buffer).getUint32(0, true) === 0x04034b50;
  return isZip ? readZip(access) : readLegacy(access, 0);
}

function readZip(access: RandomAccess): unknown {
  const fail = (reason: string): PickleError => new PickleError(access.path, reason);
  const entries = readZipDirectory(access);
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const pickle = entries.get(pickles[0] ?? '');
  if (!pickle || pickles.length !== 1) throw fail('it is a zip without torch.save’s data.pkl');
  const prefix = pickle.name.slice(0, -'data.pkl'.length);
  const bigEndian = readByteOrder(access, entries.get(`${prefix}byteorder`), fail);
  const storages = new Map<string, TorchStorage>();
  const persistent = (id: unknown): TorchStorage => {
    const { key, dtype, elements } = storageId(id, 5, fail);
    const known = storages.get(key);
    if (known) {
      if (known.dtype !== dtype || known.elements !== elements)
        throw fail(`storage ${JSON.stringify(key)} is described in two ways`);
      return known;
    }
    const entry = entries.get(`${prefix}data/${key}`);
    if (!entry) throw fail(`its storage ${JSON.stringify(key)} is missing`);
    const bytes = elements * bytesPerElement(dtype);
    if (entry.size !== bytes)
      throw fail(`storage ${JSON.stringify(key)} has ${entry.size} bytes and should have ${bytes}`);
    const offset = entry.locate();
    const storage = { kind: 'storage', dtype, elements, bigEndian, access, offset } as const;
    storages.set(key, storage);
    return storage;
  };
  const begin = pickle.locate();
  const reader = new ByteReader(sliceAccess(access, begin + pickle.size), begin);
  return readPickle(reader, { find: (name) => findGlobal(name, fail, 0), persistent });
}

/** The same access, ending earlier: a pickle must not run into what follows it. */
function sliceAccess(access: RandomAccess, size: number): RandomAccess {
  return { ...access, size };
}

function readByteOrder(
  access: RandomAccess,
  entry: ZipEntry | undefined,
  fail: (reason: string) => PickleError,
): boolean {
  // Files before torch 2.1 do not say; all machines that matter were little-endian.
  if (!entry) return false;
  if (entry.size > 16) throw fail('its byte order is unknown');
  const bytes = new Uint8Array(entry.size);
  access.readSync(entry.locate(), bytes);
  const order = new TextDecoder().decode(bytes);
  if (order !== 'little' && order !== 'big') throw fail('its byte order is unknown');
  return order === 'big';
}

/** Legacy: pickles of magic, protocol, system, object and storage keys, then every storage's bytes. */
function readLegacy(access: RandomAccess, depth: number): unknown {
  const fail = (reason: string): PickleError => new PickleError(access.path, reason);
  const reader = new ByteReader(access);
  const plain = {
    find: (name: string) => findGlobal(name, fail, depth),
    persistent: (): never => {
      throw fail('it names a storage where none can be');
    },
  };
  if (readPickle(reader, plain) !== legacyMagic) throw fail('it was not written by torch.save');
  if (readPickle(reader, plain) !== 1001) throw fail('its legacy format is not version 1001');
  const system = readPickle(reader, plain);
  const bigEndian = system instanceof Map && system.get('little_endian') === false;
  const storages = new Map<string, TorchStorage>();
  const views: { view: TorchStorage; root: TorchStorage; offset: number }[] = [];
  const persistent = (id: unknown): TorchStorage => {
    const { key, dtype, elements, rest } = storageId(id, 5, fail);
    let root = storages.get(key);
    if (root && (root.dtype !== dtype || root.elements !== elements))
      throw fail(`storage ${JSON.stringify(key)} is described in two ways`);
    root ??= { kind: 'storage', dtype, elements, bigEndian, access, offset: Number.NaN };
    storages.set(key, root);
    const viewed = rest[0];
    if (!(viewed instanceof PickleTuple)) return root;
    // A part of a storage, as files of torch before 0.4 have them: (key, offset, elements).
    const [, offset, part] = viewed.items;
    if (!isCount(offset) || !isCount(part) || offset + part > elements)
      throw fail(`a view of storage ${JSON.stringify(key)} lies outside it`);
    const view = { ...root, elements: part };
    views.push({ view, root, offset });
    return view;
  };
  const result = readPickle(reader, { find: plain.find, persistent });
  placeStorages(reader, readPickle(reader, plain), storages, fail);
  for (const { view, root, offset } of views)
    view.offset = root.offset + offset * bytesPerElement(root.dtype);
  return result;
}

function placeStorages(
  reader: ByteReader,
  keys: unknown,
  storages: ReadonlyMap<string, TorchStorage>,
  fail: (reason: string) => PickleError,
): void {
  if (!Array.isArray(keys)) throw fail('its list of storages is missing');
  for (const key of keys) {
    const storage = storages.get(String(key));
    if (!storage)
      throw fail(`it holds a storage ${JSON.stringify(String(key))} that no tensor uses`);
    if (reader.unsigned(8) !== storage.elements)
      throw fail(`storage ${JSON.stringify(String(key))} has another length than its tensors say`);
    const bytes = storage.elements * bytesPerElement(storage.dtype);
    if (bytes > reader.remaining)
      throw fail(`its storage ${JSON.stringify(String(key))} is cut off; the file is truncated`);
    storage.offset = reader.position;
    reader.position += bytes;
  }
  for (const [key, { offset }] of storages)
    if (Number.isNaN(offset)) throw fail(`its storage ${JSON.stringify(key)} is missing`);
}

function storageId(
  id: unknown,
  head: number,
  fail: (reason: string) => PickleError,
): { key: string; dtype: WeightDtype; elements: number; rest: readonly unknown[] } {
  const items = id instanceof PickleTuple ? id.items : [];
  const [kind, type, key, , elements] = items;
  const dtype = isGlobal(type) ? storageDtypes[type.global] : undefined;
  if (kind !== 'storage' || !dtype || typeof key !== 'string' || !isCount(elements))
    throw fail('it names a storage in an unknown way');
  return { key, dtype, elements, rest: items.slice(head) };
}

/** The whole list of what a pickle of weights may name. */
function findGlobal(
  global: string,
  fail: (reason: string) => PickleError,
  depth: number,
): PickleGlobal | undefined {
  if (Object.hasOwn(storageDtypes, global)) return { global };
  switch (global) {
    case 'collections.OrderedDict':
    case 'builtins.dict':
    case '__builtin__.dict':
      return { global, call: ([pairs], charge) => makeDict(pairs, charge, fail) };
    case 'builtins.set':
    case '__builtin__.set':
      return { global, call: ([items], charge) => makeSet(items, charge) };
    case 'torch.Size':
      return { global, call: ([sizes]) => sizes ?? new PickleTuple([]) };
    case '_codecs.encode':
      return { global, call: (args, charge) => encodeLatin1(args, charge, fail) };
    case 'torch._utils._rebuild_tensor':
    case 'torch._utils._rebuild_tensor_v2':
      return { global, call: (args) => rebuildTensor(args, fail) };
    case 'torch._utils._rebuild_parameter':
      return { global, call: ([data]) => rebuildParameter(data, fail) };
    case 'torch.storage._load_from_bytes':
      return { global, call: ([bytes], charge) => loadNested(bytes, charge, fail, depth) };
    default:
      return undefined;
  }
}

type Charge = (bytes: number) => void;
/** Bytes charged for an entry of a dict or set. */
const entryCost = 64;

function makeSet(items: unknown, charge: Charge): Set<unknown> {
  const list = Array.isArray(items) ? items : [];
  charge(list.length * entryCost);
  return new Set(list);
}

function makeDict(
  pairs: unknown,
  charge: Charge,
  fail: (reason: string) => PickleError,
): Map<unknown, unknown> {
  const dict = new Map<unknown, unknown>();
  if (pairs === undefined) return dict;
  if (!Array.isArray(pairs)) throw fail('a dict is made of something other than pairs');
  charge(pairs.length * entryCost);
  for (const pair of pairs) {
    const items = pair instanceof PickleTuple ? pair.items : pair;
    if (!Array.isArray(items) || items.length !== 2)
      throw fail('a dict is made of something other than pairs');
    dict.set(items[0], items[1]);
  }
  return dict;
}

/** How protocol 2 writes bytes: a string of Latin-1 characters. */
function encodeLatin1(
  [text, encoding]: readonly unknown[],
  charge: Charge,
  fail: (reason: string) => PickleError,
): Uint8Array {
  if (typeof text !== 'string' || encoding !== 'latin1')
    throw fail('it encodes text by another rule than latin1');
  charge(text.length);
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function rebuildTensor(
  [storage, offset, size, stride]: readonly unknown[],
  fail: (reason: string) => PickleError,
): TorchTensor {
  const shape = size instanceof PickleTuple ? size.items : undefined;
  const strides = stride instanceof PickleTuple ? stride.items : undefined;
  if (!isStorage(storage) || !isCount(offset) || !shape?.every(isCount) || !strides?.every(isCount))
    throw fail('a tensor is described in an unknown way');
  if (shape.length !== strides.length || shape.length > mostRank)
    throw fail(`a tensor has ${shape.length} dimensions and ${strides.length} strides`);
  const count = elementCount(shape);
  const width = bytesPerElement(storage.dtype);
  const last = shape.reduce((sum, n, i) => sum + (n - 1) * strides[i], offset);
  if (Number.isNaN(count) || (count > 0 && !(last < storage.elements)))
    throw fail(`a tensor [${shape.join(', ')}] reaches outside its storage`);
  if (count * width > storage.elements * width + mostExpandedBytes)
    throw fail(`a tensor [${shape.join(', ')}] is expanded to ${count * width} bytes`);
  return { kind: 'tensor', storage, offset, shape, stride: strides };
}

function rebuildParameter(data: unknown, fail: (reason: string) => PickleError): TorchTensor {
  if (!isTensor(data)) throw fail('a parameter is no tensor');
  return data;
}

/** A storage pickled by itself is a torch.save file inside the pickle. */
function loadNested(
  bytes: unknown,
  charge: Charge,
  fail: (reason: string) => PickleError,
  depth: number,
): TorchStorage | TorchTensor {
  if (depth > 0) throw fail('it nests torch.storage._load_from_bytes');
  if (!(bytes instanceof Uint8Array)) throw fail('torch.storage._load_from_bytes gets no bytes');
  charge(64 * 1024 + bytes.length);
  const value = readLegacy(accessBytes(bytes, 'a storage inside the pickle'), depth + 1);
  if (isStorage(value) || isTensor(value)) return value;
  throw fail('torch.storage._load_from_bytes holds something other than a tensor');
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isGlobal(value: unknown): value is PickleGlobal {
  return typeof value === 'object' && value !== null && 'global' in value;
}

function isStorage(value: unknown): value is TorchStorage {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'storage';
}

/** Whether a value of the pickle is a tensor. */
export function isTensor(value: unknown): value is TorchTensor {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'tensor';
}
