/** One film after the other: what goes wrong with one stops no others. */
import { InputError } from '../../base/errors.ts';
import { chooseDecoder } from '../../data/films/choose.ts';
import type { Film } from '../../data/films/decoder.ts';
import { probeFilm } from '../../data/films/probe.ts';
import type { FilmOptions } from '../../video/film.ts';
import { FilmProgress } from '../terminal/film-progress.ts';
import { filmOptionsOf, type VideoFlags } from './flags.ts';

/**
 * Does the work of each film. One that cannot be read is told, and the others go on.
 * @returns how many were done
 */
export async function forEachFilm(
  films: readonly string[],
  flags: VideoFlags,
  signal: AbortSignal,
  work: (film: Film, options: FilmOptions) => Promise<void>,
): Promise<number> {
  const decoder = await chooseDecoder(flags.decoder);
  const progress = new FilmProgress();
  let done = 0;
  for (const path of films) {
    try {
      const film = await probeFilm(path, signal, decoder);
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
