/** The names under which caption files keep an image and its text, and which of several names an image. */
import { isFilmName } from '../films/names.ts';
import { pictureKind } from '../images/formats.ts';

/** Candidates have one caption an image, references any number. */
export type Role = 'candidates' | 'references';

/** A field's name as it is compared: `Image Path`, `image_path` and `imagePath` are one. */
export function fieldKey(name: string): string {
  return name
    .trim()
    .replace(/^"(.*)"$/s, '$1')
    .toLowerCase()
    .replace(/[\s_-]/g, '');
}

/** Fields that hold the file's name or path, most telling first. */
const fileFields = [
  ...['image', 'imagename', 'filename', 'file', 'filepath', 'imagepath', 'imagefile', 'path'],
  ...['imagefilename', 'img', 'imgpath', 'imgname', 'imgfile', 'picture', 'photo'],
  ...['video', 'videopath', 'videoname', 'videofile', 'clip', 'film'],
];

/** Fields that hold a number or a key of the image. */
export const numberFields = ['imageid', 'imgid', 'cocoid', 'photoid', 'videoid'];

/** Fields that name the image where nothing else does. */
const vagueFields = ['name', 'key', 'id'];

/** All of them, as `fieldKey` writes them. */
export const imageFields: ReadonlySet<string> = new Set([
  ...fileFields,
  ...numberFields,
  ...vagueFields,
]);

const texts = [
  ...['caption', 'text', 'sentence', 'raw', 'comment', 'captiontext', 'description', 'title'],
  ...['prompt', 'alttext', 'alt', 'captionstr'], // the last is TextCaps'
];

/** Fields that hold the text, most telling first. */
export const textFields: Readonly<Record<Role, readonly string[]>> = {
  candidates: [
    ...['candidate', 'prediction', 'predicted', 'generated', 'hypothesis', 'generatedcaption'],
    ...['predictedcaption', 'generatedtext'],
    ...texts,
    ...['output', 'captions'],
  ],
  references: ['references', 'reference', 'refs', 'ref', 'captions', 'sentences', ...texts],
};

/** Fields of an object that stands in a text's place. */
export const innerTextFields: readonly string[] = texts;

/** Columns such as caption_1 or "reference 2", as `fieldKey` writes them. */
export const numberedText = /^(?:caption|reference|ref|comment|sentence|text)\d+$/;

/** Whether a value is written as a picture's or a film's file name is. */
export function isFileName(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const extension = /\.\w{2,6}$/.exec(value)?.[0].toLowerCase();
  const isKnown = extension !== undefined && pictureKind(extension) !== 'none';
  return (isKnown || isFilmName(value)) && !isAddress(value);
}

/** Whether a text is an address such as https://... */
export function isAddress(value: string): boolean {
  return /^[a-z]+:\/\//i.test(value);
}

/**
 * Which of a record's fields says what picture it is about. A path decides before a number or key, and
 * a number before what may be anything; undefined where no field names an image.
 * @param fields Keys by `fieldKey` with their values.
 */
export function imageField(fields: ReadonlyMap<string, unknown>): string | undefined {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  const consider = (names: readonly string[], group: 0 | 1 | 2): void => {
    for (const name of names) {
      const value = fields.get(name);
      if (!fields.has(name)) continue;
      const rank = rankOf(value, group);
      if (rank < least) [best, least] = [name, rank];
    }
  };
  consider(fileFields, 0);
  consider(numberFields, 1);
  consider(vagueFields, 2);
  return best;
}

/** Smaller is more telling. */
function rankOf(value: unknown, group: 0 | 1 | 2): number {
  // A path with its folder says more than a file name that several folders may have.
  if (isFileName(value)) return 2 * group + (/[/\\]/.test(String(value)) ? 0 : 1);
  if (value === null || value === undefined) return 30;
  const isText = typeof value === 'string' && !/^\d+$/.test(value) && !isAddress(value);
  if (group === 0) return isText ? 10 : 12;
  return group === 1 ? 11 : 13;
}
