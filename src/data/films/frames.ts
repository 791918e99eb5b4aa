/** A film's frames in memory, one at a time, each with its own time: a pipe of raw pictures from ffmpeg. */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { InputError } from '../../base/errors.ts';
import type { RgbImage } from '../images/rgb.ts';
import { ffmpegAbilities, hasFilter, inputArguments, startError, startFfmpeg } from './command.ts';
import type { Film } from './probe.ts';

/** A frame. Its memory is that of the next one too: copy what is to be kept. */
export interface VideoFrame extends RgbImage {
  /** Number among the frames that are read, from 0. */
  readonly index: number;
  /** Seconds from the film's 0:00. */
  readonly time: number;
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
  const args = await readArguments(film, start, onWarning);
  signal?.throwIfAborted();
  const child = startFfmpeg(args);
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  signal?.addEventListener('abort', kill, { once: true });
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(startError(error)));
    child.once('close', resolve);
  });
  exit.catch(() => undefined);
  const log = new Log(child.stderr);
  const { width, height } = film;
  let count = 0;
  let hasMore = false;
  try {
    const data = new Uint8Array(width * height * 3);
    for await (const index of filled(child.stdout, data)) {
      count = index + 1;
      const time = (await log.timeOf(index, film.rate)) - film.origin;
      signal?.throwIfAborted();
      if (time >= end) {
        hasMore = true;
        break;
      }
      yield { index, time, width, height, data };
    }
    signal?.throwIfAborted();
    if (hasMore) return;
    const code = await exit;
    report(film, count, code, log, start, onWarning);
  } finally {
    signal?.removeEventListener('abort', kill);
    kill();
    await exit.catch(() => undefined);
  }
}

async function readArguments(
  film: Film,
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
  filters.push(`scale=${film.width}:${film.height}:flags=bicubic`, 'format=rgb24');
  const seek = start === undefined ? [] : ['-ss', String(start + film.origin - film.formatStart)];
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'level+info', '-copyts', ...seek],
    ...inputArguments(film.path),
    ...['-map', `0:${film.stream}`, '-vf', filters.join(','), ...passFrames],
    ...['-f', 'rawvideo', 'pipe:1'],
  ];
}

const toneMapping =
  'zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv,format=yuv420p';

/** Fills `data` with one picture after the other; yields their numbers. */
async function* filled(stream: Readable, data: Uint8Array): AsyncGenerator<number> {
  let index = 0;
  let at = 0;
  for await (const chunk of stream) {
    const bytes: Uint8Array = chunk;
    for (let from = 0; from < bytes.length; ) {
      const count = Math.min(bytes.length - from, data.length - at);
      data.set(bytes.subarray(from, from + count), at);
      from += count;
      at += count;
      if (at < data.length) continue;
      yield index;
      index += 1;
      at = 0;
    }
  }
}

/** What ffmpeg says on its standard error: the frames' times, and errors. */
class Log {
  errors = 0;
  lastError = '';
  #timeBase = 1;
  #isOver = false;
  /** Times of frames that were not asked for yet; undefined for a frame without one. */
  readonly #times: (number | undefined)[] = [];
  #first = 0;
  #wake = (): void => undefined;

  constructor(stream: Readable) {
    const lines = createInterface({ input: stream });
    lines.on('line', (line) => this.#read(line));
    lines.on('close', () => {
      this.#isOver = true;
      this.#wake();
    });
  }

  /** The time of a frame, asked for in order. @param rate frames a second where they have no times */
  async timeOf(index: number, rate: number): Promise<number> {
    while (this.#times.length === 0 && !this.#isOver)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    if (this.#times.length === 0) throw new Error('ffmpeg gave a frame without telling of it');
    this.#first = index;
    return this.#times.shift() ?? this.#first / rate;
  }

  #read(line: string): void {
    const base = /time_base: (\d+)\/(\d+)/.exec(line);
    if (base && line.includes('config in')) this.#timeBase = Number(base[1]) / Number(base[2]);
    const frame = /\] n:\s*\d+ pts:\s*(-?\d+|NOPTS)/.exec(line);
    if (frame) {
      this.#times.push(frame[1] === 'NOPTS' ? undefined : Number(frame[1]) * this.#timeBase);
      this.#wake();
    } else if (/\[(?:error|fatal|panic)\]/.test(line)) {
      this.errors += 1;
      this.lastError = line.replace(/\[[^\]]*\]\s*/g, '');
    }
  }
}

/** Says how the reading ended. @throws InputError where it gave nothing */
function report(
  film: Film,
  frames: number,
  code: number | null,
  log: Log,
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
