/** From a caption to an alt text: short, in sentence case, without what a screen reader says anyway. */
import { UsageError } from '../base/errors.ts';

export interface AltTextOptions {
  /** Most characters (code points). Default 125: longer texts are cut by some screen readers. */
  readonly maxLength?: number;
  /**
   * What stands around the caption, such as '{context}: {caption}'. What `{caption}` does not stand for was written by
   * people and is taken as it is. Default '{caption}'.
   */
  readonly template?: string;
  /** What the template's other names stand for. */
  readonly values?: AltTextValues;
}

/** What is known of a picture beside its caption. */
export interface AltTextValues {
  /** What the pictures are of, given by a person. */
  readonly context?: string;
  /** The title of the picture. */
  readonly title?: string;
  /** The words of its file's name. */
  readonly name?: string;
}

/** The names that a template may have in braces. */
const templateNames = ['caption', 'context', 'title', 'name'] as const;

/** How a context stands before a caption when no template says otherwise. */
export const contextTemplate = '{context}: {caption}';

export const longestAltText = 125;

/** Fewer characters than these say too little: the caption then stands alone. */
const shortestCaption = 25;

/**
 * Turns a caption into an alt text of at most `maxLength` characters, '' where the caption has no words. "A picture
 * of" and its like are left out, since screen readers say that there is an image; what is too long is cut between
 * words. Where a value of the template is not known, or leaves no room, the caption stands alone.
 */
export function altText(caption: string, options: AltTextOptions = {}): string {
  const { maxLength = longestAltText, template = '{caption}', values } = options;
  const words = withoutOpening(caption.normalize('NFC').replace(/\s+/g, ' ').trim());
  if (!/[\p{L}\p{N}]/u.test(words)) return '';
  const places = template.split('{caption}').length - 1;
  const frame = fillTemplate(template, { ...values, caption: '' });
  const room = frame === undefined ? 0 : Math.floor((maxLength - lengthOf(frame)) / places);
  if (room < Math.min(shortestCaption, lengthOf(words))) return sentenceCase(cut(words, maxLength));
  const shown = cut(words, room);
  const isFirst = template.trimStart().startsWith('{caption}');
  const filled = fillTemplate(template, {
    ...values,
    caption: isFirst ? sentenceCase(shown) : shown,
  });
  return filled ?? '';
}

/**
 * Looks at a template and a context before they are used.
 * @throws UsageError where a name is unknown, one of them has no place, or no room is left for captions
 */
export function checkAltTemplate(template: string | undefined, context: string | undefined): void {
  const whole = template ?? (context === undefined ? '{caption}' : contextTemplate);
  for (const [shown, name] of whole.matchAll(/\{([^{}]*)\}/g))
    if (!templateNames.some((known) => known === name))
      throw new UsageError(
        `--template: ${shown} stands for nothing; there are {${templateNames.join('}, {')}}.`,
      );
  if (!whole.includes('{caption}'))
    throw new UsageError('--template has no {caption}: every picture would get the same text.');
  if (whole.includes('{context}') !== (context !== undefined))
    throw new UsageError('--context and {context} in --template need each other.');
  const frame = whole.replace('{context}', context ?? '').replace(/\{[a-z]+\}/g, '');
  if (lengthOf(frame) > longestAltText - shortestCaption)
    throw new UsageError(
      `--template and --context leave too little of ${longestAltText} characters for a caption; shorten them.`,
    );
}

/** The template with its values; undefined where one is not known. */
function fillTemplate(
  template: string,
  { caption, ...values }: AltTextValues & { readonly caption: string },
): string | undefined {
  let isWhole = true;
  const filled = template.replace(/\{(?:caption|context|title|name)\}/g, (place) => {
    if (place === '{caption}') return caption;
    const { context, title, name } = values;
    const value = place === '{context}' ? context : place === '{title}' ? title : name;
    const words = value?.replace(/\s+/g, ' ').trim() ?? '';
    isWhole &&= words !== '';
    return words;
  });
  return isWhole ? filled : undefined;
}

const kinds = 'picture|image|photo|photograph|pic|snapshot';
const opening = new RegExp(
  `^(?:(?:this|here|there) is |it is )?(?:(?:an?|the|this) )?(?:(?:close[ -]?up|blurry|color|colou?red) )?(?:${kinds})s? ?(?:of|showing|that shows|shows|with|:) ?`,
  'i',
);

/** "a picture of a photo of a dog": as often as it comes. */
function withoutOpening(text: string): string {
  const rest = text.replace(opening, '');
  return rest === text || rest === '' ? text : withoutOpening(rest);
}

function sentenceCase(text: string): string {
  return text.replace(/\p{L}|\p{N}/u, (first) => first.toLocaleUpperCase('en'));
}

/** Words that want another one behind them. */
const hanging =
  /[\s,;:.-]+(?:an?|the|and|or|of|in|on|at|to|by|for|from|with|into|over|under|next|front|top|is|are|its|his|her|their)$/i;

/** At most so many characters, up to the end of a word that may be the last one. */
function cut(text: string, most: number): string {
  const characters = [...text];
  if (characters.length <= most) return text;
  const kept = characters.slice(0, most + 1).join('');
  let result = kept.replace(/\s+\S*$/, '');
  // A single long word.
  if (result === kept) result = characters.slice(0, most).join('');
  for (let shorter = result.replace(hanging, ''); shorter !== result; ) {
    result = shorter;
    shorter = result.replace(hanging, '');
  }
  return result.replace(/[\s,;:-]+$/, '');
}

function lengthOf(text: string): number {
  return [...text].length;
}

/** The words of a file's name; undefined where a camera or a program named it. */
export function wordsOfFileName(path: string): string | undefined {
  const [file = ''] = /[^/\\]*$/.exec(path) ?? [];
  const words = file
    .replace(/\.[^.]*$/, '')
    .replace(/[-_.+\s]+/g, ' ')
    .replace(/(?<=\p{Ll})(?=\p{Lu})/gu, ' ')
    .trim();
  const isNamed = words.split(' ').some((word) => /^\p{L}{3,}$/u.test(word));
  const isByCamera =
    /^(?:img|image|dsc|dscn|dscf|pict?|photo|picture|screenshot|screen shot|untitled|unnamed|pxl|mvimg|wp|thumb)[\s\dx]*$/i.test(
      words,
    );
  return isNamed && !isByCamera ? words : undefined;
}
