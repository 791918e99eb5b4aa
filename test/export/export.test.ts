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
import { ModelProtoSchema } from 'onnx-buf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { tensor } from '../../src/engine/runtime/tensor.ts';
import { exportModel } from '../../src/export/export.ts';
import type { LayoutName } from '../../src/export/layouts.ts';
import type { ExportDtype } from '../../src/export/weights.ts';
import { generate } from '../../src/generation/generate.ts';
import { Inference } from '../../src/generation/inference.ts';
import { Ensemble } from '../../src/generation/members.ts';
import { resolveGeneration } from '../../src/generation/options.ts';
import { memberFolders } from '../../src/model/checkpoint/members.ts';
import { loadModel } from '../../src/model/checkpoint/pretrained.ts';
import { saveModel, storeWeights } from '../../src/model/checkpoint/save.ts';
import { modelParameters } from '../../src/model/checkpoint/weights.ts';
import { parseBlipConfig } from '../../src/model/config.ts';
import { ParameterStore } from '../../src/nn/parameter-store.ts';
import { openWeights } from '../../src/weights/open.ts';
import { fixtures } from '../paths.ts';
import { type ExportedLayout, greedy, merged, plain } from './greedy.ts';

const tiny = join(fixtures, 'blip/tiny');
const folder = mkdtempSync(join(tmpdir(), 'refcap-export-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let pixels: { data: Float32Array; shape: number[] };
const two = join(folder, 'two');
beforeAll(async () => {
  await using values = await openWeights(join(tiny, 'expected.safetensors'));
  pixels = { data: await values.readFloat32('all_pixel_values'), shape: [24, 3, 48, 48] };
  await makeTwo();
});

/** The tiny model and a second member with fewer, wider image tokens, other heads and more layers. */
async function makeTwo(): Promise<void> {
  await cp(tiny, two, { recursive: true });
  await using model = await loadModel(tiny);
  const { vision_config, text_config } = model.config;
  const config = parseBlipConfig(
    {
      ...model.configJson,
      vision_config: { ...vision_config, patch_size: 24, hidden_size: 16 },
      text_config: { ...text_config, num_attention_heads: 4, num_hidden_layers: 3 },
    },
    'a test',
  );
  const store = new ParameterStore(modelParameters(config));
  // Large weights, so that the second member has something to say.
  store.initialize(createRandom(7));
  for (const name of store.names)
    if (/weight$/.test(name) && !/LayerNorm|layer_norm/.test(name))
      for (const [i, x] of store.tensor(name).data.entries()) store.tensor(name).data[i] = 8 * x;
  await saveModel(join(two, 'member-2'), {
    config,
    weights: storeWeights(store),
    preprocessing: model.preprocessing,
    tokenizer: { folder: tiny },
  });
}

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
    // The second has a say: the first alone writes something else.
    expect(wanted.ids).not.toEqual((await ofRefcap(tiny)).ids);
    const alone = join(folder, `alone-${name}`);
    await exportModel(two, alone, { layout: name, members: 1 });
    expect((await greedy(alone, layout, pixels, ends)).ids).toEqual((await ofRefcap(tiny)).ids);
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

  it.each<ExportDtype>(['f32', 'f16'])(
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
