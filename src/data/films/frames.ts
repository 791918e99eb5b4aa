/** A film's frames in memory, one at a time, each with its own time: a pipe of raw pictures from ffmpeg. */
import { InputError } from '../../base/errors.ts';
import type { RgbImage } from '../images/rgb.ts';
import { ffmpegAbilities, hasFilter, inputArguments, startError, startFfmpeg } from './command.ts';
import { type ColourFactors, planesLength } from './kernel/colours.ts';
import { FilmKernel } from './kernel/kernel.ts';
import { FfmpegLog } from './log.ts';
import { type FrameInput, SocketFrames, StreamFrames } from './pipe.ts';
import type { Film } from './probe.ts';

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
 * Reads frames in their order. ffmpeg ends with the generator, however that ends.
 * @throws InputError where there is none; the signal's reason when aborted
 */
export async function* readFrames(
  film: Film,
  { start, end = Number.POSITIVE_INFINITY, signal, onWarning }: ReadOptions = {},
): AsyncGenerator<VideoFrame> {
  const kernel = FilmKernel.open(film.width, film.height);
  const layout = kernel ? await pipeLayout(film) : rgbLayout;
  const args = await readArguments(film, layout, start, onWarning);
  const hasPlanes = layout !== rgbLayout;
  const { width, height, rate, origin } = film;
  const length = hasPlanes ? planesLength(width, height) : 3 * width * height;
  const data =
    kernel?.memory.subarray(kernel.frame, kernel.frame + length) ?? new Uint8Array(length);
  const { child, frames, exit } = await startReading(args, data);
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  signal?.addEventListener('abort', kill, { once: true });
  const log = new FfmpegLog(child.stderr);
  let count = 0;
  let hasMore = false;
  try {
    signal?.throwIfAborted();
    for (; await frames.next(); count++) {
      const told = await log.next(count, rate);
      signal?.throwIfAborted();
      const time = told.time - origin;
      hasMore = time >= end;
      if (hasMore && count === 0)
        throw new InputError(
          `${film.path}: there are no frames from ${start ?? 0} s to ${end} s, the next is at ${Number(time.toFixed(3))} s; choose other times.`,
        );
      if (hasMore) break;
      if (kernel && hasPlanes)
        yield new PlanesFrame(count, time, film, { kernel, colours: told.colours });
      else yield { index: count, time, width, height, data, ...(kernel && { place: { kernel } }) };
    }
    signal?.throwIfAborted();
    if (hasMore) return;
    const code = await exit;
    report(film, count, code, log, start, onWarning);
  } finally {
    signal?.removeEventListener('abort', kill);
    kill();
    frames.close();
    await exit.catch(() => undefined);
  }
}

/** Starts ffmpeg. @param target where each frame is put */
async function startReading(args: readonly string[], target: Uint8Array): Promise<Reading> {
  const socket = await SocketFrames.open(target);
  const child = startFfmpeg(args, socket?.far);
  socket?.handOver();
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(startError(error)));
    child.once('close', resolve);
  });
  exit.catch(() => undefined);
  const frames = socket ?? (child.stdout && new StreamFrames(child.stdout, target));
  if (!frames) throw new Error('ffmpeg has no output');
  return { child, frames, exit };
}

interface Reading {
  readonly child: ReturnType<typeof startFfmpeg>;
  readonly frames: FrameInput;
  /** Its exit code. Rejects where it could not be started. */
  readonly exit: Promise<number | null>;
}

const rgbLayout = 'rgb24';
/** Layouts of planes that the kernel reads. */
const planeLayouts: readonly string[] = ['yuv420p', 'yuvj420p'];

/** How frames come through the pipe: as their planes where that gives the same RGB, which is half of the bytes. */
async function pipeLayout({ layout, height, isHdr }: Film): Promise<string> {
  // Where the height is odd ffmpeg has another way to RGB.
  const isPlain = layout !== undefined && planeLayouts.includes(layout) && height % 2 === 0;
  if (!isPlain || isHdr || !(await ffmpegAbilities()).convertsAlike) return rgbLayout;
  return layout;
}

async function readArguments(
  film: Film,
  layout: string,
  start: number | undefined,
  onWarning: ReadOptions['onWarning'],
): Promise<string[]> {
  const { passFrames } = await ffmpegAbilities();
  const filters = ['showinfo=checksum=0'];
  if (film.isHdr) {
    if (await hasFilter('zscale')) filters.push(toneMapping);
    else
      onWarning?.(
        `${film.path}: this ffmpeg lacks zscale, so that colours of a high dynamic range come out pale.`,
      );
  }
  // The size is said, for films that change theirs.
  filters.push(`scale=${film.width}:${film.height}:flags=bicubic`, `format=${layout}`);
  const seek = start === undefined ? [] : ['-ss', String(start + film.origin - film.formatStart)];
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'level+info', '-copyts', ...seek],
    ...inputArguments(film.path),
    ...['-map', `0:${film.stream}`, '-vf', filters.join(','), ...passFrames],
    ...[
      '-c:v',
      'rawvideo',
      '-f',
      'fifo',
      '-fifo_format',
      'rawvideo',
      '-queue_size',
      String(queueSize(film)),
      'pipe:1',
    ],
  ];
}

/** Frames that ffmpeg decodes ahead, in 32 MB at most, while one is measured. */
function queueSize({ width, height }: Film): number {
  return Math.max(2, Math.min(32, Math.floor(2 ** 25 / (3 * width * height))));
}

const toneMapping =
  'zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv,format=yuv420p';

/** Says how the reading ended. @throws InputError where it gave nothing */
function report(
  film: Film,
  frames: number,
  code: number | null,
  log: FfmpegLog,
  start: number | undefined,
  onWarning: ReadOptions['onWarning'],
): void {
  const why = log.lastError === '' ? '' : ` (ffmpeg: ${log.lastError})`;
  if (frames === 0) {
    if (start !== undefined && log.errors === 0)
      throw new InputError(
        `${film.path}: there are no frames from ${start} s on; choose an earlier --start.`,
      );
    throw new InputError(`${film.path}: no frame could be read${why}.`);
  }
  if (log.errors > 0 || code !== 0)
    onWarning?.(`${film.path}: parts of this film are damaged${why}; what could be read was used.`);
}
