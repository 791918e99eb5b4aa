/** Films read by the programs ffmpeg and ffprobe: raw pictures come through a pipe, what they are through the log. */
import * as z from 'zod';
import { InputError } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import {
  ffmpegAbilities,
  hasFilter,
  inputArguments,
  runProbe,
  startError,
  startFfmpeg,
} from './command.ts';
import type { FeedEnd, FeedOptions, Film, FilmDecoder, FoundFile, FrameFeed } from './decoder.ts';
import { FfmpegLog, type ToldFrame } from './log.ts';
import { type FrameInput, SocketFrames, StreamFrames } from './pipe.ts';

export const ffmpegDecoder: FilmDecoder = {
  name: 'ffmpeg',
  find: findByFfprobe,
  convertsAlike: async () => (await ffmpegAbilities()).convertsAlike,
  hasFilter,
  open: async (film, options) =>
    FfmpegFeed.open(await readArguments(film, options), options.target),
};

const optionalNumber = z.coerce.number().optional().catch(undefined);
const streamSchema = z.object({
  index: z.int(),
  codec_type: z.string().optional(),
  width: z.int().optional(),
  height: z.int().optional(),
  pix_fmt: z.string().optional(),
  sample_aspect_ratio: z.string().optional(),
  r_frame_rate: z.string().optional(),
  avg_frame_rate: z.string().optional(),
  duration: optionalNumber,
  color_transfer: z.string().optional(),
  disposition: z
    .object({ attached_pic: z.int().optional(), default: z.int().optional() })
    .optional(),
  tags: z.object({ rotate: optionalNumber }).optional(),
  side_data_list: z.array(z.object({ rotation: optionalNumber })).optional(),
});
const probeSchema = z.object({
  streams: z.array(streamSchema),
  format: z.object({ start_time: optionalNumber, duration: optionalNumber }).optional(),
});

/** @throws InputError when ffprobe is not installed, or said what is not known */
async function findByFfprobe(
  path: string,
  signal?: AbortSignal,
): Promise<FoundFile | { readonly failure: string }> {
  const args = [
    '-v',
    'error',
    '-of',
    'json',
    '-show_format',
    '-show_streams',
    ...inputArguments(path),
  ];
  const answer = await runProbe(args, signal);
  if ('failure' in answer) return answer;
  const parsed = probeSchema.safeParse(parseJson(answer.output, path));
  if (!parsed.success) throw new InputError(`${path}: ffprobe does not know what this is.`);
  return parsed.data;
}

async function readArguments(film: Film, { start, filters }: FeedOptions): Promise<string[]> {
  const { passFrames } = await ffmpegAbilities();
  const graph = ['showinfo=checksum=0', ...filters].join(',');
  const seek = start === undefined ? [] : ['-ss', String(start + film.origin - film.formatStart)];
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'level+info', '-copyts', ...seek],
    ...inputArguments(film.path),
    ...['-map', `0:${film.stream}`, '-vf', graph, ...passFrames],
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

class FfmpegFeed implements FrameFeed {
  readonly #child: ReturnType<typeof startFfmpeg>;
  readonly #frames: FrameInput;
  readonly #log: FfmpegLog;
  /** Its exit code. Rejects where it could not be started. */
  readonly #exit: Promise<number | null>;

  private constructor(child: ReturnType<typeof startFfmpeg>, frames: FrameInput) {
    this.#child = child;
    this.#frames = frames;
    this.#log = new FfmpegLog(child.stderr);
    this.#exit = new Promise<number | null>((resolve, reject) => {
      child.once('error', (error) => reject(startError(error)));
      child.once('close', resolve);
    });
    this.#exit.catch(() => undefined);
  }

  /** Starts ffmpeg. @param target where each frame is put */
  static async open(args: readonly string[], target: Uint8Array): Promise<FfmpegFeed> {
    const socket = await SocketFrames.open(target);
    const child = startFfmpeg(args, socket?.far);
    socket?.handOver();
    const frames = socket ?? (child.stdout && new StreamFrames(child.stdout, target));
    if (!frames) throw new Error('ffmpeg has no output');
    return new FfmpegFeed(child, frames);
  }

  async next(index: number, rate: number): Promise<ToldFrame | undefined> {
    return (await this.#frames.next()) ? this.#log.next(index, rate) : undefined;
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  async finish(): Promise<FeedEnd> {
    const code = await this.#exit;
    const { errors, lastError } = this.#log;
    return { errors, lastError, hasFailed: code !== 0 };
  }

  async close(): Promise<void> {
    this.stop();
    this.#frames.close();
    await this.#exit.catch(() => undefined);
  }
}
