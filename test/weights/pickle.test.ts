/** Files of torch.save against what torch itself reads from them, and hostile pickles against typed errors. */
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { accessBytes } from '../../src/weights/bytes.ts';
import { accessFile } from '../../src/weights/file.ts';
import { readTorchTensor, readTorchWeights } from '../../src/weights/pickle/read.ts';
import { isTensor, readTorch } from '../../src/weights/pickle/torch.ts';
import {
  ByteReader,
  PickleError,
  PickleTuple,
  readPickle,
} from '../../src/weights/pickle/unpickle.ts';
import { parseSafetensors } from '../../src/weights/safetensors/read.ts';
import { toFloat32 } from '../../src/weights/weight.ts';
import { fixtures } from '../paths.ts';

const folder = join(fixtures, 'pickle');
const plainContext = { find: () => undefined, persistent: (id: unknown) => id };
const load = (bytes: Uint8Array) =>
  readPickle(new ByteReader(accessBytes(bytes, 'some.bin')), plainContext);
/** A pickle from text and numbers: opcodes are written as text. */
const bytes = (...parts: (string | number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string, 'latin1')));

describe('state dicts inside what training code adds', () => {
  it.each([
    ['wrapped-model-and-ema.pth', 'x', [1, 2], ['epoch', 'ema', 'optimizer']],
    ['wrapped-ema.pth', 'x', [3, 4], ['step']],
    ['wrapped-lightning.pth', 'model.module.x', [1], ['global_step']],
  ])('are found in %s', async (file, name, values, skipped) => {
    await using source = readTorchWeights(await accessFile(join(folder, file)));
    expect([...source.tensors.keys()]).toEqual([name]);
    expect([...(await source.readFloat32(name))]).toEqual(values);
    expect(source.skipped).toEqual(skipped);
  });
});

describe('weights written by torch', () => {
  const { tensors: expected } = parseSafetensors(
    readFileSync(join(folder, 'expected.safetensors')),
  );
  const files = ['zip', 'zip64', 'zip-protocol4', 'legacy', 'legacy-protocol4', 'big-endian'];

  it.each(files)('%s.pth gives every tensor as torch does', async (file) => {
    const path = join(folder, `${file}.pth`);
    const raw = readFileSync(path);
    await using source = readTorchWeights(await accessFile(path));
    expect([...source.tensors.keys()].sort()).toEqual([...expected.keys()].sort());
    expect(source.skipped).toEqual([]);
    let inPlace = 0;
    for (const [name, tensor] of expected) {
      const info = source.tensors.get(name);
      const read = await source.read(name);
      expect(info).toMatchObject({ dtype: tensor.dtype, shape: tensor.shape });
      expect(read).toMatchObject({ dtype: tensor.dtype, shape: tensor.shape });
      expect(Buffer.from(read.data), name).toEqual(Buffer.from(tensor.data));
      expect(await source.readFloat32(name), name).toEqual(toFloat32(tensor));
      const target = new Uint8Array(info?.byteLength ?? 0);
      await source.readInto(name, target);
      expect(target, name).toEqual(read.data);
      if (!info?.location) continue;
      inPlace++;
      const { offset } = info.location;
      expect(raw.subarray(offset, offset + info.byteLength)).toEqual(Buffer.from(tensor.data));
    }
    // All but the transposed, permuted, column, tail, step and expanded ones.
    expect(inPlace).toBe(file === 'big-endian' ? 0 : 14);
  });

  it('shares memory between views: the base is stored once', async () => {
    await using source = readTorchWeights(await accessFile(join(folder, 'zip.pth')));
    const base = source.tensors.get('f32')?.location?.offset;
    const root = readTorch(accessBytes(await readFile(join(folder, 'zip.pth'))));
    const transposed = root instanceof Map && root.get('transposed');
    expect(isTensor(transposed) && transposed.storage.offset).toBe(base);
  });

  it.each(['checkpoint', 'checkpoint-legacy'])('%s.pth gives its model', async (file) => {
    const access = accessBytes(await readFile(join(folder, `${file}.pth`)));
    const source = readTorchWeights(access);
    expect([...source.tensors.keys()]).toEqual(['weight', 'bias']);
    expect([...(await source.readFloat32('weight'))]).toEqual([1, 2, 3, 4]);
    expect([...(await source.readFloat32('bias'))]).toEqual([5, 6]);
    expect(source.skipped).toEqual(['epoch', 'config', 'shape', 'seen', 'raw', 'optimizer']);
    const root = readTorch(access) as Map<string, unknown>;
    expect(root.get('epoch')).toBe(3);
    expect(root.get('config')).toEqual(
      new Map<string, unknown>([
        ['vit', 'base'],
        ['lrs', [1e-5, -0.5]],
        ['sizes', new PickleTuple([384, null, true])],
        ['big', 2n ** 70n],
      ]),
    );
    expect(root.get('shape')).toEqual(new PickleTuple([2, 3]));
    expect(root.get('seen')).toEqual(new Set([1, 2]));
    expect(root.get('raw')).toEqual(new Uint8Array([0, 255]));
  });

  it('are read from protocol 1 and from storages pickled by themselves', async () => {
    const old = readTorchWeights(await accessFile(join(folder, 'protocol1.pth')));
    expect([...(await old.readFloat32('weight'))]).toEqual([1, 2]);
    expect(old.skipped).toEqual(['text']);
    await old.close();
    const nested = readTorchWeights(await accessFile(join(folder, 'nested.pth')));
    expect(nested.tensors.get('weight')).toMatchObject({ dtype: 'f32', shape: [2, 2] });
    expect(nested.tensors.get('weight')?.location).toBeUndefined();
    expect([...(await nested.readFloat32('weight'))]).toEqual([1, 3, 2, 4]);
    await nested.close();
  });

  it('equal model.safetensors for the tiny BLIP', async () => {
    const tiny = join(fixtures, 'blip/tiny');
    const { tensors } = parseSafetensors(await readFile(join(tiny, 'model.safetensors')));
    await using bin = readTorchWeights(await accessFile(join(tiny, 'pytorch_model.bin')));
    for (const [name, tensor] of tensors)
      expect(Buffer.compare((await bin.read(name)).data, tensor.data), name).toBe(0);
    const extra = [...bin.tensors.keys()].filter((name) => !tensors.has(name));
    expect(extra.sort()).toEqual([
      'text_decoder.bert.embeddings.position_ids',
      'text_decoder.cls.predictions.decoder.bias',
      'text_decoder.cls.predictions.decoder.weight',
      'vision_model.embeddings.position_ids',
    ]);
    await using original = readTorchWeights(await accessFile(join(tiny, 'original.pth')));
    const pairs = {
      'visual_encoder.blocks.1.attn.qkv.weight':
        'vision_model.encoder.layers.1.self_attn.qkv.weight',
      'visual_encoder.pos_embed': 'vision_model.embeddings.position_embedding',
      'text_decoder.cls.predictions.bias': 'text_decoder.cls.predictions.bias',
    };
    for (const [theirs, ours] of Object.entries(pairs))
      expect(await original.readFloat32(theirs)).toEqual(await bin.readFloat32(ours));
  });
});

describe('plain values', () => {
  const shared = [1];
  const expected = new Map<string, unknown>([
    ['integers', [0, -1, 255, 65536, -(2 ** 31), 2 ** 40, -(2n ** 70n)]],
    ['floats', [0.5, -1e300, Number.POSITIVE_INFINITY]],
    ['constants', new PickleTuple([null, true, false])],
    ['text', ['', "aé'\n\\", '😀']],
    [
      'nested',
      new Map<unknown, unknown>([
        [new PickleTuple([1, 2]), [[], new Map(), new PickleTuple([])]],
        [5, 'five'],
      ]),
    ],
    ['shared', [shared, shared]],
  ]);
  const pickles: string[] = JSON.parse(readFileSync(join(folder, 'plain.json'), 'utf8'));
  it.each(pickles.map((_, protocol) => protocol))('are read from protocol %i', (protocol) => {
    const value = load(Buffer.from(pickles[protocol], 'base64'));
    expect(value).toEqual(expected);
    const [first, second] = (value as Map<string, unknown[]>).get('shared') ?? [];
    expect(first).toBe(second);
  });
});

describe('other globals', () => {
  const cases: [string, string][] = [
    ['evil-zip.pth', 'posix.system'],
    ['evil-legacy.pth', 'posix.system'],
    ['evil-plain.bin', 'posix.system'],
    ['evil-protocol5.bin', 'posix.system'],
    ['numpy.pth', 'numpy._core.multiarray.scalar'],
    ['module.pth', 'torch.nn.modules.linear.Linear'],
    ['complex.pth', 'torch.ComplexFloatStorage'],
  ];
  it.each(cases)('in %s are refused by name: %s', async (file, name) => {
    const path = join(folder, file);
    const access = await accessFile(path);
    expect(() => readTorch(access)).toThrow(PickleError);
    expect(() => readTorch(access)).toThrow(
      `${path} cannot be read as PyTorch weights: it asks for ${name}, and only tensors and plain containers are allowed`,
    );
    await access.close();
  });

  it('are refused before anything behind them is looked at', () => {
    expect(() => load(bytes('cos\nsystem\nthis is no opcode'))).toThrow(/os\.system/);
    expect(() => load(bytes('(ios\nsystem\n'))).toThrow(/os\.system/);
    expect(() => load(bytes('\x8c\x02os\x8c\x06system\x93'))).toThrow(/os\.system/);
    // Names that an object of JavaScript would inherit are no globals either.
    for (const name of ['constructor', '__proto__', 'toString'])
      expect(() => load(bytes(`c${name}\n${name}\n`))).toThrow(`${name}.${name}`);
  });
});

describe('hostile pickles give a typed error', () => {
  const cases: [string, Uint8Array, RegExp][] = [
    ['nothing', bytes(''), /truncated/],
    ['an unknown opcode', bytes('\xff'), /opcode 255 at byte 0/],
    ['an inherited name as opcode', bytes('_'), /opcode 95/],
    ['protocol 9', bytes('\x80\x09'), /protocol is 9/],
    ['a string of 2^61 bytes', bytes('\x8d\0\0\0\0\0\0\0\x20.'), /impossible/],
    ['bytes of 1 TB', bytes('\x8e\0\0\0\0\0\x01\0\0.'), /MiB|truncated/],
    ['a string of 4 GB', bytes('X\xff\xff\xff\xff'), /more than 256 MiB/],
    ['an integer of 2 GB', bytes('\x8b\0\0\0\x7f'), /an integer has/],
    ['a line without end', bytes('I', '1'.repeat(5000)), /longer than 4096/],
    ['an empty stack', bytes('.'), /stack is empty/],
    ['a tuple of nothing', bytes('N\x86.'), /stack is empty/],
    ['a mark as value', bytes('(.'), /a mark is where/],
    ['a missing mark', bytes('Nt.'), /a mark is missing/],
    ['values left over', bytes('NN.'), /not empty at the end/],
    ['a key without value', bytes('}(Nu.'), /a key has no value/],
    ['a list as key', bytes('}]Ns.'), /a container as its key/],
    ['items on a list', bytes(']NNs.'), /items of what is no dict/],
    ['appending to a dict', bytes('}Na.'), /appends to what is no list/],
    ['a call of a string', bytes('U\x01x)R.'), /calls what cannot be called/],
    ['a call of a dict', bytes('})R.'), /calls what cannot be called/],
    ['a memo never kept', bytes('h\x05.'), /recalls 5/],
    ['attributes of a list', bytes(']Nb.'), /attributes of what is no dict/],
    ['a number for a module', bytes('K\x01K\x02\x93'), /other than strings/],
    ['a million deep lists', bytes(']'.repeat(2e6), 'a'.repeat(2e6), '.'), /256 MiB/],
    ['a million dicts', bytes('('.repeat(1), '}'.repeat(2e6), 't.'), /256 MiB/],
    ['a long way with no end', bytes('\x80\x02'.repeat(1e7)), /256 MiB/],
    ['a memo of everything', bytes('N', 'q\x01'.repeat(5e6), '.'), /256 MiB/],
  ];
  it.each(cases)('%s', (_, pickle, reason) => {
    const before = process.memoryUsage().external;
    let caught: unknown;
    try {
      load(pickle);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(PickleError);
    expect((caught as PickleError).reason).toMatch(reason);
    expect(process.memoryUsage().external - before).toBeLessThan(2 ** 28);
  });

  it('a list doubled a hundred times is held once', () => {
    const doubled = load(bytes(']', '2\x86'.repeat(100), '.'));
    expect(doubled).toBeInstanceOf(PickleTuple);
  });

  it('one list made into a dict again and again', () => {
    const head = legacyHead();
    const list = bytes(']q\0(', 'NN\x86'.repeat(1e5), 'e0');
    const dicts = 'ccollections\nOrderedDict\nh\0\x85R'.repeat(100);
    const access = accessBytes(bytes(...head, Array.from(list), '(', dicts, 't.'));
    expect(() => readTorch(access)).toThrow(/more than 256 MiB/);
  });
});

/** The three pickles that open a legacy file. */
function legacyHead(): (string | number[])[] {
  const raw = readFileSync(join(folder, 'protocol1.pth'));
  const reader = new ByteReader(accessBytes(raw));
  for (let i = 0; i < 3; i++) readPickle(reader, plainContext);
  return [Array.from(raw.subarray(0, reader.position))];
}

describe('tensors that do not fit their storage', () => {
  /** A legacy file with one tensor of a storage of two f32. */
  const file = (size: string, stride: string, offset = 'K\0', elements = 'K\x02') =>
    bytes(
      ...legacyHead(),
      'ctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x010U\x03cpu',
      `${elements}NtQ${offset}(${size}t(${stride}t\x89}tR.`,
      `]U\x010a.`,
      [2, 0, 0, 0, 0, 0, 0, 0, ...new Array(8).fill(1)],
    );
  const read = (content: Uint8Array) => readTorch(accessBytes(content));

  it('are refused', async () => {
    const whole = read(file('K\x02', 'K\x01'));
    expect(isTensor(whole) && (await readTorchTensor(whole)).data.length).toBe(8);
    expect(() => read(file('K\x03', 'K\x01'))).toThrow(/reaches outside its storage/);
    expect(() => read(file('K\x02', 'K\x02'))).toThrow(/reaches outside its storage/);
    expect(() => read(file('K\x02', 'K\x01', 'K\x01'))).toThrow(/reaches outside its storage/);
    expect(() => read(file('K\x02', 'J\xff\xff\xff\xff'))).toThrow(/unknown way/);
    expect(() => read(file('K\x02K\x01', 'K\x01'))).toThrow(/2 dimensions and 1 strides/);
    expect(() => read(file('J\0\0\0\x40', 'K\0'))).toThrow(/expanded to 4294967296 bytes/);
    const overflow = 'J\xff\xff\xff\x7f'.repeat(3);
    expect(() => read(file(overflow, 'K\0K\0K\0'))).toThrow(/outside its storage/);
    expect(() => read(file('K\x01'.repeat(65), 'K\x01'.repeat(65)))).toThrow(/65 dimensions/);
    expect(() => read(file('K\x02', 'K\x01', 'K\0', 'K\x05'))).toThrow(/another length/);
  });
});

describe('broken files of torch', () => {
  it('give a clear sentence when there is nothing to use', () => {
    const read = (file: string) => () =>
      readTorchWeights(accessBytes(readFileSync(join(folder, file)), file));
    expect(read('list.pth')).toThrow('list.pth cannot be read as PyTorch weights: it holds a list');
    expect(read('no-tensors.pth')).toThrow(/no tensors, .*; its keys are: epoch, weights\./);
    expect(() => readTorch(accessBytes(new Uint8Array(0)))).toThrow(PickleError);
    expect(() => readTorch(accessBytes(bytes('PK\x03\x04nothing')))).toThrow(/truncated/);
    expect(() => readTorch(accessBytes(bytes('\x80\x02}.')))).toThrow(/not written by torch.save/);
  });

  const files = readdirSync(folder).filter((file) => file.endsWith('.pth'));

  it.each(['zip.pth', 'zip64.pth', 'legacy.pth'])('%s cut anywhere is refused', (file) => {
    const raw = readFileSync(join(folder, file));
    for (let length = 0; length < raw.length; length += 3) {
      const cut = accessBytes(raw.subarray(0, length));
      expect(() => readTorch(cut), `${length} bytes`).toThrow(PickleError);
    }
  });

  it('with any bytes changed give tensors in bounds or a typed error', async () => {
    const random = createRandom(3);
    let read = 0;
    let refused = 0;
    for (let i = 0; i < 6000; i++) {
      const raw = Uint8Array.from(readFileSync(join(folder, files[random.integer(files.length)])));
      for (let n = 1 + random.integer(3); n > 0; n--)
        raw[random.integer(raw.length)] = random.integer(256);
      try {
        const source = readTorchWeights(accessBytes(raw));
        for (const name of source.tensors.keys()) await source.read(name);
        read++;
      } catch (error) {
        if (!(error instanceof PickleError)) throw error;
        refused++;
      }
    }
    expect(read).toBeGreaterThan(500);
    expect(refused).toBeGreaterThan(500);
  });
});
