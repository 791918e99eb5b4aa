/** What is known of a film before it is read: which of its streams is the picture, its size, rate and clock. */
import { stat } from 'node:fs/promises';
import { InputError } from '../../base/errors.ts';
import { errorCode } from '../../base/files.ts';
import { chooseDecoder } from './choose.ts';
import type { Film, FilmDecoder, FoundStream } from './decoder.ts';

/** The largest frame, in pixels: twice that of 8K. */
const mostPixels = 2 ** 26;

/**
 * Looks at a film. Of several streams of pictures the default one is taken; covers are none.
 * @param asked what reads it; default what is there
 * @throws InputError when it is missing, empty, no film, or without pictures, or nothing that reads films is installed;
 * the signal's reason when aborted
 */
export async function probeFilm(
  path: string,
  signal?: AbortSignal,
  asked?: FilmDecoder,
): Promise<Film> {
  await checkFile(path);
  const decoder = asked ?? (await chooseDecoder());
  const found = await decoder.find(path, signal);
  if ('failure' in found) throw new InputError(`${path}: ${reasonOf(found.failure)}`);
  const { streams, format } = found;
  const stream = pictureStream(path, streams);
  const { width, height } = frameSize(path, stream);
  const formatStart = format?.start_time ?? 0;
  return {
    path,
    decoder,
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

/** @param failure what the decoder said last */
function reasonOf(failure: string): string {
  const last = failure.trim().split('\n').at(-1) ?? '';
  if (/Permission denied/.test(last)) return 'no permission to read this file.';
  return 'this is no film that ffmpeg can read, or it is damaged at its beginning.';
}

function pictureStream(path: string, streams: readonly FoundStream[]): FoundStream {
  const isCover = ({ disposition }: FoundStream): boolean => disposition?.attached_pic === 1;
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

function frameSize(path: string, stream: FoundStream): { width: number; height: number } {
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

function pixelAspectOf({ sample_aspect_ratio: text = '1:1' }: FoundStream): number {
  const value = fraction(text.replace(':', '/'));
  return value > 0 ? value : 1;
}

/** As ffmpeg guesses it: the lowest rate that all times fit, unless that is that of the clock. */
function rateOf(stream: FoundStream): number {
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
