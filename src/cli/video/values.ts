/** Values of the options of `refcap video`: times, lengths, counts and formats. */
import { InvalidArgumentError } from '@commander-js/extra-typings';
import { type FilmFormat, filmFormats } from '../../video/output/formats.ts';
import type { SceneLength } from '../../video/scenes/detectors.ts';
import { number, whole } from '../options/values.ts';

/** 90, 1:30 or 0:01:30.5, in seconds. */
export function time(text: string): number {
  const parts = text.split(':');
  const isTime =
    parts.length <= 3 &&
    parts.every((part, i) => /^\d+(\.\d+)?$/.test(part) && (i === 0 || Number(part) < 60));
  if (!isTime) throw new InvalidArgumentError('not a time such as 90, 1:30 or 1:02:03.5.');
  return parts.reduce((sum, part) => 60 * sum + Number(part), 0);
}

/** 15 (frames) or 0.6s. */
export function sceneLength(text: string): SceneLength {
  return text.endsWith('s') ? { seconds: number(text.slice(0, -1)) } : { frames: whole(text) };
}

export function formatList(text: string): FilmFormat[] {
  return [...new Set(text.split(','))].map((name) => {
    const format = filmFormats.find((known) => known === name.trim());
    if (format === undefined)
      throw new InvalidArgumentError(`'${name}' is none of ${filmFormats.join(', ')}.`);
    return format;
  });
}
