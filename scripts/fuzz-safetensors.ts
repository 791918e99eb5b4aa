/**
 * Feeds mutated safetensors files to the reader: each must give a typed error or a sound file, and the
 * memory must stay bounded. `npx tsx scripts/fuzz-safetensors.ts [COUNT] [SEED]`, by default 100000 and 1.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createRandom, type Random } from '../src/base/random.ts';
import { accessFile } from '../src/weights/file.ts';
import {
  encodeSafetensors,
  parseSafetensors,
  readSafetensors,
  SafetensorsError,
} from '../src/weights/safetensors/read.ts';
import { bytesPerElement, elementCount, type WeightTensor } from '../src/weights/weight.ts';

export interface FuzzResult {
  files: number;
  accepted: number;
  refused: number;
  /** How often each kind of reason was given, numbers and names removed. */
  reasons: Map<string, number>;
  /** Most bytes by which heap and buffers ever grew over the start. */
  memoryGrowth: number;
}

/** Every this many files the file goes through the disk and the memory is looked at. */
const checkEvery = 200;

/** @throws Error when a file makes the reader throw anything but SafetensorsError or give an unsound file. */
export async function fuzzSafetensors(count: number, seed: number): Promise<FuzzResult> {
  const random = createRandom(seed);
  const folder = await mkdtemp(join(tmpdir(), 'refcap-fuzz-'));
  const result: FuzzResult = {
    files: count,
    accepted: 0,
    refused: 0,
    reasons: new Map(),
    memoryGrowth: 0,
  };
  const start = memoryInUse();
  try {
    for (let i = 0; i < count; i++) {
      let bytes = seedFile(random);
      const mutations = random.integer(4);
      for (let m = 0; m < mutations; m++) bytes = mutate(bytes, random);
      const reason = outcome(bytes, `file ${i} of seed ${seed}`);
      if (reason === undefined) result.accepted++;
      else {
        result.refused++;
        const kind = reason.replace(/"(\\.|[^"\\])*"?/g, '""').replace(/-?\d[\d., ]*/g, 'N ');
        result.reasons.set(kind, (result.reasons.get(kind) ?? 0) + 1);
      }
      if (i % checkEvery === 0) {
        await throughDisk(join(folder, 'model.safetensors'), bytes, reason);
        result.memoryGrowth = Math.max(result.memoryGrowth, memoryInUse() - start);
      }
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return result;
}

function memoryInUse(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Undefined when the file is read, else the reason why not. */
function outcome(bytes: Uint8Array, label: string): string | undefined {
  try {
    const { tensors } = parseSafetensors(bytes, label);
    let total = 0;
    for (const { dtype, shape, data } of tensors.values()) {
      if (elementCount(shape) * bytesPerElement(dtype) !== data.length)
        throw new Error(`${label}: a tensor has the wrong length`);
      total += data.length;
    }
    if (total > bytes.length) throw new Error(`${label}: tensors overlap`);
    return undefined;
  } catch (error) {
    if (error instanceof SafetensorsError && error.message.length < 1000) return error.reason;
    throw new Error(`${label}: not a clear SafetensorsError`, { cause: error });
  }
}

/** The reader of files must say the same as the reader of bytes. */
async function throughDisk(path: string, bytes: Uint8Array, expected?: string): Promise<void> {
  await writeFile(path, bytes);
  const access = await accessFile(path);
  try {
    let reason: string | undefined;
    try {
      const source = readSafetensors(access);
      for (const name of source.tensors.keys()) await source.readFloat32(name);
    } catch (error) {
      if (!(error instanceof SafetensorsError)) throw error;
      reason = error.reason;
    }
    if (reason !== expected) throw new Error(`from disk: ${reason}; from memory: ${expected}`);
  } finally {
    await access.close();
  }
}

const dtypes = ['f64', 'f32', 'f16', 'bf16', 'i64', 'i32', 'i16', 'i8', 'u8', 'bool'] as const;

function seedFile(random: Random): Uint8Array {
  const tensors = new Map<string, WeightTensor>();
  for (let n = random.integer(5); n > 0; n--) {
    const dtype = dtypes[random.integer(dtypes.length)];
    const shape = Array.from({ length: random.integer(4) }, () => random.integer(5));
    const data = new Uint8Array(elementCount(shape) * bytesPerElement(dtype));
    for (let i = 0; i < data.length; i++) data[i] = random.integer(256);
    tensors.set(`layer.${n}.${'wéight'.slice(random.integer(6))}`, { dtype, shape, data });
  }
  return encodeSafetensors(tensors, random.integer(2) ? { format: 'pt', 'a"b': 'c\\d' } : {});
}

const numbers = ['0', '-1', '1', '7', '1.0', '1e9', '007', '4294967296', '9007199254740993'].concat(
  '18446744073709551615',
  `1${'0'.repeat(400)}`,
  'null',
  '[',
  '"x"',
  '',
);
const snippets = ['{', '}', '[', ']', ',', ':', '"', '\\', '\\ud800', '\\u0000', '\0', '\ufeff']
  .concat(
    '"__metadata__":{},',
    '"dtype":"F32",',
    '"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},',
  )
  .concat(
    '"__proto__":',
    '[['.repeat(500),
    '{"a":'.repeat(300),
    ' '.repeat(1000),
    '1,'.repeat(500),
  );
const encoder = new TextEncoder();

/** One mutation, most often inside the header, whose length is then set right half of the time. */
function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = bytes.length < 8 ? 0 : Math.min(view.getUint32(0, true), bytes.length - 8);
  const spot = Math.min(8 + random.integer(length + 1), bytes.length);
  switch (random.integer(9)) {
    case 0: // truncate
      return bytes.slice(0, random.integer(bytes.length + 1));
    case 1: // flip a bit anywhere
      return edit(
        bytes,
        random.integer(bytes.length + 1),
        (byte) => byte ^ (1 << random.integer(8)),
      );
    case 2: // any byte in the header
      return edit(bytes, spot, () => random.integer(256));
    case 3: // another header length
      return edit(bytes, random.integer(8), () => random.integer(256));
    case 4: // trailing bytes
      return splice(bytes, bytes.length, 0, new Uint8Array(1 + random.integer(64)), false);
    case 5: // a piece of JSON put in
      return splice(
        bytes,
        spot,
        0,
        encoder.encode(pick(snippets, random)),
        random.integer(2) === 0,
      );
    case 6: // a piece taken out
      return splice(bytes, spot, random.integer(12), new Uint8Array(0), random.integer(2) === 0);
    case 7: {
      // a piece of the header repeated
      const piece = bytes.slice(spot, spot + random.integer(80));
      return splice(bytes, spot, 0, piece, random.integer(2) === 0);
    }
    default: {
      // a number replaced
      let at = spot;
      while (at < 8 + length && !isDigit(bytes[at])) at++;
      let end = at;
      while (end < 8 + length && isDigit(bytes[end])) end++;
      return splice(bytes, at, end - at, encoder.encode(pick(numbers, random)), true);
    }
  }
}

const pick = (items: string[], random: Random): string => items[random.integer(items.length)];
const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

function edit(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  const copy = bytes.slice();
  if (at < copy.length) copy[at] = change(copy[at]);
  return copy;
}

function splice(
  bytes: Uint8Array,
  at: number,
  remove: number,
  insert: Uint8Array,
  fixLength: boolean,
): Uint8Array {
  const tail = bytes.subarray(Math.min(at + remove, bytes.length));
  const copy = new Uint8Array(at + insert.length + tail.length);
  copy.set(bytes.subarray(0, at));
  copy.set(insert, at);
  copy.set(tail, at + insert.length);
  if (fixLength && bytes.length >= 8 && copy.length >= 8) {
    const view = new DataView(copy.buffer);
    const length = view.getUint32(0, true) + copy.length - bytes.length;
    if (length >= 0) view.setUint32(0, length, true);
  }
  return copy;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [count = 100_000, seed = 1] = process.argv.slice(2).map(Number);
  const result = await fuzzSafetensors(count, seed);
  for (const [kind, times] of [...result.reasons].sort((a, b) => b[1] - a[1]))
    console.log(String(times).padStart(8), kind);
  console.log(
    `${result.files} files: ${result.accepted} read, ${result.refused} refused with a typed error; ` +
      `memory grew by ${(result.memoryGrowth / 2 ** 20).toFixed(1)} MiB at most.`,
  );
}
