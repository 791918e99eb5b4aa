/** A film's frames in memory, one at a time, each with its own time. */
import { InputError } from '../../base/errors.ts';
import type { RgbImage } from '../images/rgb.ts';
import type { FeedEnd, Film } from './decoder.ts';
import { type ColourFactors, planesLength } from './kernel/colours.ts';
import { FilmKernel } from './kernel/kernel.ts';

/** A frame. Its memory is that of the next one too: copy what is to be kept. */
export interface VideoFrame extends RgbImage {
  /** Number among the frames that are read, from 0. */
  readonly index: number;
  /** Seconds from the film's 0:00. */
  readonly time: number;
  /** Where it lies as it was read, for those who need not all of its pixels as RGB; else it was read as `data`. */
  readonly place?: KernelPlace;
}

/** A frame in a kernel's memory, at its `frame`: planes of these colours, or RGB where there are none. */
export interface KernelPlace {
  readonly kernel: FilmKernel;
  readonly colours?: ColourFactors;
}

/** A frame of planes, which are made RGB when that is wanted. */
class PlanesFrame implements VideoFrame {
  readonly index: number;
  readonly time: number;
  readonly width: number;
  readonly height: number;
  readonly place: Required<KernelPlace>;
  #rgb: Uint8Array | undefined;

  constructor(index: number, time: number, film: Film, place: Required<KernelPlace>) {
    this.index = index;
    this.time = time;
    this.width = film.width;
    this.height = film.height;
    this.place = place;
  }

  get data(): Uint8Array {
    const { kernel, colours } = this.place;
    this.#rgb ??= kernel.toRgb(this.width, this.height, colours);
    return this.#rgb;
  }
}

export interface ReadOptions {
  /** Seconds; frames before are left out. Default: the beginning. */
  readonly start?: number;
  /** Seconds; frames from there on are left out. Default: the end. */
  readonly end?: number;
  readonly signal?: AbortSignal;
  /** Told in a sentence of what is odd, such as a damaged end. */
  readonly onWarning?: (sentence: string) => void;
}

/**
 * Reads frames in their order. What decodes them ends with the generator, however that ends.
 * @throws InputError where there is none; the signal's reason when aborted
 */
export async function* readFrames(
  film: Film,
  { start, end = Number.POSITIVE_INFINITY, signal, onWarning }: ReadOptions = {},
): AsyncGenerator<VideoFrame> {
  const kernel = FilmKernel.open(film.width, film.height);
  const layout = kernel ? await pipeLayout(film) : rgbLayout;
  const filters = await pictureFilters(film, layout, onWarning);
  const hasPlanes = layout !== rgbLayout;
  const { width, height, rate, origin } = film;
  const length = hasPlanes ? planesLength(width, height) : 3 * width * height;
  const data =
    kernel?.memory.subarray(kernel.frame, kernel.frame + length) ?? new Uint8Array(length);
  const feed = await film.decoder.open(film, { layout, filters, start, target: data }, signal);
  const stop = (): void => feed.stop();
  signal?.addEventListener('abort', stop, { once: true });
  let count = 0;
  try {
    signal?.throwIfAborted();
    for (; ; count++) {
      const told = await feed.next(count, rate);
      signal?.throwIfAborted();
      if (!told) break;
      const time = told.time - origin;
      if (time >= end && count > 0) return;
      if (time >= end)
        throw new InputError(
          `${film.path}: there are no frames from ${start ?? 0} s to ${end} s, the next is at ${Number(time.toFixed(3))} s; choose other times.`,
        );
      if (kernel && hasPlanes)
        yield new PlanesFrame(count, time, film, { kernel, colours: told.colours });
      else yield { index: count, time, width, height, data, ...(kernel && { place: { kernel } }) };
    }
    report(film, count, await feed.finish(), start, onWarning);
  } finally {
    signal?.removeEventListener('abort', stop);
    await feed.close();
  }
}

const rgbLayout = 'rgb24';
/** Layouts of planes that the kernel reads. */
const planeLayouts: readonly string[] = ['yuv420p', 'yuvj420p'];

/** How frames come: as their planes where that gives the same RGB, which is half of the bytes. */
async function pipeLayout({ layout, height, isHdr, decoder }: Film): Promise<string> {
  // Where the height is odd ffmpeg has another way to RGB.
  const isPlain = layout !== undefined && planeLayouts.includes(layout) && height % 2 === 0;
  if (!isPlain || isHdr || !(await decoder.convertsAlike())) return rgbLayout;
  return layout;
}

async function pictureFilters(
  film: Film,
  layout: string,
  onWarning: ReadOptions['onWarning'],
): Promise<string[]> {
  const { path, decoder, width, height } = film;
  // The size is said, for films that change theirs.
  const filters = [`scale=${width}:${height}:flags=bicubic`, `format=${layout}`];
  if (!film.isHdr) return filters;
  if (await decoder.hasFilter('zscale')) return [toneMapping, ...filters];
  onWarning?.(
    `${path}: this ${decoder.name} lacks zscale, so that colours of a high dynamic range come out pale.`,
  );
  return filters;
}

const toneMapping =
  'zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv,format=yuv420p';

/** Says how the reading ended. @throws InputError where it gave nothing */
function report(
  { path, decoder }: Film,
  frames: number,
  { errors, lastError, hasFailed }: FeedEnd,
  start: number | undefined,
  onWarning: ReadOptions['onWarning'],
): void {
  const why = lastError === '' ? '' : ` (${decoder.name}: ${lastError})`;
  if (frames === 0) {
    if (start !== undefined && errors === 0)
      throw new InputError(
        `${path}: there are no frames from ${start} s on; choose an earlier --start.`,
      );
    throw new InputError(`${path}: no frame could be read${why}.`);
  }
  if (errors > 0 || hasFailed)
    onWarning?.(`${path}: parts of this film are damaged${why}; what could be read was used.`);
}
