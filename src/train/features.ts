/**
 * The image tokens of a frozen tower, computed once and kept in a file: f16, one image after the
 * other. Reused while tower, preprocessing and every image's bytes stay the same.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../base/errors.ts';
import { writeFileAtomic } from '../base/files.ts';
import { imageTokenCount } from '../blip/model.ts';
import { decodeImage } from '../data/image.ts';
import { createPreprocessor } from '../data/preprocess.ts';
import * as ops from '../engine/ops.ts';
import { Session } from '../engine/session.ts';
import { tensor } from '../engine/tensor.ts';
import { Scope } from '../nn/scope.ts';
import { type Tower, towerGraph } from './tower.ts';

/** Tokens of a list of images. Dispose it when done. */
export interface FeatureCache extends AsyncDisposable {
  /** f16 values of one image: tokens * width. */
  readonly valuesPerImage: number;
  /** Copies the tokens of the images at these places of the list into `target`, one after the other. */
  read(places: readonly number[], target: Uint16Array): Promise<void>;
}

export interface FeatureOptions {
  readonly folder: string;
  readonly threads?: number;
  readonly device?: string;
  readonly onProgress?: (done: number, total: number) => void;
}

const batchSize = 16;
const bytesPerValue = 2;

/**
 * Opens the features of the images at `paths`, computing them first if they are not there.
 * @throws InputError naming an image that cannot be read
 */
export async function openFeatures(
  tower: Tower,
  paths: readonly string[],
  options: FeatureOptions,
): Promise<FeatureCache> {
  const key = await cacheKey(tower, paths);
  const file = join(options.folder, `${key.slice(0, 16)}.f16`);
  const index = join(options.folder, `${key.slice(0, 16)}.json`);
  const valuesPerImage = imageTokenCount(tower.config) * tower.config.hidden_size;
  const known = await readFile(index, 'utf8').then(
    (text) => text.trim() === JSON.stringify({ key }),
    () => false,
  );
  if (!known) {
    await mkdir(options.folder, { recursive: true });
    await build(tower, paths, file, options);
    await writeFileAtomic(index, `${JSON.stringify({ key })}\n`);
  }
  const handle = await open(file, 'r');
  const expected = paths.length * valuesPerImage * bytesPerValue;
  if ((await handle.stat()).size !== expected) {
    await handle.close();
    throw new InputError(`${file}: is not ${expected} bytes long; delete it to compute it again`);
  }
  return {
    valuesPerImage,
    read: (places, target) => readImages(handle, places, target, valuesPerImage),
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

async function readImages(
  handle: FileHandle,
  places: readonly number[],
  target: Uint16Array,
  size: number,
): Promise<void> {
  const bytes = size * bytesPerValue;
  for (const [slot, place] of places.entries()) {
    const view = new Uint8Array(target.buffer, target.byteOffset + slot * bytes, bytes);
    const { bytesRead } = await handle.read(view, 0, bytes, place * bytes);
    if (bytesRead !== bytes) throw new InputError('the feature cache ends early; delete it');
  }
}

async function cacheKey(tower: Tower, paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  hash.update(tower.fingerprint).update(JSON.stringify(tower.preprocessing));
  for (const path of paths) {
    const bytes = await readFile(path).catch(() => {
      throw new InputError(`${path}: the image cannot be read`);
    });
    hash.update(createHash('sha256').update(bytes).digest());
  }
  return hash.digest('hex');
}

async function build(
  tower: Tower,
  paths: readonly string[],
  file: string,
  { threads, device, onProgress }: FeatureOptions,
): Promise<void> {
  const scope = new Scope();
  const tokens = ops.cast(towerGraph(scope, tower.config), 'f16');
  using session = await Session.open(
    { tokens },
    {
      ...(threads !== undefined && { threads }),
      ...(device !== undefined && { device }),
      weight: (name) => ({ dtype: 'f32', data: bytesOf(tower.store.tensor(name).data) }),
    },
  );
  const preprocessor = createPreprocessor(tower.preprocessing);
  const size = tower.config.image_size;
  const load = (start: number) =>
    Promise.all(paths.slice(start, start + batchSize).map(async (path) => decodeImage(path)));
  const temporary = `${file}.${process.pid}.tmp`;
  const handle = await open(temporary, 'w');
  try {
    let next = load(0);
    for (let start = 0; start < paths.length; start += batchSize) {
      const images = await next;
      // Decoding runs in libvips' threads while the tower computes.
      next = load(start + batchSize);
      next.catch(() => undefined);
      const pixels = tensor('f32', [images.length, 3, size, size]);
      for (const [slot, image] of images.entries()) preprocessor.write(image, pixels.data, slot);
      const result = await session.run({ pixels });
      await handle.writeFile(bytesOf(result.tokens.data));
      onProgress?.(Math.min(start + batchSize, paths.length), paths.length);
    }
    await handle.sync();
    await handle.close();
    await rename(temporary, file);
  } catch (error) {
    await handle.close();
    await rm(temporary, { force: true });
    throw error;
  }
}

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
