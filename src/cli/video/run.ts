/** What `refcap video` does, its flags checked. */
import { InputError, UsageError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files.ts';
import { plural } from '../../base/plural.ts';
import { openStream } from '../../base/streams.ts';
import { ffmpegAbilities } from '../../data/films/command.ts';
import { type Film, probeFilm } from '../../data/films/probe.ts';
import type { SheetFilm } from '../../pages/films.ts';
import { type FilmOptions, filmScenes } from '../../video/film.ts';
import { listFilms } from '../../video/inputs.ts';
import { bareRows, type FilmFormat, formatRules } from '../../video/output/formats.ts';
import {
  type FilmOutput,
  fileOutput,
  filesOutput,
  standardOutput,
} from '../../video/output/output.ts';
import { loadCaptioner } from '../options/captioner.ts';
import { FilmProgress } from '../terminal/film-progress.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { filmOptionsOf, hasFolder, type VideoFlags } from './flags.ts';
import { captionOne } from './sheet.ts';

/** @throws InputError where ffmpeg, the model or an output cannot be used */
export async function runVideo(
  inputs: readonly string[],
  formats: readonly FilmFormat[],
  flags: VideoFlags,
): Promise<void> {
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

/**
 * Does the work of each film. One that cannot be read is told, and the others go on.
 * @returns how many were done
 */
async function forEachFilm(
  films: readonly string[],
  flags: VideoFlags,
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
  flags: VideoFlags,
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
  flags: VideoFlags,
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
    const { filmSheet } = await import('../../pages/films.ts');
    await writeFileAtomic(flags.contactSheet, filmSheet(sheet));
  }
  if (flags.quiet) return;
  const parts = [`${plural(scenes, 'scene')} of ${plural(done, 'film')}`];
  if (skipped > 0) parts.push(`${skipped} skipped`);
  console.error(`${parts.join(', ')} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

function openOutput(
  films: readonly string[],
  formats: readonly FilmFormat[],
  flags: VideoFlags,
): Promise<FilmOutput> | FilmOutput {
  const { output, outputFolder, resume = false, overwrite = false } = flags;
  if (hasFolder(flags)) return filesOutput(films, formats, outputFolder, { resume, overwrite });
  const [format] = formats;
  return output === undefined
    ? standardOutput(format)
    : fileOutput(output, format, { resume, overwrite });
}
