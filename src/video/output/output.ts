/** Where a film's results go: the standard output, one file, or a file for each film and format. */
import { type FileHandle, open } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { InputError, UsageError } from '../../base/errors.ts';
import { isThere, writeFileAtomic, writing } from '../../base/files.ts';
import { isStream, type OutputStream, openStream } from '../../base/streams.ts';
import { type CaptionedFilm, type FilmFormat, formatRules } from './formats.ts';
import { completeEnd } from './resume.ts';

/** Takes films one after the other. */
export interface FilmOutput {
  /** Whether the film's results are there already. */
  has(file: string): Promise<boolean>;
  /** Takes a film's results, all of them or, after a kill, none. */
  write(film: CaptionedFilm): Promise<void>;
  /** Ends the output so that it is well-formed; also after an interruption. */
  finish(): Promise<void>;
}

/** What to do with results of an earlier run. */
export interface OutputOptions {
  readonly resume: boolean;
  readonly overwrite: boolean;
}

const never = async (): Promise<boolean> => false;
const nothing = async (): Promise<void> => undefined;

/** Results on the standard output. */
export function standardOutput(format: FilmFormat): FilmOutput {
  return streamOutput(format, openStream('/dev/stdout'));
}

/** Results into a pipe or device, a film at a time where the format allows. */
function streamOutput(format: FilmFormat, stream: OutputStream): FilmOutput {
  const { write } = formatRules[format];
  if (format === 'json') return gathered(async (films) => stream.write(write(films)));
  return {
    has: never,
    write: (film) => stream.write(write([film])),
    finish: () => stream.end(),
  };
}

/**
 * Results in one file, which of JSONL's alone an interrupted run can go on with; or into a pipe or device.
 * @throws UsageError where `resume` is asked of another format; InputError where the file holds something else
 */
export async function fileOutput(
  path: string,
  format: FilmFormat,
  { resume }: OutputOptions,
): Promise<FilmOutput> {
  const isPipe = await isStream(path);
  if (resume && (isPipe || format !== 'jsonl'))
    throw new UsageError(
      '--resume goes on with a file of JSONL (--output), or with --output-folder or --beside.',
    );
  if (isPipe) {
    const stream = openStream(path);
    return streamOutput(format, {
      write: (text) => writing(path, () => stream.write(text)),
      end: () => writing(path, () => stream.end()),
    });
  }
  if (format === 'jsonl') return JsonlOutput.open(path, resume);
  return gathered(async (films) => {
    // What an earlier run left is better than nothing.
    if (films.length > 0) await writeFileAtomic(path, formatRules[format].write(films));
  });
}

/** One text of all films, written at the end. */
function gathered(send: (films: readonly CaptionedFilm[]) => Promise<void>): FilmOutput {
  const films: CaptionedFilm[] = [];
  return {
    has: never,
    write: async (film) => {
      films.push(film);
    },
    finish: () => send(films),
  };
}

/** Rows in a file, each film's there as soon as it is done. */
class JsonlOutput implements FilmOutput {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #done: ReadonlySet<string>;
  #end: number;

  private constructor(path: string, file: FileHandle, done: ReadonlySet<string>, end: number) {
    this.#path = path;
    this.#file = file;
    this.#done = done;
    this.#end = end;
  }

  static async open(path: string, resume: boolean): Promise<JsonlOutput> {
    const isResumed = resume && (await isThere(path));
    const file = await writing(path, () => open(path, isResumed ? 'r+' : 'w'));
    try {
      const { done, end } = isResumed
        ? await completeEnd(path)
        : { done: new Set<string>(), end: 0 };
      await file.truncate(end);
      return new JsonlOutput(path, file, done, end);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async has(file: string): Promise<boolean> {
    return this.#done.has(file);
  }

  async write(film: CaptionedFilm): Promise<void> {
    const bytes = Buffer.from(formatRules.jsonl.write([film]));
    await writing(this.#path, async () => {
      try {
        for (let at = 0; at < bytes.length; ) {
          const left = bytes.length - at;
          at += (await this.#file.write(bytes, at, left, this.#end + at)).bytesWritten;
        }
      } catch (error) {
        // Half a film behind the whole ones is of no use.
        await this.#file.truncate(this.#end).catch(() => undefined);
        throw error;
      }
    });
    this.#end += bytes.length;
  }

  async finish(): Promise<void> {
    await this.#file.sync();
    await this.#file.close();
  }
}

/**
 * A file for each film and format, in one folder or beside the films.
 * @param folder where; undefined: beside each film
 * @throws InputError where two films would have the same files, or one is there and neither `resume` nor `overwrite`
 */
export async function filesOutput(
  films: readonly string[],
  formats: readonly FilmFormat[],
  folder: string | undefined,
  { resume, overwrite }: OutputOptions,
): Promise<FilmOutput> {
  const pathsOf = (film: string): [FilmFormat, string][] => {
    const stem = join(folder ?? dirname(film), basename(film, extname(film)));
    return formats.map((format) => [format, stem + formatRules[format].ending]);
  };
  const owners = new Map<string, string>();
  for (const film of films)
    for (const [, path] of pathsOf(film)) {
      const other = owners.get(path);
      if (other !== undefined && other !== film)
        throw new InputError(
          `${other} and ${film}: both would be written to ${path}; caption them into folders of their own.`,
        );
      owners.set(path, film);
      if (!resume && !overwrite && (await isThere(path)))
        throw new InputError(
          `${path} exists; use --resume to keep what is there or --overwrite to replace it.`,
        );
    }
  return {
    has: async (film) => {
      if (!resume) return false;
      for (const [, path] of pathsOf(film)) if (!(await isThere(path))) return false;
      return true;
    },
    write: async (film) => {
      for (const [format, path] of pathsOf(film.file))
        await writeFileAtomic(path, formatRules[format].write([film]));
    },
    finish: nothing,
  };
}
