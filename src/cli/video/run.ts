/** What `refcap video` does, its flags checked. */
import { UsageError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files.ts';
import { openStream } from '../../base/streams.ts';
import { chooseDecoder } from '../../data/films/choose.ts';
import { listFilms } from '../../video/inputs.ts';
import { bareRows, type FilmFormat, formatRules } from '../../video/output/formats.ts';
import { filmScenes } from '../../video/scenes/scenes.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { forEachFilm } from './each.ts';
import { hasFolder, type VideoFlags } from './flags.ts';

/** @throws InputError where what reads films, the model or an output cannot be used */
export async function runVideo(
  inputs: readonly string[],
  formats: readonly FilmFormat[],
  flags: VideoFlags,
): Promise<void> {
  await chooseDecoder(flags.decoder);
  const films = await listFilms(inputs, flags.recursive ?? false);
  const canHoldAll = formats.every((format) => formatRules[format].holdsSeveral);
  if (films.length > 1 && !canHoldAll && !hasFolder(flags))
    throw new UsageError(
      `--format ${formats.join(',')} is a file for each film; use --output-folder or --beside.`,
    );
  const canResume = flags.output !== undefined || hasFolder(flags);
  // Scenes alone need not wait for what models are run by.
  const work = flags.scenesOnly ? printScenes : (await import('./captions.ts')).captionFilms;
  await interruptible(
    (signal) => work(films, formats, flags, signal),
    canResume && !flags.scenesOnly ? '. Run again with --resume to go on.' : '.',
  );
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
