/** Films captioned, into one output or several. */
import { writeFileAtomic } from '../../base/files.ts';
import { plural } from '../../base/plural.ts';
import type { SheetFilm } from '../../pages/films.ts';
import type { FilmFormat } from '../../video/output/formats.ts';
import {
  type FilmOutput,
  fileOutput,
  filesOutput,
  standardOutput,
} from '../../video/output/output.ts';
import { loadCaptioner } from '../options/captioner.ts';
import { forEachFilm } from './each.ts';
import { filmOptionsOf, hasFolder, type VideoFlags } from './flags.ts';
import { captionOne } from './sheet.ts';

/** @throws InputError where the model or an output cannot be used */
export async function captionFilms(
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
