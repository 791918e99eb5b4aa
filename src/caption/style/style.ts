/** How a caption is written down, after it was generated: pure functions from text to text. */
import { basename, dirname, extname } from 'node:path';
import { UsageError } from '../../base/errors.ts';
import { parseAddress } from '../../data/shards/address.ts';
import { neutralPeople } from './neutral.ts';

export interface CaptionStyle {
  /** "person" for man, woman, boy and girl. */
  readonly neutralPeople?: boolean | undefined;
  /** What stands before and behind every caption, as it is given. */
  readonly prefix?: string | undefined;
  readonly suffix?: string | undefined;
  /** A capital at the start and a period at the end. */
  readonly sentence?: boolean | undefined;
  /** A text around the caption, with {caption}, {name} and {folder}. */
  readonly template?: string | undefined;
}

const placeholder = /\{(\w*)\}/g;
const placeholders = ['caption', 'name', 'folder'];

/** @throws UsageError for a template without {caption}, or with a placeholder that there is not */
export function checkTemplate(template: string): void {
  const used = [...template.matchAll(placeholder)].map(([, word]) => word);
  const unknown = used.find((word) => !placeholders.includes(word));
  if (unknown !== undefined)
    throw new UsageError(
      `--template: there is no {${unknown}}; write {caption}, {name} (of the file) or {folder}.`,
    );
  if (!used.includes('caption'))
    throw new UsageError('--template needs {caption}, where the caption goes.');
}

/** A caption in a style, in the order of the style's parts. No words stay none. @param file its picture */
export function styled(text: string, style: CaptionStyle, file: string): string {
  if (text === '') return text;
  const neutral = style.neutralPeople ? neutralPeople(text) : text;
  const whole = `${style.prefix ?? ''}${neutral}${style.suffix ?? ''}`;
  const written = style.sentence ? asSentence(whole) : whole;
  const path = parseAddress(file)?.member ?? file;
  const values: Readonly<Record<string, string>> = {
    caption: written,
    name: basename(path, extname(path)),
    folder: basename(dirname(path)),
  };
  return style.template === undefined
    ? written
    : style.template.replace(placeholder, (all, word: string) => values[word] ?? all);
}

/** A capital first letter, and a period where no sentence's end is. */
export function asSentence(text: string): string {
  const trimmed = text.trim();
  const capital = trimmed.replace(/^\P{L}*\p{Ll}/u, (start) => start.toUpperCase());
  return /[.!?\u2026]["')\]]*$/.test(capital) || capital === '' ? capital : `${capital}.`;
}
