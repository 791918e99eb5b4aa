/** What ffprobe says of a film: which of its streams is the picture, its size, rate and clock. */
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { InputError } from '../../base/errors.ts';
import { errorCode } from '../../base/files.ts';
import { parseJson } from '../../base/json.ts';
import { inputArguments, runProbe } from './command.ts';

/** A film that can be read. */
export interface Film {
  readonly path: string;
  /** The stream's number among all of the file. */
  readonly stream: number;
  /** Pixels of a frame, turned upright. */
  readonly width: number;
  readonly height: number;
  /** How much wider than high a pixel is shown. */
  readonly pixelAspect: number;
  /** ffmpeg's name of how its pixels lie, such as yuv420p; undefined where ffprobe does not know it. */
  readonly layout: string | undefined;
  /** Frames a second, as far as there is one rate. */
  readonly rate: number;
  /** Seconds; undefined where the file does not say. */
  readonly duration: number | undefined;
  /** The stream's time at which players show 0:00, in seconds. */
  readonly origin: number;
  /** What ffmpeg itself counts from, in seconds. */
  readonly formatStart: number;
  /** Whether its colours are of a high dynamic range. */
  readonly isHdr: boolean;
}

const optionalNumber = z.coerce.number().optional().catch(undefined);
const streamSchema = z.object({
  index: z.int(),
  codec_type: z.string().optional(),
  codec_name: z.string().optional(),
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
type Stream = z.infer<typeof streamSchema>;

/** The largest frame, in pixels: twice that of 8K. */
const mostPixels = 2 ** 26;

/**
 * Looks at a film. Of several streams of pictures the default one is taken; covers are none.
 * @throws InputError when it is missing, empty, no film, or without pictures, or ffprobe is not installed;
 * the signal's reason when aborted
 */
export async function probeFilm(path: string, signal?: AbortSignal): Promise<Film> {
  await checkFile(path);
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
  if ('failure' in answer) throw new InputError(`${path}: ${reasonOf(answer.failure)}`);
  const parsed = probeSchema.safeParse(parseJson(answer.output, path));
  if (!parsed.success) throw new InputError(`${path}: ffprobe does not know what this is.`);
  const { streams, format } = parsed.data;
  const stream = pictureStream(path, streams);
  const { width, height } = frameSize(path, stream);
  const formatStart = format?.start_time ?? 0;
  return {
    path,
    stream: stream.index,
    width,
    height,
    pixelAspect: pixelAspectOf(stream),
    layout: stream.pix_fmt,
    rate: rateOf(stream),
    duration: format?.duration ?? stream.duration,
    // Sound may begin before 0:00 with what a decoder needs to start.
    origin: Math.max(0, formatStart),
    formatStart,
    isHdr: stream.color_transfer === 'smpte2084' || stream.color_transfer === 'arib-std-b67',
  };
}

/** @throws InputError for what is no file with something in it */
async function checkFile(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    const code = errorCode(error);
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
    throw new InputError(
      isMissing ? `${path}: there is no such file.` : `${path}: cannot be read (${code}).`,
    );
  });
  if (!found.isFile())
    throw new InputError(
      `${path}: this is no file; films are read from files, as parts are sought in them.`,
    );
  if (found.size === 0) throw new InputError(`${path}: the file is empty.`);
}

/** ffprobe's last word without what stands before it. */
function reasonOf(failure: string): string {
  const last = failure.trim().split('\n').at(-1) ?? '';
  if (/Permission denied/.test(last)) return 'no permission to read this file.';
  return 'this is no film that ffmpeg can read, or it is damaged at its beginning.';
}

function pictureStream(path: string, streams: readonly Stream[]): Stream {
  const isCover = ({ disposition }: Stream): boolean => disposition?.attached_pic === 1;
  const films = streams.filter((stream) => stream.codec_type === 'video' && !isCover(stream));
  const chosen = films.find(({ disposition }) => disposition?.default === 1) ?? films[0];
  if (chosen) return chosen;
  const hasSound = streams.some(({ codec_type: type }) => type === 'audio');
  throw new InputError(
    hasSound
      ? `${path}: there is sound alone, no film.`
      : `${path}: there are no moving pictures in this file.`,
  );
}

function frameSize(path: string, stream: Stream): { width: number; height: number } {
  const { width = 0, height = 0 } = stream;
  if (width < 1 || height < 1)
    throw new InputError(
      `${path}: the film has no size, so it is damaged or of a kind that ffmpeg lacks.`,
    );
  if (width * height > mostPixels)
    throw new InputError(
      `${path}: frames of ${width} x ${height} pixels are more than ${mostPixels} pixels; make them smaller first (ffmpeg -i FILM -vf scale=1920:-2 SMALLER.mp4).`,
    );
  const turn = stream.side_data_list?.find(({ rotation }) => rotation !== undefined)?.rotation;
  const angle = Math.abs(turn ?? stream.tags?.rotate ?? 0) % 180;
  return Math.abs(angle - 90) < 1 ? { width: height, height: width } : { width, height };
}

function pixelAspectOf({ sample_aspect_ratio: text = '1:1' }: Stream): number {
  const value = fraction(text.replace(':', '/'));
  return value > 0 ? value : 1;
}

/** As ffmpeg guesses it: the lowest rate that all times fit, unless that is that of the clock. */
function rateOf(stream: Stream): number {
  const fitting = fraction(stream.r_frame_rate);
  const average = fraction(stream.avg_frame_rate);
  const rate = average > 0 && average < 70 && fitting > 210 ? average : fitting;
  return rate > 0 ? rate : average > 0 ? average : 25;
}

/** '30000/1001' -> 29.97; 0 for what is none. */
function fraction(text = ''): number {
  const [above, below = 1] = text.split('/').map(Number);
  const value = above / below;
  return Number.isFinite(value) ? value : 0;
}
