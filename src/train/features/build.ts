/** Computes image features with a tower and writes them as shards. */
import { bytesOf } from '../../base/bytes.ts';
import { f32ToF16 } from '../../base/half.ts';
import { sampleFrames } from '../../data/films/sample.ts';
import { framed } from '../../data/images/augment.ts';
import { createPreprocessor, type Preprocessor } from '../../data/images/preprocess.ts';
import type { RgbImage } from '../../data/images/rgb.ts';
import * as ops from '../../engine/graph/ops.ts';
import { Session } from '../../engine/runtime/session.ts';
import { tensor } from '../../engine/runtime/tensor.ts';
import { type PretrainedTower, towerGraph } from '../../model/checkpoint/tower.ts';
import { Scope } from '../../nn/scope.ts';
import { type HashedImage, type ImageGroup, type ViewSettings, viewFraming } from './plan.ts';
import { type Shard, type ShardContent, ShardWriter } from './shard.ts';

/** A shard to be written. */
export interface MissingShard {
  readonly view: number;
  readonly path: string;
  readonly content: ShardContent;
  readonly onWritten: (shard: Shard) => void;
}

/** The shards of one group that are not there. */
export interface MissingGroup {
  readonly images: ImageGroup;
  readonly shards: readonly MissingShard[];
}

export interface BuildOptions {
  readonly settings: ViewSettings;
  readonly threads?: number;
  readonly device?: string;
  readonly signal?: AbortSignal;
  /** Called with features computed and features to compute; a view of an image is one. */
  readonly onProgress?: (done: number, total: number) => void;
}

const batchSize = 16;
/** Images that are read and decoded ahead: two batches, as decoding goes on while the tower computes. */
const ahead = 2 * batchSize;

/**
 * Computes what is missing, group by group; an image is decoded once for all of its views and frames.
 * @throws InputError naming an image that cannot be decoded, or a file that cannot be written
 */
export async function buildShards(
  tower: PretrainedTower,
  missing: readonly MissingGroup[],
  options: BuildOptions,
): Promise<void> {
  using session = await openTowerSession(tower, options);
  const preprocessor = createPreprocessor(tower.preprocessing);
  const jobs = missing.flatMap(({ images, shards }) =>
    images.map((image) => () => loadViews(image, shards, preprocessor, options.settings)),
  );
  const loaded = prefetch(jobs, ahead);
  const total = missing.reduce((sum, { images, shards }) => sum + images.length * shards.length, 0);
  const { frames } = options.settings;
  // Whole images: a shard takes no part of one.
  const atOnce = frames * Math.max(1, Math.floor(batchSize / frames));
  const compute = towerRunner(session, preprocessor, atOnce);
  let done = 0;
  const computed = async (pictures: readonly RgbImage[]): Promise<Uint8Array> => {
    options.signal?.throwIfAborted();
    return compute(pictures);
  };
  const onDone = (count: number): void => {
    done += count;
    options.onProgress?.(done, total);
  };
  try {
    const source = { loaded, compute: computed, atOnce };
    for (const group of missing) await buildGroup(group, source, onDone);
  } finally {
    await loaded.return(undefined);
  }
}

/** The features of pictures that have the model's size, as bytes of f16. */
type Compute = (pictures: readonly RgbImage[]) => Promise<Uint8Array>;

/** Images in their order, and what computes the features of so many pictures at once. */
interface Source {
  readonly loaded: AsyncGenerator<RgbImage[][], undefined>;
  readonly compute: Compute;
  readonly atOnce: number;
}

/** Writes a group's shards, all of its views at once, as an image is decoded once for all of them. */
async function buildGroup(
  { images, shards }: MissingGroup,
  { loaded, compute, atOnce }: Source,
  onDone: (count: number) => void,
): Promise<void> {
  const writers: ShardWriter[] = [];
  try {
    for (const { path, content } of shards) writers.push(await ShardWriter.open(path, content));
    for (let start = 0; start < images.length; start += batchSize) {
      const batch = await take(loaded, Math.min(batchSize, images.length - start));
      for (const [place, writer] of writers.entries()) {
        const frames = batch.flatMap((views) => views[place]);
        for (let at = 0; at < frames.length; at += atOnce)
          await writer.append(await compute(frames.slice(at, at + atOnce)));
        onDone(batch.length);
      }
    }
    for (const [place, writer] of writers.entries()) shards[place].onWritten(await writer.finish());
  } catch (error) {
    for (const writer of writers) await writer.discard();
    throw error;
  }
}

function openTowerSession(
  tower: PretrainedTower,
  { threads, device }: BuildOptions,
): Promise<Session> {
  const exact = towerGraph(new Scope(), tower.config);
  // Not every GPU has 16-bit floats.
  const inGraph = (device ?? 'cpu') === 'cpu';
  const tokens = inGraph ? ops.cast(exact, 'f16') : exact;
  return Session.open(
    { tokens },
    {
      ...(threads !== undefined && { threads }),
      ...(device !== undefined && { device }),
      weight: (name) => ({ dtype: 'f32', data: bytesOf(tower.store.tensor(name).data) }),
    },
  );
}

function towerRunner(session: Session, preprocessor: Preprocessor, most: number): Compute {
  const { width, height } = preprocessor.preprocessing;
  const size = 3 * height * width;
  const values = new Float32Array(most * size);
  return async (pictures) => {
    const shape = [pictures.length, 3, height, width];
    const pixels = tensor('f32', shape, values.subarray(0, pictures.length * size));
    for (const [slot, picture] of pictures.entries())
      preprocessor.write(picture, pixels.data, slot);
    const result = await session.run({ pixels });
    return bytesOf(halves(result.tokens.data));
  };
}

/** The views of an image that are wanted, each the frames of it at the model's size. */
async function loadViews(
  image: HashedImage,
  shards: readonly MissingShard[],
  preprocessor: Preprocessor,
  settings: ViewSettings,
): Promise<RgbImage[][]> {
  const decoded = await sampleFrames(image.path, settings.frames);
  return shards.map(({ view }) =>
    decoded.map((frame) => {
      // Of frames of one size it is the same: all are cut and turned alike.
      const framing = viewFraming(image, view, frame, settings);
      return preprocessor.resize(framing ? framed(frame, framing) : frame);
    }),
  );
}

/** Results of the jobs in their order, `count` of them under way at any time. */
async function* prefetch<T>(
  jobs: readonly (() => Promise<T>)[],
  count: number,
): AsyncGenerator<T, undefined> {
  const running: Promise<T>[] = [];
  try {
    for (let next = 0; next < jobs.length || running.length > 0; ) {
      for (; next < jobs.length && running.length < count; next++) {
        const job = jobs[next]();
        job.catch(() => undefined); // reported when its turn comes
        running.push(job);
      }
      const [first] = running;
      const result = await first;
      running.shift();
      yield result;
    }
  } finally {
    await Promise.allSettled(running);
  }
  return undefined;
}

async function take<T>(source: AsyncGenerator<T, undefined>, count: number): Promise<T[]> {
  const taken: T[] = [];
  while (taken.length < count) {
    const { value, done } = await source.next();
    if (done || value === undefined) break;
    taken.push(value);
  }
  return taken;
}

/** The values as bits of f16, which they may be already. */
function halves(data: ArrayBufferView): ArrayBufferView {
  return data instanceof Float32Array ? f32ToF16(data) : data;
}
