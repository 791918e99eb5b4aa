/** What a clip is learned from: frames spread over it. A picture is a clip that stands still. */
import { availableParallelism } from 'node:os';
import { decodeImage } from '../images/decode.ts';
import type { DecodeOptions, RgbImage } from '../images/rgb.ts';
import { readFrames } from './frames.ts';
import { isFilmName } from './names.ts';
import { FramePool, spreadFrames } from './pool.ts';
import { probeFilm } from './probe.ts';

/** Films that are decoded at a time: decoders have threads of their own. */
const mostAtOnce = availableParallelism();
const underWay = new Set<Promise<unknown>>();

/**
 * Frames of a clip from the middles of `count` equal parts, as `refcap video` sees them of a scene; of a picture, or
 * where there are fewer, some come again.
 * @param path a film or a picture by its path, or a picture by its address in a shard
 * @returns `count` of them
 * @throws InputError for what cannot be read; the signal's reason when aborted
 */
export async function sampleFrames(
  path: string,
  count: number,
  options: DecodeOptions = {},
): Promise<RgbImage[]> {
  const frames = isFilmName(path)
    ? await inTurn(() => filmFrames(path, count, options.signal))
    : [await decodeImage(path, options)];
  return Array.from({ length: count }, (_, i) => frames[Math.floor((i * frames.length) / count)]);
}

async function filmFrames(
  path: string,
  count: number,
  signal: AbortSignal | undefined,
): Promise<RgbImage[]> {
  const film = await probeFilm(path, signal);
  const pool = new FramePool(count);
  let endFrame = 0;
  for await (const frame of readFrames(film, signal ? { signal } : {})) {
    pool.add(frame);
    endFrame = frame.index + 1;
  }
  return spreadFrames(pool.take({ endFrame }), { firstFrame: 0, endFrame }, count);
}

async function inTurn<T>(job: () => Promise<T>): Promise<T> {
  while (underWay.size >= mostAtOnce) await Promise.race(underWay);
  const running = job();
  const settled: Promise<unknown> = running
    .catch(() => undefined)
    .finally(() => underWay.delete(settled));
  underWay.add(settled);
  return running;
}
