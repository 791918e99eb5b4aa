/** The safetensors reader and writer against the reference's file, the format's rules, and each other. */
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fuzzSafetensors } from '../../scripts/fuzz-safetensors.ts';
import { accessFile } from '../../src/weights/file.ts';
import {
  encodeSafetensors,
  parseSafetensors,
  readSafetensors,
  SafetensorsError,
} from '../../src/weights/safetensors/read.ts';
import {
  lazyWeights,
  writeSafetensors,
  writeWeightsFolder,
} from '../../src/weights/safetensors/write.ts';
import {
  bytesPerElement,
  convert,
  elementCount,
  fromFloat32,
  toFloat32,
  type WeightTensor,
} from '../../src/weights/weight.ts';
import { fixtures, repositoryRoot } from '../paths.ts';

const reference = join(fixtures, 'safetensors/all-dtypes.safetensors');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-safetensors-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A file from a header's text and data, however wrong. */
function file(header: string | Uint8Array, data = new Uint8Array(0)): Uint8Array {
  const json = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}
const entry = (name: string, dtype: string, shape: string, begin: number, end: number) =>
  `"${name}":{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

describe('the reference file', () => {
  it('is read with every dtype, shape and value', async () => {
    const { tensors, metadata } = parseSafetensors(await readFile(reference));
    const values = (name: string): [string, readonly number[], number[]] => {
      const tensor = tensors.get(name);
      if (!tensor) throw new Error(`no ${name}`);
      return [tensor.dtype, tensor.shape, [...toFloat32(tensor)]];
    };
    expect([...metadata]).toEqual([['format', 'pt']]);
    expect(tensors.size).toBe(16);
    expect(values('u64')).toEqual(['u64', [1], [2 ** 63]]);
    expect(values('i64')).toEqual(['i64', [3], [-5, 2 ** 40, 7]]);
    expect(values('u32')).toEqual(['u32', [1], [2 ** 32]]);
    expect(values('i32')).toEqual(['i32', [1, 2], [-3, 4]]);
    expect(values('u16')).toEqual(['u16', [1], [65535]]);
    expect(values('i16')).toEqual(['i16', [1], [-300]]);
    expect(values('i8')).toEqual(['i8', [2], [-8, 127]]);
    expect(values('u8')).toEqual(['u8', [3], [255, 0, 3]]);
    expect(values('bool')).toEqual(['bool', [3], [1, 0, 1]]);
    expect(values('empty')).toEqual(['f32', [0, 4], []]);
    expect(values('scalar')).toEqual(['f32', [], [1.5]]);
    expect(values('ünï"\\\n')).toEqual(['f32', [2], [1, 1]]);
    // What PyTorch prints for the float tensors (make.py).
    expect(values('b')[2]).toEqual([
      0.94140625, 0.7734375, 0.19140625, 1.265625, -1.2890625, -0.79296875,
    ]);
    expect(values('h')[2].slice(0, 4)).toEqual([
      0.1226806640625, -0.56640625, 0.373046875, -0.89208984375,
    ]);
    expect(values('d')[2][0]).toBe(Math.fround(-0.02087947353720665));
    expect(values('w')[2][3]).toBe(0.5684312582015991);
  });

  it('is written again byte for byte', async () => {
    await using source = readSafetensors(await accessFile(reference));
    const copy = join(folder, 'copy.safetensors');
    const shuffled = new Map([...lazyWeights(source)].reverse());
    await writeSafetensors(copy, shuffled, { metadata: Object.fromEntries(source.metadata) });
    expect(await readFile(copy)).toEqual(await readFile(reference));
    const { tensors } = parseSafetensors(await readFile(reference));
    expect(Buffer.from(encodeSafetensors(tensors))).toEqual(await readFile(reference));
  });

  it('is read on demand the same as at once, with the place of every tensor', async () => {
    const bytes = await readFile(reference);
    const { tensors } = parseSafetensors(bytes);
    await using source = readSafetensors(await accessFile(reference));
    for (const { name, byteLength, location } of source.tensors.values()) {
      const expected = tensors.get(name) as WeightTensor;
      const read = await source.read(name);
      expect(Buffer.from(read.data)).toEqual(Buffer.from(expected.data));
      expect(location?.path).toBe(reference);
      const offset = location?.offset ?? -1;
      expect(bytes.subarray(offset, offset + byteLength)).toEqual(Buffer.from(expected.data));
      expect(await source.readFloat32(name)).toEqual(toFloat32(expected));
      const target = new Uint8Array(byteLength);
      await source.readInto(name, target);
      expect(target).toEqual(read.data);
    }
    await expect(source.read('x')).rejects.toThrow(`${reference} has no tensor "x".`);
    await expect(source.readFloat32('w', new Float32Array(3))).rejects.toThrow(RangeError);
  });
});

describe('conversion', () => {
  it('reads large f16, bf16 and f64 tensors in chunks as if at once', async () => {
    const values = Float32Array.from({ length: 3_000_000 }, (_, i) => Math.fround(i * 0.37) - 9e4);
    const path = join(folder, 'large.safetensors');
    for (const dtype of ['f16', 'bf16', 'f64', 'f32'] as const) {
      await writeSafetensors(path, [['x', fromFloat32(values, [3, 1e6])]], { dtype });
      await using source = readSafetensors(await accessFile(path));
      expect(source.tensors.get('x')).toMatchObject({ dtype, shape: [3, 1e6] });
      const expected = toFloat32(convert(fromFloat32(values, [3, 1e6]), dtype));
      const target = new Float32Array(3e6);
      expect(await source.readFloat32('x', target)).toBe(target);
      expect(Buffer.compare(Buffer.from(target.buffer), bytesOf(expected))).toBe(0);
    }
  });

  it('leaves integers alone when a float format is asked for', async () => {
    const path = join(folder, 'ids.safetensors');
    const ids: WeightTensor = { dtype: 'i64', shape: [1], data: new Uint8Array(8).fill(1) };
    await writeSafetensors(path, [['ids', ids]], { dtype: 'f16' });
    expect(parseSafetensors(await readFile(path)).tensors.get('ids')).toEqual(ids);
  });
});

const bytesOf = (view: Float32Array) => Buffer.from(view.buffer, view.byteOffset, view.byteLength);

describe('any tensors', () => {
  const dtype = fc.constantFrom('f64', 'f32', 'f16', 'bf16', 'i64', 'u16', 'i8', 'bool' as const);
  const tensor = fc
    .record({ dtype, shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }) })
    .chain(({ dtype, shape }) => {
      const length = elementCount(shape) * bytesPerElement(dtype);
      return fc
        .uint8Array({ minLength: length, maxLength: length })
        .map((data): WeightTensor => ({ dtype, shape, data }));
    });
  const name = fc.string({ unit: 'binary', maxLength: 12 }).filter((s) => s !== '__metadata__');

  it('survive writing and reading, at every alignment of the buffer', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, tensor), { maxLength: 6 }),
        fc.dictionary(name, fc.string({ unit: 'binary' })),
        fc.integer({ min: 0, max: 7 }),
        (pairs, metadata, shift) => {
          const weights = new Map(pairs);
          const encoded = encodeSafetensors(weights, metadata);
          const bytes = new Uint8Array(encoded.length + 8).subarray(shift, shift + encoded.length);
          bytes.set(encoded);
          const parsed = parseSafetensors(bytes);
          expect(Object.fromEntries(parsed.metadata)).toEqual({ ...metadata });
          expect(parsed.tensors.size).toBe(weights.size);
          for (const [key, { dtype, shape, data }] of weights) {
            const read = parsed.tensors.get(key);
            expect(read).toMatchObject({ dtype, shape });
            expect(Buffer.from(read?.data ?? [])).toEqual(Buffer.from(data));
            expect((read?.data.byteOffset ?? 1) % bytesPerElement(dtype)).toBe(0);
          }
        },
      ),
    );
  });
});

describe('a broken file', () => {
  const one = entry('a', 'F32', '[1]', 0, 4);
  const four = new Uint8Array(4);
  const eight = new Uint8Array(8);
  const huge = new Uint8Array(16);
  new DataView(huge.buffer).setBigUint64(0, 10_000_000_000n, true);
  const cases: [string, Uint8Array, RegExp][] = [
    ['no bytes', new Uint8Array(0), /it has 0 bytes/],
    ['a header of 10 GB', huge, /claims 10000000000 bytes and the limit is 100000000/],
    ['a header longer than the file', file('{}').subarray(0, 9), /truncated/],
    ['no object', file('[]'), /does not begin with "\{"/],
    ['a byte order mark', file('\ufeff{}'), /does not begin with "\{"/],
    ['white space first', file(' {}'), /does not begin with "\{"/],
    ['an open object', file('{"a"'), /its header ends where ":" should be/],
    ['two objects', file('{}{}'), /byte 123 at 2 after the header/],
    ['a trailing comma', file(`{${one},}`, four), /where a name should be/],
    ['a name twice', file(`{${one},${one}}`, four), /"a" is there twice/],
    ['a name twice by escapes', file(`{${one},${one.replace('"a"', '"\\u0061"')}}`, four), /twice/],
    ['a field twice', file(`{${one.replace('{', '{"dtype":"F32",')}}`, four), /repeated field/],
    ['an unknown field', file(`{${one.replace('{', '{"x":1,')}}`, four), /unknown or repeated/],
    ['a missing field', file('{"a":{"dtype":"F32","shape":[1]}}', four), /lacks its dtype/],
    ['three offsets', file(`{${one.replace('[0,4]', '[0,4,4]')}}`, four), /more than 2/],
    ['an unknown dtype', file(`{${entry('a', 'F31', '[1]', 0, 4)}}`, four), /"F31"; known are/],
    ['a deep list', file(`{"a":{"shape":${'['.repeat(1e5)}`), /not a list of whole numbers/],
    ['a fraction', file(`{${entry('a', 'F32', '[1.0]', 0, 4)}}`, four), /not a list of whole/],
    ['a negative size', file(`{${entry('a', 'F32', '[-1]', 0, 4)}}`, four), /not a list of whole/],
    ['a leading zero', file(`{${entry('a', 'F32', '[01]', 0, 4)}}`, four), /not a list of whole/],
    ['too large a size', file(`{${entry('a', 'F32', `[1${'0'.repeat(99)}]`, 0, 4)}}`), /overflows/],
    ['an overflow', file(`{${entry('a', 'U8', '[4294967296,4294967296]', 0, 0)}}`), /overflows/],
    [
      '100 dimensions',
      file(`{${entry('a', 'U8', `[${'1,'.repeat(99)}1]`, 0, 1)}}`),
      /more than 64/,
    ],
    [
      'the wrong size',
      file(`{${entry('a', 'F32', '[2]', 0, 4)}}`, four),
      /takes 8 bytes .* span 4/,
    ],
    ['a hole', file(`{${one},${entry('b', 'F32', '[0]', 8, 8)}}`, eight), /leaves a hole; 4/],
    ['a first hole', file(`{${entry('a', 'F32', '[1]', 4, 8)}}`, eight), /leaves a hole; 0/],
    ['an overlap', file(`{${one},${entry('b', 'F32', '[1]', 2, 6)}}`, eight), /overlaps; 4/],
    ['the same bytes twice', file(`{${one},${entry('b', 'F32', '[1]', 0, 4)}}`, four), /overlaps/],
    ['an end before its begin', file(`{${entry('a', 'F32', '[1]', 4, 0)}}`), /ends before/],
    ['trailing bytes', file(`{${one}}`, eight), /4 bytes follow the last tensor/],
    ['too little data', file(`{${one}}`, four.subarray(1)), /take 4 bytes and 3 are there/],
    ['metadata that is a number', file('{"__metadata__":{"a":1}}'), /metadata "a" is not a string/],
    ['metadata that is a list', file('{"__metadata__":[]}'), /not a map of strings/],
    ['metadata twice', file('{"__metadata__":{},"__metadata__":{}}'), /"__metadata__" is there/],
    [
      'a metadata key twice',
      file('{"__metadata__":{"a":"","a":""}}'),
      /metadata "a" is there twice/,
    ],
    ['Latin-1', file(new Uint8Array([0x7b, 0x22, 0xe9, 0x22, 0x3a])), /not valid UTF-8/],
    ['half a surrogate', file('{"\\ud800":'), /not valid UTF-8 or has a broken escape/],
    ['a control character', file('{"a\nb":'), /control character/],
    ['an open string', file('{"abc\\"'), /ends inside a string/],
  ];
  it.each(cases)('is refused: %s', (_, bytes, reason) => {
    const read = () => parseSafetensors(bytes, 'some/model.safetensors');
    expect(read).toThrow(SafetensorsError);
    expect(read).toThrow(reason);
    expect(read).toThrow(/^some\/model.safetensors is not a valid safetensors file: /);
  });

  it('is told apart from valid oddities', () => {
    const { tensors } = parseSafetensors(
      file(
        `{ "__proto__" : {"shape":[],"data_offsets":[3 , 4],"dtype":"BOOL"},\n${entry('odd', 'U8', '[3]', 0, 3)}} \t`,
        four,
      ),
    );
    expect([...tensors.keys()]).toEqual(['odd', '__proto__']);
    expect(parseSafetensors(file('{}')).tensors.size).toBe(0);
  });

  it('never shows more than a piece of a hostile name', () => {
    expect(() => parseSafetensors(file(`{"${'x'.repeat(1e6)}":1}`))).toThrow(/^.{0,300}$/);
  });

  it('survives mutation with typed errors and bounded memory', async () => {
    const { accepted, refused, memoryGrowth } = await fuzzSafetensors(3000, 7);
    expect(accepted).toBeGreaterThan(300);
    expect(refused).toBeGreaterThan(1000);
    expect(memoryGrowth).toBeLessThan(128 * 2 ** 20);
  });
});

describe('the readers that work on bytes', () => {
  it('import nothing of Node, so that a browser can run them', () => {
    const seen = new Set<string>();
    const visit = (path: string): void => {
      if (seen.has(path)) return;
      seen.add(path);
      for (const [, target] of readFileSync(path, 'utf8').matchAll(/from '([^']+)'/g)) {
        expect(target, path).toMatch(/^\./);
        visit(join(dirname(path), target));
      }
    };
    for (const name of ['safetensors/read.ts', 'pickle/read.ts'])
      visit(join(repositoryRoot, 'src/weights', name));
    expect(seen.size).toBeGreaterThan(7);
  });
});

describe('writing', () => {
  const weights = new Map<string, WeightTensor>(
    ['a', 'b', 'c'].map((name) => [name, fromFloat32(new Float32Array([1, 2, 3]), [3])]),
  );

  it('leaves the old file when a tensor fails', async () => {
    const path = join(folder, 'old.safetensors');
    await writeFile(path, 'old');
    const wrong: WeightTensor = { dtype: 'f32', shape: [2], data: new Uint8Array(4) };
    await expect(writeSafetensors(path, [['bad', wrong]])).rejects.toThrow(
      'old.safetensors: tensor "bad" has 4 bytes and its shape needs 8.',
    );
    expect(await readFile(path, 'utf8')).toBe('old');
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    await expect(writeSafetensors(path, [...weights, ...weights])).rejects.toThrow(/two tensors/);
    const surrogate = writeSafetensors(path, [['\ud800', wrong]]);
    await expect(surrogate).rejects.toThrow(/not valid Unicode/);
  });

  it('splits into shards of at most the given size and removes what they replace', async () => {
    const target = await mkdtemp(join(folder, 'shards-'));
    expect(await writeWeightsFolder(target, weights)).toEqual(['model.safetensors']);
    const options = { maxShardBytes: 12, dtype: 'f16' as const };
    const files = await writeWeightsFolder(target, weights, options);
    expect(files).toEqual([
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
      'model.safetensors.index.json',
    ]);
    expect((await readdir(target)).sort()).toEqual(files);
    expect(JSON.parse(await readFile(join(target, files[2]), 'utf8'))).toEqual({
      metadata: { total_size: 18 },
      weight_map: { a: files[0], b: files[0], c: files[1] },
    });
    expect(await writeWeightsFolder(target, weights)).toEqual(['model.safetensors']);
    expect(await readdir(target)).toEqual(['model.safetensors']);
  });
});
