/** Exports a captioner for pages that run refcap/web: the model's own files, and a manifest with their hashes. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { writeFileAtomic } from '../../base/files.ts';
import { filesBelow, replaceFolder } from '../../base/folders.ts';
import { LocalExecutor } from '../../caption/executor/local.ts';
import { testPixels } from '../../caption/self-test.ts';
import { resolveGeneration } from '../../generation/options.ts';
import {
  type Manifest,
  type ManifestFile,
  manifestName,
  type SelfTest,
} from '../../model/checkpoint/manifest.ts';
import { memberFolder } from '../../model/checkpoint/members.ts';
import type { PretrainedModel } from '../../model/checkpoint/pretrained.ts';
import { writeModel } from '../../model/checkpoint/save.ts';
import { checkNewFolder, type OpenOptions, withModels } from '../open.ts';
import { roundedWeights } from './weights.ts';

/** Formats of weights for the web. */
export const webDtypes = ['f32', 'f16', 'int8'] as const;
export type WebDtype = (typeof webDtypes)[number];

export interface WebExportOptions extends OpenOptions {
  /** Format of the weights. Default f32. */
  readonly dtype?: WebDtype;
}

/**
 * Exports a model (folder, file, bundled name or hub id), with its members, to the new folder `target`, whole or not at
 * all; training-only layers are left out. The folder is a model's like any other, with `refcap.json` beside it.
 * @returns the files by their paths within the folder
 * @throws InputError when the model cannot be read, or the folder has something in it or cannot be written; the
 *   signal's reason when aborted
 */
export async function exportForWeb(
  name: string,
  target: string,
  { dtype = 'f32', ...options }: WebExportOptions = {},
): Promise<Manifest['files']> {
  await checkNewFolder(target);
  return withModels(name, options, (models) =>
    replaceFolder(target, async (folder) => {
      for (const [i, model] of models.entries()) {
        options.signal?.throwIfAborted();
        const own = i === 0 ? folder : memberFolder(folder, i + 1);
        if (i > 0) await mkdir(own);
        await writeWebModel(own, model, dtype);
      }
      const files = await describeFiles(folder);
      const selfTest = await makeSelfTest(folder, dtype);
      const manifest: Manifest = { format: 1, files, selfTest };
      await writeFileAtomic(join(folder, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
      return files;
    }),
  );
}

async function writeWebModel(
  folder: string,
  model: PretrainedModel,
  dtype: WebDtype,
): Promise<void> {
  const { config, configJson, preprocessing, generation, weights } = model;
  await writeModel(folder, {
    config,
    configJson,
    preprocessing,
    generation,
    tokenizer: { folder: model.folder },
    ...(dtype === 'int8'
      ? { weights: roundedWeights(config, weights), keepsFormats: true }
      : { weights: weights.lazy(), dtype }),
  });
}

/** Size and hash of every file, by its path with slashes. */
async function describeFiles(folder: string): Promise<Record<string, ManifestFile>> {
  const files: Record<string, ManifestFile> = {};
  for (const path of await filesBelow(folder)) {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path)) hash.update(chunk);
    const name = relative(folder, path).split(sep).join('/');
    files[name] = { bytes: (await stat(path)).size, sha256: hash.digest('hex') };
  }
  return files;
}

/** Ids of the self-test's caption after the first. */
const testLength = 10;

/** What the model in `folder` says of the test picture on this machine. */
async function makeSelfTest(folder: string, dtype: WebDtype): Promise<SelfTest> {
  using executor = await LocalExecutor.open(folder, {});
  const { model, writer } = executor;
  const pixels = testPixels(model.preprocessing);
  const bounds = { min_new_tokens: testLength, max_new_tokens: testLength };
  const settings = resolveGeneration({ ...bounds, num_beams: 1 }, {});
  const prompt = [model.config.text_config.bos_token_id];
  const [[{ ids }]] = await writer.generate({ images: [pixels], settings, prompt });
  const f32 = await writer.logprobs(pixels, ids);
  if (dtype !== 'int8') return { ids: [...ids], f32 };
  using rounded = await LocalExecutor.open(folder, { quantize: 'int8' });
  return { ids: [...ids], f32, int8: await rounded.writer.logprobs(pixels, ids) };
}
