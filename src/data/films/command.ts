/** ffmpeg and ffprobe, which are programs of the user's: started with a list of arguments, never through a shell. */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { InputError } from '../../base/errors.ts';
import { errorCode } from '../../base/files.ts';
import { convertsAlike, sampleArguments, samplePlanes } from './conversion.ts';

type Program = 'ffmpeg' | 'ffprobe';

/** Kinds of files that are opened: films and sounds, no playlists, which lead to other files. */
export const demuxers: readonly string[] = [
  ...[
    'mov',
    'matroska',
    'webm',
    'avi',
    'mpegts',
    'mpeg',
    'mpegvideo',
    'flv',
    'live_flv',
    'asf',
    'ogg',
  ],
  ...[
    'gif',
    'apng',
    'rm',
    'mxf',
    'nut',
    'ivf',
    'obu',
    'av1',
    'h264',
    'hevc',
    'vvc',
    'm4v',
    'h263',
    'mjpeg',
  ],
  ...[
    'dv',
    'gxf',
    'wtv',
    'nsv',
    'swf',
    'bink',
    'roq',
    'smk',
    'flic',
    'dirac',
    'vc1',
    'yuv4mpegpipe',
    'y4m',
  ],
  ...[
    'mp3',
    'wav',
    'flac',
    'aac',
    'ac3',
    'aiff',
    'ape',
    'amr',
    'caf',
    'au',
    'w64',
    'wv',
    'dts',
    'eac3',
  ],
];

/** Arguments that open a file for reading, and nothing that it may refer to. @param path any name of a file */
export function inputArguments(path: string): string[] {
  const whitelists = ['-protocol_whitelist', 'file,pipe', '-format_whitelist', demuxers.join(',')];
  // With its protocol a name is a name, though it begin with - or look like another protocol's address.
  return [...whitelists, '-i', `file:${path}`];
}

/** The most that is kept of what ffprobe says. */
const mostOutput = 2 ** 24;

/**
 * What ffprobe prints.
 * @returns its standard output, or where it failed its standard error
 * @throws InputError when it is not installed; the signal's reason when aborted
 */
export function runProbe(
  args: readonly string[],
  signal?: AbortSignal,
): Promise<{ readonly output: string } | { readonly failure: string }> {
  return new Promise((resolve, reject) => {
    const options = { maxBuffer: mostOutput, ...(signal && { signal }) };
    execFile('ffprobe', args, options, (error, output, failure) => {
      if (signal?.aborted) reject(signal.reason);
      else if (errorCode(error) === 'ENOENT') reject(notInstalled('ffprobe'));
      else resolve(error ? { failure } : { output });
    });
  });
}

/**
 * Starts ffmpeg. What it cannot be started for comes as an `error` event: see `startError`.
 * @param output where its standard output goes; default a pipe, which the child then has
 */
export function startFfmpeg(
  args: readonly string[],
  output?: Writable,
): ChildProcessByStdio<null, Readable | null, Readable> {
  return output
    ? spawn('ffmpeg', args, { stdio: ['ignore', output, 'pipe'] })
    : spawn('ffmpeg', args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The sentence for a program that could not be started, or the error itself. */
export function startError(error: unknown): unknown {
  return errorCode(error) === 'ENOENT' ? notInstalled('ffmpeg') : error;
}

function notInstalled(program: Program): InputError {
  return new InputError(
    `films are read by ${program}, which is not installed or not on the PATH; ${howToInstall} and run again.`,
  );
}

/** What to do where ffmpeg is missing. */
export const howToInstall =
  'install ffmpeg (Debian and Ubuntu: apt install ffmpeg; macOS: brew install ffmpeg; Windows: winget install ffmpeg)';

/** Whether both programs are on the PATH. */
export async function isFfmpegThere(): Promise<boolean> {
  const folders = (process.env.PATH ?? '/usr/bin:/bin').split(delimiter);
  const ending = process.platform === 'win32' ? '.exe' : '';
  const isThere = (program: Program): Promise<boolean> =>
    Promise.any(
      folders.map((folder) => access(join(folder, `${program}${ending}`), constants.X_OK)),
    ).then(
      () => true,
      () => false,
    );
  return (await isThere('ffmpeg')) && (await isThere('ffprobe'));
}

/** What this ffmpeg can do. */
export interface FfmpegAbilities {
  /** The option that keeps frames as they are, whatever their times. */
  readonly passFrames: readonly string[];
  /** Whether it makes RGB of planes as the kernel does, and tells of each frame's colours. */
  readonly convertsAlike: boolean;
}

/** @throws InputError when ffmpeg is not installed */
export async function ffmpegAbilities(): Promise<FfmpegAbilities> {
  const { output, errors } = await askFfmpeg(sampleArguments, samplePlanes);
  const [, major, minor] = /ffmpeg version n?(\d+)\.(\d+)/.exec(errors) ?? [];
  // Builds without a number are newer than those versions.
  const isOld = major !== undefined && Number(major) + Number(minor) / 10 < 5.1;
  return {
    passFrames: isOld ? ['-vsync', 'passthrough'] : ['-fps_mode', 'passthrough'],
    convertsAlike: convertsAlike(output, errors),
  };
}

/** Whether ffmpeg has a filter. @throws as `ffmpegAbilities` */
export async function hasFilter(name: string): Promise<boolean> {
  const { output } = await askFfmpeg(['-hide_banner', '-filters']);
  const lines = output.toString().split('\n');
  return lines.some((line) => line.trim().split(/\s+/)[1] === name);
}

interface Answer {
  readonly output: Buffer;
  readonly errors: string;
}

/** What ffmpeg said, by the PATH on which it was found and the arguments. */
const said = new Map<string, Promise<Answer>>();

/** Asks ffmpeg once, however many films there are. */
function askFfmpeg(args: readonly string[], input?: Uint8Array): Promise<Answer> {
  const key = JSON.stringify([process.env.PATH, args]);
  const known = said.get(key);
  if (known) return known;
  const answer = new Promise<Answer>((resolve, reject) => {
    const options = { maxBuffer: mostOutput, encoding: 'buffer' } as const;
    const child = execFile('ffmpeg', args, options, (error, output, errors) => {
      // One that ends in failure has said so: it cannot do what was asked.
      if (errorCode(error)?.startsWith('E')) reject(startError(error));
      else resolve({ output, errors: errors.toString() });
    });
    // It may end before it has read all.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
  said.set(key, answer);
  // It may be installed meanwhile.
  answer.catch(() => said.delete(key));
  return answer;
}
