/** One film captioned, with pictures of its scenes where a contact sheet is wanted. */
import { dirname, relative, resolve, sep } from 'node:path';
import type { Captioner } from '../../caption/captioner.ts';
import type { Film } from '../../data/films/decoder.ts';
import type { SheetFilm, SheetScene } from '../../pages/films.ts';
import { captionFilm, type FilmOptions } from '../../video/film.ts';
import type { WrittenScene } from '../../video/output/formats.ts';

/** Longest side of the sheet's pictures. */
const pictureSize = 480;

/** @param sheet the page that the pictures are for, if one is wanted */
export async function captionOne(
  captioner: Captioner,
  film: Film,
  options: FilmOptions,
  sheet: string | undefined,
): Promise<{ readonly scenes: WrittenScene[]; readonly sheet?: SheetFilm }> {
  const scenes: WrittenScene[] = [];
  const pictures: SheetScene[] = [];
  for await (const { picture, ...scene } of captionFilm(captioner, film, options)) {
    scenes.push(scene);
    if (sheet === undefined) continue;
    const { pixelThumbnail } = await import('../../data/images/thumbnail.ts');
    const { start, end, caption } = scene;
    const address = await pixelThumbnail(picture, pictureSize, film.pixelAspect);
    pictures.push({ start, end, caption, picture: address });
  }
  if (sheet === undefined) return { scenes };
  const path = relative(dirname(resolve(sheet)), resolve(film.path));
  const address = path.split(sep).map(encodeURIComponent).join('/');
  return { scenes, sheet: { file: film.path, address, scenes: pictures } };
}
