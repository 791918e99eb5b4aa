/** The flags of `refcap video`, and how they fit each other. */
import { InputError, UsageError } from '../../base/errors.ts';
import { isThere } from '../../base/files.ts';
import { checkWritableFolder } from '../../base/writable.ts';
import { givenOptions } from '../../caption/command-options.ts';
import type { DecoderName } from '../../data/films/decoder.ts';
import type { FilmOptions } from '../../video/film.ts';
import { type FilmFormat, formatOfName, formatRules } from '../../video/output/formats.ts';
import type { DetectorName, SceneLength } from '../../video/scenes/detectors.ts';
import type { ModelFlags } from '../options/captioner.ts';
import { checkOutputFile } from '../options/output-file.ts';

export interface VideoFlags extends ModelFlags {
  workers: number;
  beams?: number;
  maxNewTokens?: number;
  prompt?: string;
  decoder?: DecoderName;
  scenesOnly?: true;
  detector: DetectorName;
  threshold?: number;
  minScene?: SceneLength;
  start?: number;
  end?: number;
  frames?: number;
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
}

export function hasFolder({ outputFolder, beside }: VideoFlags): boolean {
  return outputFolder !== undefined || beside === true;
}

export function formatsOf({ format, output }: VideoFlags): FilmFormat[] {
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

export function checkVideoFlags(flags: VideoFlags, formats: readonly FilmFormat[]): void {
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
export async function checkPlaces(flags: VideoFlags): Promise<void> {
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

export function filmOptionsOf(flags: VideoFlags, signal: AbortSignal): FilmOptions {
  const { start, end, detector, threshold, minScene, frames, vote, join } = flags;
  const { beams, maxNewTokens, prompt } = flags;
  return {
    ...(start !== undefined && { start }),
    ...(end !== undefined && { end }),
    scenes: {
      detector,
      ...(threshold !== undefined && { threshold }),
      ...(minScene !== undefined && { minLength: minScene }),
    },
    ...(frames !== undefined && { frames }),
    ...(vote && { vote }),
    keepAlike: !join,
    caption: givenOptions({ beams, maxNewTokens, prompt }),
    signal,
  };
}
