/** How a film's scenes are written: one row a format, from which help, names and checks follow. */
import { confidenceOf } from '../../confidence/shown.ts';
import type { DescribedScene } from '../captions/describe.ts';
import type { Scene } from '../scenes/scenes.ts';
import { type Cue, subtitleCues } from './subtitles.ts';

/** A scene without its picture, which would be too much to keep for all. */
export type WrittenScene = Omit<DescribedScene, 'picture'>;

/** A film that was captioned. */
export interface CaptionedFilm {
  /** As the input named it. */
  readonly file: string;
  /** Frames a second. */
  readonly rate: number;
  readonly scenes: readonly WrittenScene[];
}

export const filmFormats = [
  'text',
  'json',
  'jsonl',
  'srt',
  'vtt',
  'chapters',
  'descriptions',
] as const;
export type FilmFormat = (typeof filmFormats)[number];

interface FormatRules {
  /** What a film's file in this format ends in. */
  readonly ending: string;
  /** Whether several films may stand in one file. */
  readonly holdsSeveral: boolean;
  write(films: readonly CaptionedFilm[]): string;
}

export const formatRules: Readonly<Record<FilmFormat, FormatRules>> = {
  text: { ending: '.txt', holdsSeveral: true, write: rows(textRow) },
  json: {
    ending: '.json',
    holdsSeveral: true,
    write: (films) => {
      const all = films.flatMap((film) => film.scenes.map((_, i) => jsonRow(film, i)));
      return all.length === 0 ? '[]\n' : `[\n${all.join(',\n')}\n]\n`;
    },
  },
  jsonl: { ending: '.jsonl', holdsSeveral: true, write: rows(jsonRow) },
  srt: {
    ending: '.srt',
    holdsSeveral: false,
    write: cues(
      ({ scenes, rate }) => subtitleCues(scenes, rate),
      '',
      ({ start, end, lines }, i) =>
        `${i + 1}\n${clock(start, ',')} --> ${clock(end, ',')}\n${lines.join('\n')}\n\n`,
    ),
  },
  vtt: {
    ending: '.vtt',
    holdsSeveral: false,
    write: cues(({ scenes, rate }) => subtitleCues(scenes, rate), 'WEBVTT\n\n', vttCue),
  },
  chapters: {
    ending: '.chapters.vtt',
    holdsSeveral: false,
    write: cues(wholeScenes, 'WEBVTT\n\n', vttCue),
  },
  descriptions: {
    ending: '.descriptions.vtt',
    holdsSeveral: false,
    write: cues(
      wholeScenes,
      'WEBVTT\n\nNOTE kind="descriptions": what is to be seen, to be spoken\n\n',
      vttCue,
    ),
  },
};

/** A film's format by the name of a file, where that says one. */
export function formatOfName(name: string): FilmFormat | undefined {
  const lower = name.toLowerCase();
  const fitting = filmFormats.filter((format) => lower.endsWith(formatRules[format].ending));
  const length = (format: FilmFormat) => formatRules[format].ending.length;
  return fitting.sort((a, b) => length(b) - length(a))[0];
}

function rows(row: (film: CaptionedFilm, place: number) => string) {
  return (films: readonly CaptionedFilm[]): string =>
    films.flatMap((film) => film.scenes.map((_, i) => `${row(film, i)}\n`)).join('');
}

/** Path, start, end and caption with tabs between. */
function textRow({ file, scenes }: CaptionedFilm, place: number): string {
  const { start, end, caption } = scenes[place];
  return [escapeName(file), clock(1000 * start), clock(1000 * end), caption.text].join('\t');
}

/** A scene. The last of its film says so: what is written of a film before that is not all. */
function jsonRow({ file, scenes }: CaptionedFilm, place: number): string {
  const { number, start, end, firstFrame, endFrame, cuts, frameTimes, caption } = scenes[place];
  return JSON.stringify({
    file,
    scene: number,
    start: seconds(start),
    end: seconds(end),
    firstFrame,
    endFrame,
    cuts: cuts.map(seconds),
    frames: frameTimes.map(seconds),
    caption: caption.text,
    confidence: confidenceOf(caption),
    logprob: caption.logprob,
    words: caption.words ?? [],
    ...(place === scenes.length - 1 && { isLast: true }),
  });
}

/** A scene that has no caption: path, start and end, or as JSON. */
export const bareRows: Readonly<Record<'text' | 'jsonl', (file: string, scene: Scene) => string>> =
  {
    text: (file, { start, end }) =>
      [escapeName(file), clock(1000 * start), clock(1000 * end)].join('\t'),
    jsonl: (file, { number, start, end, firstFrame, endFrame }) =>
      JSON.stringify({
        file,
        scene: number,
        start: seconds(start),
        end: seconds(end),
        firstFrame,
        endFrame,
      }),
  };

/** Names keep to one line and one column, as those of `refcap caption`. */
function escapeName(name: string): string {
  return name.replace(/[\\\t\n\r]/g, (c) => JSON.stringify(c).slice(1, -1));
}

/** To the microsecond: what is beyond is of floating-point numbers. */
function seconds(time: number): number {
  return Number(time.toFixed(6));
}

function cues(
  cuesOf: (film: CaptionedFilm) => readonly Cue[],
  head: string,
  write: (cue: Cue, place: number) => string,
) {
  return (films: readonly CaptionedFilm[]): string =>
    head + films.flatMap((film) => cuesOf(film).map(write)).join('');
}

/** Each scene from its beginning to its end, its caption in one line. */
function wholeScenes({ scenes }: CaptionedFilm): Cue[] {
  return scenes.flatMap(({ start, end, caption }) => {
    const cue = {
      start: Math.ceil(1000 * start),
      end: Math.floor(1000 * end),
      lines: [caption.text],
    };
    return caption.text === '' || cue.end <= cue.start ? [] : [cue];
  });
}

function vttCue({ start, end, lines }: Cue): string {
  const text = lines.map((line) => line.replace(/[&<>]/g, (c) => entities[c])).join('\n');
  return `${clock(start)} --> ${clock(end)}\n${text}\n\n`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** Milliseconds as 00:01:02.345. */
export function clock(milliseconds: number, point = '.'): string {
  const whole = Math.round(milliseconds);
  const padded = (n: number, digits: number) => String(n).padStart(digits, '0');
  const [h, m, s] = [
    Math.floor(whole / 3.6e6),
    Math.floor(whole / 6e4) % 60,
    Math.floor(whole / 1000) % 60,
  ];
  return `${padded(h, 2)}:${padded(m, 2)}:${padded(s, 2)}${point}${padded(whole % 1000, 3)}`;
}
