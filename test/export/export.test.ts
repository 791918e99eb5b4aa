/** Exported files, run without refcap, write what transformers and refcap write. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { zipSync } from 'fflate';
import { ModelProtoSchema } from 'onnx-buf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tensor } from '../../src/engine/runtime/tensor.ts';
import { exportModel } from '../../src/export/export.ts';
import type { ExportDtype, LayoutName } from '../../src/export/names.ts';
import { roundedParts } from '../../src/export/weights.ts';
import { generate } from '../../src/generation/generate.ts';
import { Inference } from '../../src/generation/inference.ts';
import { Ensemble } from '../../src/generation/members.ts';
import { resolveGeneration } from '../../src/generation/options.ts';
import { memberFolders } from '../../src/model/checkpoint/members.ts';
import { loadModel } from '../../src/model/checkpoint/pretrained.ts';
import { openWeights } from '../../src/weights/open.ts';
import { fixtures } from '../paths.ts';
import { type ExportedLayout, greedy, merged, plain } from './greedy.ts';
import { writeTwoMembers } from './two-members.ts';

const tiny = join(fixtures, 'blip/tiny');
const folder = mkdtempSync(join(tmpdir(), 'refcap-export-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let pixels: { data: Float32Array; shape: number[] };
const two = join(folder, 'two');
beforeAll(async () => {
  await using values = await openWeights(join(tiny, 'expected.safetensors'));
  pixels = { data: await values.readFloat32('all_pixel_values'), shape: [24, 3, 48, 48] };
  await writeTwoMembers(two);
});

/** The same by refcap: ids of all images and the first step's logits. */
async function ofRefcap(path: string): Promise<{ ids: number[][]; first: Float32Array }> {
  const folders = [path, ...(await memberFolders(path))];
  const members: Inference[] = [];
  for (const one of folders) {
    await using model = await loadModel(one);
    members.push(await Inference.open(model.config, model.weights, { threads: 1 }));
  }
  using ensemble = new Ensemble(members);
  const encoded = await ensemble.encode(tensor('f32', pixels.shape, pixels.data));
  const config = members[0].config.text_config;
  const prompt = [config.bos_token_id];
  const settings = resolveGeneration({ num_beams: 1, max_length: 20 }, {});
  const all = await generate(ensemble.decode(encoded), settings, { config, prompt });
  const { logits } = await ensemble.decode(encoded).step(new Int32Array(24).fill(prompt[0]), 1);
  return { ids: all.map(([{ ids }]) => [...ids]), first: logits };
}

const layouts: [LayoutName, ExportedLayout][] = [
  ['onnx', plain],
  ['transformers.js', merged],
];
const ends = { start: 180, end: 10, longest: 20 };
const furthest = (a: Float32Array, b: Float32Array) =>
  a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0);

describe.each(layouts)('the layout %s', (name, layout) => {
  it("writes transformers' ids, batch by batch", async () => {
    const out = join(folder, `tiny-${name}`);
    await exportModel(tiny, out, { layout: name });
    const { ids, first } = await greedy(out, layout, pixels, ends);
    const expected: { generate: { greedy_20: { ids: number[][] } } } = JSON.parse(
      readFileSync(join(tiny, 'expected.json'), 'utf8'),
    );
    const wanted = expected.generate.greedy_20.ids.map((row) => {
      const end = row.indexOf(10);
      return end < 0 ? row : row.slice(0, end + 1);
    });
    expect(ids).toEqual(wanted);
    expect(furthest(first, (await ofRefcap(tiny)).first)).toBeLessThan(1e-5);
  });

  it('averages members of other sizes as refcap does', async () => {
    const out = join(folder, `two-${name}`);
    await exportModel(two, out, { layout: name });
    const { ids, first } = await greedy(out, layout, pixels, ends);
    const wanted = await ofRefcap(two);
    expect(ids).toEqual(wanted.ids);
    expect(furthest(first, wanted.first)).toBeLessThan(1e-4);
    // The second has a say.
    const lone = await ofRefcap(tiny);
    expect(furthest(wanted.first, lone.first)).toBeGreaterThan(0.01);
    expect(wanted.ids).not.toEqual(lone.ids);
    const alone = join(folder, `alone-${name}`);
    await exportModel(two, alone, { layout: name, members: 1 });
    expect((await greedy(alone, layout, pixels, ends)).ids).toEqual(lone.ids);
  });

  it('keeps large weights in a file beside each graph', async () => {
    const out = join(folder, `beside-${name}`);
    const { files } = await exportModel(tiny, out, { layout: name, limit: 1000 });
    expect(files.map(({ hasDataFile }) => hasDataFile)).toEqual([true, true]);
    for (const { path, bytes } of files) {
      const inside = readFileSync(join(out, path)).length;
      expect(inside).toBeLessThan(bytes / 2 + 40_000);
      expect(existsSync(join(out, `${path}_data`))).toBe(true);
    }
    const { ids } = await greedy(out, layout, pixels, ends);
    expect(ids).toEqual((await ofRefcap(tiny)).ids);
  });

  it.each<ExportDtype>(['f32', 'f16', 'int8'])(
    'has ops of the ONNX standard alone in %s',
    async (dtype) => {
      const out = join(folder, `ops-${name}-${dtype}`);
      const { files } = await exportModel(two, out, { layout: name, dtype });
      for (const { path } of files) {
        const { graph, opsetImport } = fromBinary(ModelProtoSchema, readFileSync(join(out, path)));
        expect(opsetImport.map(({ domain }) => domain)).toEqual(['']);
        expect(new Set(graph?.node.map(({ domain }) => domain))).toEqual(new Set(['']));
      }
    },
  );
});

it('rounds a weight once for its two parts, in either order', async () => {
  let rounded = 0;
  const parts = roundedParts(async () => {
    rounded += 1;
    return { matrix: Int8Array.of(rounded, -1), scale: Float32Array.of(0.5) };
  });
  const scale = new Uint8Array(Float32Array.of(0.5).buffer);
  expect([await parts.matrix(), await parts.scale()]).toEqual([Uint8Array.of(1, 255), scale]);
  expect([await parts.scale(), await parts.matrix()]).toEqual([scale, Uint8Array.of(2, 255)]);
  expect(rounded).toBe(2);
});

it('rounds weights to 16 bits', async () => {
  const out = join(folder, 'half');
  const { files } = await exportModel(tiny, out, { layout: 'onnx', dtype: 'f16' });
  const whole = await exportModel(tiny, join(folder, 'whole'), { layout: 'onnx' });
  for (const [i, { bytes }] of files.entries()) expect(bytes).toBeLessThan(whole.files[i].bytes);
  const { first } = await greedy(out, plain, pixels, ends);
  const error = furthest(first, (await ofRefcap(tiny)).first);
  expect(error).toBeGreaterThan(1e-6);
  expect(error).toBeLessThan(0.02);
});

it('rounds weights to 8 and to 4 bits', async () => {
  const wanted = await ofRefcap(tiny);
  const sizes: number[] = [];
  for (const [dtype, suffix, most] of [
    ['int8', '_quantized', 0.6],
    ['int4', '_q4', 3],
  ] as const) {
    const out = join(folder, `few-${dtype}`);
    const { files } = await exportModel(tiny, out, { dtype });
    sizes.push(files.reduce((sum, { bytes }) => sum + bytes, 0));
    const layout = {
      ...merged,
      encoder: `onnx/encoder_model${suffix}.onnx`,
      decoder: `onnx/decoder_model_merged${suffix}.onnx`,
    };
    const { ids, first } = await greedy(out, layout, pixels, ends);
    expect(ids).toHaveLength(24);
    const error = furthest(first, wanted.first);
    expect(error).toBeGreaterThan(1e-4);
    expect(error).toBeLessThan(most);
  }
  expect(sizes[1]).toBeLessThan(sizes[0]);
});

it('refuses 4 bits where ops are of the standard alone', async () => {
  const out = join(folder, 'refused');
  await expect(exportModel(tiny, out, { layout: 'onnx', dtype: 'int4' })).rejects.toThrow(
    'the layout onnx keeps to the ONNX standard; use f32, f16, int8, or the layout transformers.js',
  );
  expect(existsSync(out)).toBe(false);
});

describe('a check on pictures', () => {
  const images = join(tiny, 'images');

  it.each(layouts)('finds no caption changed by %s in f32', async (layout) => {
    const out = join(folder, `check-${layout}`);
    const { error } = await exportModel(two, out, { layout, check: { pictures: images } });
    expect(error).toEqual({ pictures: 24, unreadable: 0, changed: 0 });
  });

  it("finds pictures in a zip, as COCO's come", async () => {
    const packed = join(folder, 'packed');
    mkdirSync(packed);
    const names = readdirSync(images).slice(0, 3);
    const files = names.map((name) => [`val2014/${name}`, readFileSync(join(images, name))]);
    writeFileSync(join(packed, 'val2014.zip'), zipSync(Object.fromEntries(files)));
    const out = join(folder, 'check-packed');
    const { error } = await exportModel(tiny, out, { check: { pictures: packed } });
    expect(error).toEqual({ pictures: 3, unreadable: 0, changed: 0 });
  });

  it('counts captions that change, and compares CIDEr-D where there are references', async () => {
    const data = join(folder, 'data');
    mkdirSync(join(data, 'val'), { recursive: true });
    await cp(images, join(data, 'val'), { recursive: true });
    writeFileSync(join(data, 'val', 'broken.png'), 'not a picture');
    for (const name of readdirSync(join(data, 'val')))
      writeFileSync(
        join(data, 'val', name.replace('.png', '.txt')),
        `a ${name.split('-')[0]} on a branch\na small bird sits on a branch\n`,
      );
    const out = join(folder, 'check-int4');
    const check = { pictures: data, split: 'dev' } as const;
    const { error } = await exportModel(tiny, out, { dtype: 'int4', check });
    expect(error).toMatchObject({ pictures: 24, unreadable: 1 });
    expect(error?.changed).toBeGreaterThan(0);
    expect(error?.cider?.model).toBeGreaterThan(0);
    const { difference = 0, low = 0, high = 0 } = error?.cider?.difference ?? {};
    expect(difference).not.toBe(0);
    expect(low).toBeLessThanOrEqual(difference);
    expect(high).toBeGreaterThanOrEqual(difference);
  });

  it('wants pictures before any work', async () => {
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    const out = join(folder, 'unchecked');
    await expect(exportModel(tiny, out, { check: { pictures: empty } })).rejects.toThrow(
      `${empty}: there are no pictures to check the export on.`,
    );
    expect(existsSync(out)).toBe(false);
  });
});

describe('a place that cannot be written to', () => {
  it('is refused before any work, and left as it is', async () => {
    const full = join(folder, 'full');
    mkdirSync(full);
    writeFileSync(join(full, 'notes.txt'), 'mine');
    await expect(exportModel(tiny, full)).rejects.toThrow(
      `${full}: the folder exists and is not empty; choose another place for the export.`,
    );
    const file = join(full, 'notes.txt');
    await expect(exportModel(tiny, file)).rejects.toThrow(
      `${file}: this is not a folder; choose another place for the export.`,
    );
    expect(readdirSync(full)).toEqual(['notes.txt']);
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  it('leaves nothing when it is stopped', async () => {
    const out = join(folder, 'stopped');
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(exportModel(tiny, out, { signal })).rejects.toThrow('enough');
    expect(readdirSync(folder).filter((name) => name.includes('stopped'))).toEqual([]);
  });
});
