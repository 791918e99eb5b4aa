/** Which files are films, by their names. */
import { extname } from 'node:path';

/** Endings of films in folders. A file that is named itself may have any. */
const filmEndings: ReadonlySet<string> = new Set(
  '3g2 3gp asf avi divx dv f4v flv m2ts m2v m4v mkv mov mp4 mpeg mpg mts mxf ogm ogv qt rm rmvb ts vob webm wmv'
    .split(' ')
    .map((ending) => `.${ending}`),
);

/** Whether a file's name, in any capitals, ends as a film's. */
export function isFilmName(name: string): boolean {
  return filmEndings.has(extname(name).toLowerCase());
}
