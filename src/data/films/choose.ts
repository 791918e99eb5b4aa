/** Which source of frames reads films. */
import { InputError } from '../../base/errors.ts';
import { howToInstall, isFfmpegThere } from './command.ts';
import type { DecoderName, FilmDecoder } from './decoder.ts';
import { ffmpegDecoder } from './ffmpeg.ts';
import { nodeAvDecoder } from './node-av/node-av.ts';
import { howToAdd, isNodeAvThere, loadNodeAv } from './node-av/package.ts';

/**
 * What reads films here: what is asked for, else ffmpeg where it is on the PATH, else the package node-av.
 * @throws InputError where it is not installed
 */
export async function chooseDecoder(asked?: DecoderName): Promise<FilmDecoder> {
  const hasFfmpeg = asked !== 'node-av' && (await isFfmpegThere());
  if (hasFfmpeg) return ffmpegDecoder;
  if (asked === 'ffmpeg')
    throw new InputError(
      `ffmpeg or its ffprobe is not installed or not on the PATH; ${howToInstall}, or leave out --decoder.`,
    );
  if (asked === undefined && !isNodeAvThere())
    throw new InputError(
      `films are read by ffmpeg and its ffprobe, which are not installed or not on the PATH, or by the npm package node-av, which is not installed either; ${howToInstall}, or ${howToAdd}, and run again.`,
    );
  await loadNodeAv();
  return nodeAvDecoder;
}
