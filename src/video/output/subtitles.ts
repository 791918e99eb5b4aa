/**
 * Captions as subtitles within the usual limits (Netflix's timed text guide, EBU): at most two lines of 42 characters,
 * 5/6 to 7 seconds, two frames apart, and none across a cut.
 */

/** What is shown from one time to another, in whole milliseconds. */
export interface Cue {
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
}

/** A scene as subtitles see it; seconds. */
export interface SubtitledScene {
  readonly start: number;
  readonly end: number;
  readonly cuts: readonly number[];
  readonly caption: { readonly text: string };
}

const mostColumns = 42;
const mostLines = 2;
const shortest = Math.ceil(5000 / 6);
const longest = 7000;
const framesApart = 2;

/**
 * The cues of scenes that follow one another. A scene within which no cue of 5/6 s fits has none; a caption of more
 * than two lines is shown in parts, as many as there is time for.
 * @param rate frames a second
 */
export function subtitleCues(scenes: readonly SubtitledScene[], rate: number): Cue[] {
  const gap = Math.ceil((framesApart * 1000) / rate);
  return scenes.flatMap(({ start, end, cuts, caption }) => {
    if (caption.text === '') return [];
    const lines = breakLines(caption.text);
    const parts = Array.from({ length: Math.ceil(lines.length / mostLines) }, (_, i) =>
      lines.slice(i * mostLines, (i + 1) * mostLines),
    );
    const [from, to] = shotFor(parts.length * (shortest + gap), [start, ...cuts, end]);
    const first = Math.ceil(from * 1000);
    const room = Math.floor(to * 1000) - first;
    const count = Math.min(parts.length, Math.floor(room / (shortest + gap)));
    return parts.slice(0, count).map((part, i) => {
      const begin = first + Math.floor((room * i) / count);
      const until = first + Math.floor((room * (i + 1)) / count) - gap;
      return { start: begin, end: Math.min(until, begin + longest), lines: part };
    });
  });
}

/** The first stretch between two times that is long enough, else the longest. */
function shotFor(milliseconds: number, times: readonly number[]): readonly [number, number] {
  const shots = times.slice(1).map((end, i) => [times[i], end] as const);
  const length = ([from, to]: readonly [number, number]) => to - from;
  return (
    shots.find((shot) => length(shot) * 1000 >= milliseconds) ??
    shots.reduce((best, shot) => (length(shot) > length(best) ? shot : best))
  );
}

/** Lines of at most 42 characters; two that hold all are of like length, the lower the longer. */
export function breakLines(text: string): string[] {
  const words = text
    .split(/\s+/)
    .filter((word) => word !== '')
    .flatMap(pieces);
  if (words.join(' ').length <= mostColumns) return [words.join(' ')];
  let best: string[] | undefined;
  for (let i = 1; i < words.length; i++) {
    const pair = [words.slice(0, i).join(' '), words.slice(i).join(' ')];
    if (pair.some((line) => line.length > mostColumns)) continue;
    const unevenness = ([upper, lower]: string[]) => Math.abs(lower.length - upper.length);
    if (best === undefined || unevenness(pair) < unevenness(best)) best = pair;
  }
  return best ?? filled(words);
}

/** Lines as full as they can be. */
function filled(words: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && `${last} ${word}`.length <= mostColumns)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A word that is longer than a line, in pieces that are not. */
function pieces(word: string): string[] {
  if (word.length <= mostColumns) return [word];
  const characters = [...new Intl.Segmenter().segment(word)].map(({ segment }) => segment);
  const parts: string[] = [];
  for (const character of characters) {
    const last = parts.at(-1);
    if (last !== undefined && last.length + character.length <= mostColumns)
      parts[parts.length - 1] = last + character;
    else parts.push(character);
  }
  return parts;
}
