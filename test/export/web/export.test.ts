/** What is exported for pages: a model that writes what it was made from writes, and a manifest that tells the truth. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Captioner } from '../../../src/caption/captioner.ts';
import { LocalExecutor } from '../../../src/caption/executor/local.ts';
import { deviceFault } from '../../../src/caption/self-test.ts';
import { exportForWeb, type WebDtype } from '../../../src/export/web/export.ts';
import { roundedWeights } from '../../../src/export/web/weights.ts';
import { quantizeRows, transposed } from '../../../src/generation/quantisation.ts';
import { convertModel } from '../../../src/model/checkpoint/convert.ts';
import { type Manifest, parseManifest } from '../../../src/model/checkpoint/manifest.ts';
import { loadModel } from '../../../src/model/checkpoint/pretrained.ts';
import { fixtures } from '../../paths.ts';
import { writeTwoMembers } from '../two-members.ts';

const images = join(fixtures, 'blip/tiny/images');
const pictures = readdirSync(images).map((name) => join(images, name));
const folder = mkdtempSync(join(tmpdir(), 'refcap-web-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const two = join(folder, 'two');
const out = (dtype: WebDtype) => join(folder, dtype);
const manifestOf = (path: string): Manifest =>
  parseManifest(readFileSync(join(path, 'refcap.json'), 'utf8'), path);
beforeAll(async () => {
  await writeTwoMembers(two);
  for (const dtype of ['f32', 'f16', 'int8'] as const)
    await exportForWeb(two, out(dtype), { dtype });
});

async function captions(model: string, quantize?: 'int8') {
  using captioner = await Captioner.load(model, { threads: 1, ...(quantize && { quantize }) });
  const all = await captioner.captionAll(pictures, { num_beams: 2, max_new_tokens: 10 });
  return all.map(({ captions: [{ ids, logprob }] }) => ({ ids, logprob }));
}

it('is what convert --quantize keeps, weight by weight', async () => {
  const { opensInPython } = await convertModel(two, join(folder, 'kept'), {
    rewrite: roundedWeights,
  });
  expect(opensInPython).toBe(false);
  for (const name of ['model.safetensors', 'member-2/model.safetensors'])
    expect(readFileSync(join(folder, 'kept', name))).toEqual(readFileSync(join(out('int8'), name)));
});

describe.each(['f32', 'f16', 'int8'] as const)('in %s', (dtype) => {
  it('has a manifest of all its files', () => {
    const { files } = manifestOf(out(dtype));
    const found = readdirSync(out(dtype), { recursive: true, encoding: 'utf8' });
    const paths = found.filter((name) => statSync(join(out(dtype), name)).isFile());
    expect(Object.keys(files)).toEqual(paths.filter((name) => name !== 'refcap.json').sort());
    expect(Object.keys(files)).toContain('member-2/model.safetensors');
    for (const [name, { bytes, sha256 }] of Object.entries(files)) {
      const content = readFileSync(join(out(dtype), name));
      expect(content.length).toBe(bytes);
      expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
    }
  });

  it('passes its own test, which another model does not', async () => {
    const { selfTest } = manifestOf(out(dtype));
    expect(selfTest.ids.length).toBe(11);
    const products = dtype === 'int8' ? 'int8' : 'f32';
    using own = await LocalExecutor.open(out(dtype), { threads: 1 });
    const { preprocessing } = own.model;
    expect(await deviceFault(own.writer, preprocessing, selfTest, 'f32')).toBeUndefined();
    using other = await LocalExecutor.open(join(two, 'member-2'), { threads: 1 });
    expect(await deviceFault(other.writer, preprocessing, selfTest, products)).toMatch(
      /^log-probabilities of the test picture are off by \d+\.\d\d$/,
    );
  });
});

it('writes in f32 what the model writes', async () => {
  expect(await captions(out('f32'))).toEqual(await captions(two));
});

it('holds the very numbers that products of 7 bits round the weights to', async () => {
  await using before = await loadModel(two);
  await using after = await loadModel(out('int8'));
  const name = 'text_decoder.bert.encoder.layer.0.attention.self.query.weight';
  const [rows, columns] = before.weights.tensors.get(name)?.shape ?? [];
  const part = { start: 8, rows: rows - 8, columns };
  const stored = await after.weights.rounded(name)?.read();
  const { matrix, scale } = quantizeRows(await before.weights.readFloat32(name), part, 63);
  expect(stored?.values.slice(8 * columns)).toEqual(transposed(matrix, columns, part.rows));
  expect(stored?.scale.slice(8)).toEqual(scale);
  expect(await captions(out('int8'), 'int8')).toHaveLength(pictures.length);
});

it('is small in 8 bits, and each weight is near what it was', async () => {
  const weights = (dtype: WebDtype) => statSync(join(out(dtype), 'model.safetensors')).size;
  expect(weights('int8')).toBeLessThan(0.45 * weights('f32'));
  await using before = await loadModel(two);
  await using after = await loadModel(out('int8'));
  let rounded = 0;
  for (const [name, { shape }] of before.weights.tensors) {
    const [a, b] = [await before.weights.readFloat32(name), await after.weights.readFloat32(name)];
    if (!after.weights.rounded(name)) {
      expect(b).toEqual(a);
      continue;
    }
    rounded += 1;
    const columns = a.length / shape[0];
    for (let row = 0; row < shape[0]; row++) {
      const own = a.subarray(row * columns, (row + 1) * columns);
      const step = Math.max(...own.map(Math.abs)) / 63;
      own.forEach((x, i) => {
        expect(Math.abs(b[row * columns + i] - x)).toBeLessThanOrEqual(0.5001 * step + 1e-7);
      });
    }
  }
  expect(rounded).toBeGreaterThan(10);
});

it('leaves what is there alone', async () => {
  await expect(exportForWeb(two, out('f32'))).rejects.toThrow(/exists and is not empty/);
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(exportForWeb(two, join(folder, 'new'), { signal })).rejects.toThrow('enough');
  expect(readdirSync(folder)).not.toContain('new');
});
