/** `refcap video`: films in, scenes with captions out: tables, subtitles, chapters, a contact sheet. */
import { dirname, relative, resolve, sep } from 'node:path';
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { InputError, UsageError } from '../base/errors.ts';
import { isThere, writeFileAtomic } from '../base/files.ts';
import { openStream } from '../base/streams.ts';
import { checkWritableFolder } from '../base/writable.ts';
import { bundledModel, type Captioner } from '../caption/captioner.ts';
import type { CaptionOptions } from '../caption/options.ts';
import type { SheetFilm, SheetScene } from '../pages/films.ts';
import { defaultFrames } from '../video/captions/describe.ts';
import { ffmpegAbilities } from '../video/ffmpeg/command.ts';
import { type Film, probeFilm } from '../video/ffmpeg/probe.ts';
import { captionFilm, type FilmOptions, filmScenes } from '../video/film.ts';
import { listFilms } from '../video/inputs.ts';
import {
  bareRows,
  type FilmFormat,
  filmFormats,
  formatOfName,
  formatRules,
  type WrittenScene,
} from '../video/output/formats.ts';
import {
  type FilmOutput,
  fileOutput,
  filesOutput,
  standardOutput,
} from '../video/output/output.ts';
import type { SceneLength } from '../video/scenes/detectors.ts';
import { type DetectorName, detectorNames } from '../video/scenes/detectors.ts';
import { loadCaptioner } from './options/captioner.ts';
import { baseOption, verboseOption } from './options/hub.ts';
import { checkOutputFile } from './options/output-file.ts';
import { number, positive, whole } from './options/values.ts';
import { FilmProgress } from './terminal/film-progress.ts';
import { interruptible } from './terminal/interrupt.ts';

interface Flags {
  model: string;
  revision?: string;
  offline?: true;
  base?: string;
  device?: string;
  threads?: number;
  workers: number;
  quantize?: 'int8';
  members?: number;
  beams?: number;
  maxNewTokens?: number;
  prompt?: string;
  scenesOnly?: true;
  detector: DetectorName;
  threshold?: number;
  minScene?: SceneLength;
  start?: number;
  end?: number;
  frames: number;
  vote?: true;
  join: boolean;
  format?: FilmFormat[];
  output?: string;
  outputFolder?: string;
  beside?: true;
  contactSheet?: string;
  recursive?: true;
  resume?: true;
  overwrite?: true;
  failFast?: true;
  quiet?: true;
}

const help = `
Films are read by ffmpeg, which must be installed. Folders stand for the films in them.

Scenes are those of PySceneDetect's detectors: adaptive (changes that stand out of their neighbours),
content (changes above a threshold), fades (to black) and white-fades. A scene is captioned from
frames spread over it; neighbouring scenes that say the same are one.

Formats: text (path, start, end, caption), json and jsonl (with frames, confidence and words), srt and
vtt (subtitles: 2 lines of 42 characters, 5/6 to 7 s, none across a cut), chapters and descriptions
(WebVTT of those kinds, a cue for each scene).

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but some films failed, 130 interrupted.

Examples:
  refcap video film.mp4
  refcap video film.mp4 --format vtt > film.vtt
  refcap video film.mp4 --scenes-only --detector content
  refcap video films --format vtt,chapters,json --beside
  refcap video films --output films.jsonl --resume
  refcap video film.mp4 --contact-sheet film.html`;

/** 90, 1:30 or 0:01:30.5, in seconds. */
function time(text: string): number {
  const parts = text.split(':');
  const isTime = parts.length <= 3 && parts.every((part) => /^\d+(\.\d+)?$/.test(part));
  if (!isTime) throw new InvalidArgumentError('not a time such as 90, 1:30 or 1:02:03.5.');
  return parts.reduce((sum, part) => 60 * sum + Number(part), 0);
}

/** 15 (frames) or 0.6s. */
function sceneLength(text: string): SceneLength {
  return text.endsWith('s') ? { seconds: number(text.slice(0, -1)) } : { frames: whole(text) };
}

function frameCount(text: string): number {
  if (text === 'middle') return 1;
  const count = positive(text);
  if (count > mostFrames) throw new InvalidArgumentError(`at most ${mostFrames}.`);
  return count;
}
const mostFrames = 32;

function formatList(text: string): FilmFormat[] {
  return [...new Set(text.split(','))].map((name) => {
    const format = filmFormats.find((known) => known === name.trim());
    if (format === undefined)
      throw new InvalidArgumentError(`'${name}' is none of ${filmFormats.join(', ')}.`);
    return format;
  });
}

export const command = new Command('video')
  .summary('caption films: scenes, subtitles, chapters')
  .description('Caption films: a line for each scene, its times and its caption.')
  .argument('<inputs...>', 'films, or folders of films')
  .option('-m, --model <model>', 'model folder or file, bundled model, or hub id', bundledModel)
  .option('--revision <name>', 'branch, tag or commit of a hub model')
  .option('--offline', 'use only models that are here already')
  .addOption(baseOption())
  .addOption(verboseOption())
  .option('--device <name>', "where to compute: 'cpu', 'webgpu', ... (default: cpu)")
  .option('--threads <n>', 'processor threads of each worker (default: all cores)', positive)
  .option('--workers <n>', 'scenes at a time, each in a thread', whole, 1)
  .addOption(new Option('--quantize <kind>', 'faster, less exact products').choices(['int8']))
  .option('--members <n>', 'of a model with several members, how many write together', positive)
  .option('--beams <n>', "beams of beam search (default: the model's own)", positive)
  .option('--max-new-tokens <n>', 'most tokens after the prompt', positive)
  .option('--prompt <text>', 'what every caption begins with')
  .option('--scenes-only', 'print scenes, without captions')
  .addOption(
    new Option('--detector <name>', 'how scenes are told apart')
      .choices(detectorNames)
      .default('adaptive'),
  )
  .option(
    '--threshold <x>',
    "the detector's (default: adaptive 3, content 27, fades 12, white-fades 243)",
    number,
  )
  .option('--min-scene <length>', 'shortest scene, in frames or as 0.6s (default: 15)', sceneLength)
  .option('--start <time>', 'where to begin: 90, 1:30, 1:02:03.5', time)
  .option('--end <time>', 'where to stop', time)
  .option(
    '--frames <n>',
    "frames that a scene is captioned from, or 'middle'",
    frameCount,
    defaultFrames,
  )
  .option('--vote', "caption each frame and take the caption nearest to the others'")
  .option('--no-join', 'keep neighbouring scenes that say the same apart')
  .option(
    '-f, --format <formats>',
    `${filmFormats.join(', ')}; several with commas (default: text)`,
    formatList,
  )
  .option('-o, --output <file>', 'write to a file instead of the standard output')
  .option('-d, --output-folder <folder>', 'write a file for each film and format')
  .option('--beside', 'write these files beside the films')
  .option('--contact-sheet <file>', 'also write a page of the scenes with pictures')
  .option('-r, --recursive', 'also look into the folders of folders')
  .option('--resume', 'skip films whose results are there')
  .option('--overwrite', 'replace what is there')
  .option('--fail-fast', 'stop at the first film that fails')
  .option('-q, --quiet', 'no progress and no summary')
  .addHelpText('after', help)
  .action(run);

async function run(inputs: string[], flags: Flags): Promise<void> {
  const formats = formatsOf(flags);
  checkFlags(flags, formats);
  await checkPlaces(flags);
  await ffmpegAbilities();
  const films = await listFilms(inputs, flags.recursive ?? false);
  const canHoldAll = formats.every((format) => formatRules[format].holdsSeveral);
  if (films.length > 1 && !canHoldAll && !hasFolder(flags))
    throw new UsageError(
      `--format ${formats.join(',')} is a file for each film; use --output-folder or --beside.`,
    );
  const canResume = flags.output !== undefined || hasFolder(flags);
  await interruptible(
    (signal) => (flags.scenesOnly ? printScenes : captionFilms)(films, formats, flags, signal),
    canResume && !flags.scenesOnly ? '. Run again with --resume to go on.' : '.',
  );
}

function hasFolder({ outputFolder, beside }: Flags): boolean {
  return outputFolder !== undefined || beside === true;
}

function formatsOf({ format, output }: Flags): FilmFormat[] {
  const own = output === undefined ? undefined : formatOfName(output);
  // .vtt may be any of three kinds.
  const isLike = format?.every(
    (one) => own && formatRules[one].ending.endsWith(formatRules[own].ending),
  );
  if (format !== undefined && own !== undefined && !isLike)
    throw new UsageError(
      `--output ${output} is the name of a ${formatRules[own].ending} file, which --format ${format.join(',')} does not write; leave out --format, or name another file.`,
    );
  return format ?? (own ? [own] : ['text']);
}

function checkFlags(flags: Flags, formats: readonly FilmFormat[]): void {
  const { start = 0, end = Number.POSITIVE_INFINITY, resume, overwrite, output } = flags;
  const wrong = (sentence: string): never => {
    throw new UsageError(sentence);
  };
  if (end <= start) wrong(`--end (${end} s) is not after --start (${start} s).`);
  if (resume && overwrite) wrong('--resume and --overwrite exclude each other.');
  if (flags.outputFolder !== undefined && flags.beside)
    wrong('--output-folder and --beside exclude each other.');
  if (output !== undefined && hasFolder(flags))
    wrong('--output is one file: leave out --output-folder and --beside.');
  if (formats.length > 1 && !hasFolder(flags))
    wrong('several formats are several files: use --output-folder or --beside.');
  if (resume && output === undefined && !hasFolder(flags))
    wrong('--resume needs --output, --output-folder or --beside.');
  if (resume && flags.contactSheet !== undefined)
    wrong('--contact-sheet is made of all films: leave out --resume.');
  if (!flags.scenesOnly) return;
  const isTable = formats.every((format) => format === 'text' || format === 'jsonl');
  if (!isTable) wrong('--scenes-only prints text or jsonl.');
  if (resume || hasFolder(flags) || flags.contactSheet !== undefined)
    wrong(
      '--scenes-only writes to the standard output or --output: leave out the other outputs and --resume.',
    );
}

/** Before any film is read. */
async function checkPlaces(flags: Flags): Promise<void> {
  const { output, outputFolder, contactSheet, resume, overwrite = false } = flags;
  if (output !== undefined)
    await checkOutputFile(
      output,
      resume ?? overwrite,
      `${output} exists; use --resume to go on with it or --overwrite to replace it.`,
    );
  if (contactSheet !== undefined) await checkOutputFile(contactSheet, overwrite);
  if (outputFolder === undefined) return;
  if (!(await isThere(outputFolder)))
    throw new InputError(`${outputFolder}: the folder does not exist; create it first.`);
  await checkWritableFolder(outputFolder);
}

function filmOptionsOf(flags: Flags, signal: AbortSignal): FilmOptions {
  const { start, end, detector, threshold, minScene, frames, vote, join } = flags;
  const { beams, maxNewTokens, prompt } = flags;
  const caption: CaptionOptions = {
    ...(beams !== undefined && { num_beams: beams }),
    ...(maxNewTokens !== undefined && { max_new_tokens: maxNewTokens }),
    ...(prompt !== undefined && { prompt }),
  };
  return {
    ...(start !== undefined && { start }),
    ...(end !== undefined && { end }),
    scenes: {
      detector,
      ...(threshold !== undefined && { threshold }),
      ...(minScene !== undefined && { minLength: minScene }),
    },
    frames,
    ...(vote && { vote }),
    keepAlike: !join,
    caption,
    signal,
  };
}

/**
 * Does the work of each film. One that cannot be read is told, and the others go on.
 * @returns how many were done
 */
async function forEachFilm(
  films: readonly string[],
  flags: Flags,
  signal: AbortSignal,
  work: (film: Film, options: FilmOptions) => Promise<void>,
): Promise<number> {
  const progress = new FilmProgress();
  let done = 0;
  for (const path of films) {
    try {
      const film = await probeFilm(path, signal);
      const say = (sentence: string): void => {
        progress.clear();
        console.error(`refcap: ${sentence}`);
      };
      const onFrame = (at: number): void => {
        if (!flags.quiet) progress.show(path, at, film.duration);
      };
      await work(film, { ...filmOptionsOf(flags, signal), onWarning: say, onFrame });
      done += 1;
    } catch (error) {
      if (!(error instanceof InputError) || flags.failFast) throw error;
      progress.clear();
      console.error(`refcap: ${error.message}`);
    } finally {
      progress.clear();
    }
  }
  if (done < films.length) process.exitCode = done === 0 ? 1 : 3;
  return done;
}

async function printScenes(
  films: readonly string[],
  [format]: readonly FilmFormat[],
  flags: Flags,
  signal: AbortSignal,
): Promise<void> {
  const row = bareRows[format === 'jsonl' ? 'jsonl' : 'text'];
  const stream = openStream('/dev/stdout');
  const rows: string[] = [];
  await forEachFilm(films, flags, signal, async (film, options) => {
    for await (const scene of filmScenes(film, options)) {
      const line = `${row(film.path, scene)}\n`;
      if (flags.output === undefined) await stream.write(line);
      else rows.push(line);
    }
  });
  if (flags.output !== undefined && rows.length > 0)
    await writeFileAtomic(flags.output, rows.join(''));
}

async function captionFilms(
  films: readonly string[],
  formats: readonly FilmFormat[],
  flags: Flags,
  signal: AbortSignal,
): Promise<void> {
  const output = await openOutput(films, formats, flags);
  const left: string[] = [];
  for (const film of films) if (!(await output.has(film))) left.push(film);
  const skipped = films.length - left.length;
  const started = performance.now();
  let done = 0;
  let scenes = 0;
  const sheet: SheetFilm[] = [];
  try {
    if (left.length > 0) {
      using captioner = await loadCaptioner(flags, signal);
      captioner.check(filmOptionsOf(flags, signal).caption ?? {});
      done = await forEachFilm(left, flags, signal, async (film, options) => {
        const captioned = await captionOne(captioner, film, options, flags.contactSheet);
        await output.write({ file: film.path, rate: film.rate, scenes: captioned.scenes });
        if (captioned.sheet) sheet.push(captioned.sheet);
        scenes += captioned.scenes.length;
      });
    }
  } finally {
    await output.finish();
  }
  if (flags.contactSheet !== undefined && sheet.length > 0) {
    const { contactSheet } = await import('../pages/films.ts');
    await writeFileAtomic(flags.contactSheet, contactSheet(sheet));
  }
  if (flags.quiet) return;
  const parts = [`${scenes} scenes of ${done} ${done === 1 ? 'film' : 'films'}`];
  if (skipped > 0) parts.push(`${skipped} skipped`);
  console.error(`${parts.join(', ')} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

function openOutput(
  films: readonly string[],
  formats: readonly FilmFormat[],
  flags: Flags,
): Promise<FilmOutput> | FilmOutput {
  const { output, outputFolder, resume = false, overwrite = false } = flags;
  if (hasFolder(flags)) return filesOutput(films, formats, outputFolder, { resume, overwrite });
  const [format] = formats;
  return output === undefined
    ? standardOutput(format)
    : fileOutput(output, format, { resume, overwrite });
}

/** Longest side of the sheet's pictures. */
const pictureSize = 480;

/** @param sheet the page that the pictures are for, if one is wanted */
async function captionOne(
  captioner: Captioner,
  film: Film,
  options: FilmOptions,
  sheet: string | undefined,
): Promise<{ readonly scenes: WrittenScene[]; readonly sheet?: SheetFilm }> {
  const { pixelThumbnail } = await import('../data/images/thumbnail.ts');
  const scenes: WrittenScene[] = [];
  const pictures: SheetScene[] = [];
  for await (const { picture, ...scene } of captionFilm(captioner, film, options)) {
    scenes.push(scene);
    if (sheet === undefined) continue;
    const { start, end, caption } = scene;
    const address = await pixelThumbnail(picture, pictureSize, film.pixelAspect);
    pictures.push({ start, end, caption, picture: address });
  }
  if (sheet === undefined) return { scenes };
  const path = relative(dirname(resolve(sheet)), resolve(film.path));
  const address = path.split(sep).map(encodeURIComponent).join('/');
  return { scenes, sheet: { file: film.path, address, scenes: pictures } };
}
