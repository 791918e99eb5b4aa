/** Which candidate belongs to which image of the references. */
import { InputError } from '../../base/errors.ts';
import { plural } from '../../base/plural.ts';
import type { Candidates, References } from './captions.ts';
import { isFileName } from './fields.ts';

/** Names of the images that are asked for, and the file that lists them. */
export interface ImageList {
  readonly name: string;
  readonly images: ReadonlySet<string>;
}

/** The images that are scored, in the references' order, and each system's caption of them. */
export interface Match {
  /** Positions in `references.ids`. */
  images: Int32Array;
  /** For each system the number of its text for each of `images`. */
  rows: Int32Array[];
  /** What was left out or matched loosely, in words. */
  notes: string[];
}

/**
 * Pairs captions with references by image: equal ids first, then other names that the reference
 * file gives its images, then file names that agree without folder and ending. A number stands for a
 * name, or a name for a number, only where no file name says otherwise. A file without ids is paired
 * by order.
 * @param allowMissing Score the images that everyone has and note how many were left out.
 * @param list Score the images of this list alone; other captions and references do not count.
 * @throws InputError when an image lacks its candidate or its references, or none is left.
 */
export function matchCaptions(
  references: References,
  systems: readonly Candidates[],
  allowMissing: boolean,
  list?: ImageList,
): Match {
  const notes: string[] = [];
  const faults: string[] = [];
  const lacking = (file: string, images: readonly string[], what: string): void => {
    if (images.length === 0) return;
    const sentence = `${file}: ${plural(images.length, 'image')} without ${what}`;
    if (allowMissing) notes.push(`${sentence}, left out.`);
    else faults.push(`${sentence} (${some(images)})`);
  };
  const finder = new ImageFinder(references);
  const wanted = new Set(references.ids.keys());
  if (list) {
    wanted.clear();
    const unknown: string[] = [];
    for (const name of list.images) {
      const image = finder.find(name);
      if (image === undefined) unknown.push(name);
      else wanted.add(image);
    }
    lacking(list.name, unknown, `a reference in ${references.name}`);
    if (wanted.size === 0)
      throw new InputError(
        `${list.name}: ${references.name} has references of none of its ${plural(unknown.length, 'image')}, such as ${unknown[0] ?? '(none)'}; it has ids such as ${references.ids[0]}.`,
      );
  }
  finder.loose = 0;
  const textOf = systems.map((system) => {
    const { rows, unknown } = rowsOf(system, references, wanted, finder);
    if (!list) lacking(system.name, unknown, `a reference in ${references.name}`);
    const missing = references.ids.filter((_, image) => wanted.has(image) && rows[image] < 0);
    lacking(references.name, missing, `a caption in ${system.name}`);
    return rows;
  });
  const images = Int32Array.from(references.ids.keys()).filter(
    (image) => wanted.has(image) && textOf.every((rows) => rows[image] >= 0),
  );
  if (images.length === 0)
    throw new InputError(
      `no image is in both files: ${references.name} has ids such as ${references.ids[0]}, ${systems[0].name} such as ${firstId(systems[0])}; write the ids alike.`,
    );
  if (faults.length > 0)
    throw new InputError(
      `${faults.join('; ')}; complete the files, or score the ${images.length} images in common with --allow-missing.`,
    );
  if (finder.loose > 0)
    notes.push(
      `${finder.loose} image ids were matched without their folder, file ending or leading zeros.`,
    );
  return { images, rows: textOf.map((rows) => images.map((image) => rows[image])), notes };
}

/** The number of the system's text for each image, -1 where it has none; and its ids without reference. */
function rowsOf(
  system: Candidates,
  references: References,
  wanted: ReadonlySet<number>,
  finder: ImageFinder,
): { rows: Int32Array; unknown: string[] } {
  const rows = new Int32Array(references.ids.length).fill(-1);
  if (!system.byId) {
    const { length } = system.texts;
    if (length !== wanted.size)
      throw new InputError(
        `${system.name} has ${length} captions without ids but ${references.name} has ${wanted.size} images; give one caption for each image in the references' order, or captions with ids.`,
      );
    let text = 0;
    for (const image of rows.keys()) if (wanted.has(image)) rows[image] = text++;
    return { rows, unknown: [] };
  }
  const unknown: string[] = [];
  for (const [id, text] of system.byId) {
    const image = finder.find(id, system.numbers.get(id));
    if (image === undefined) unknown.push(id);
    else if (rows[image] < 0) rows[image] = text;
    else
      throw new InputError(
        `${system.name}: ${system.where(rows[image])} and ${system.where(text)} both name image ${references.ids[image]} of ${references.name}; keep one of them.`,
      );
  }
  return { rows, unknown };
}

/** Finds images by any of their names. */
class ImageFinder {
  /** How many ids were found only by their loose form. */
  loose = 0;
  readonly #references: References;
  #loosely: LooseForms | undefined;

  constructor(references: References) {
    this.#references = references;
  }

  /** @param number What the file says beside the id, when that is a file name. */
  find(id: string, number?: string): number | undefined {
    const exact = this.#exactly(id);
    if (exact !== undefined) return exact;
    this.#loosely ??= new LooseForms(this.#references);
    const image = this.#loosely.find(id);
    if (image !== undefined) {
      this.loose++;
      return image;
    }
    const numbered = number === undefined ? undefined : this.#exactly(number);
    // Where both give a file name, the names decide.
    const isSaid = numbered !== undefined && this.#loosely.isNamed(numbered) && isFileName(id);
    return isSaid ? undefined : numbered;
  }

  #exactly(id: string): number | undefined {
    const { byId, files, numbers } = this.#references;
    return byId.get(id) ?? byId.get(files.get(id) ?? numbers.get(id) ?? id);
  }
}

/** Images by the loose forms of their file names, and by those of their numbers and keys. */
class LooseForms {
  readonly #names = new Map<string, number>();
  readonly #numbers = new Map<string, number>();
  /** The loose form of each image's file name. */
  readonly #nameOf = new Map<number, string>();
  readonly #numbered = new Set<number>();

  constructor({ byId, files, numbers }: References) {
    const add = (forms: Map<string, number>, id: string, image: number): void => {
      const form = looseForm(id);
      const other = forms.get(form);
      // A form that two images share says nothing.
      forms.set(form, other === undefined || other === image ? image : -1);
    };
    const addName = (id: string, image: number): void => {
      add(this.#names, id, image);
      this.#nameOf.set(image, looseForm(id));
    };
    const addNumber = (id: string, image: number): void => {
      add(this.#numbers, id, image);
      this.#numbered.add(image);
    };
    for (const [id, image] of byId) (isFileName(id) ? addName : addNumber)(id, image);
    for (const [name, id] of files) addName(name, byId.get(id) ?? -1);
    for (const [number, id] of numbers) addNumber(number, byId.get(id) ?? -1);
  }

  isNamed(image: number): boolean {
    return this.#nameOf.has(image);
  }

  find(id: string): number | undefined {
    const form = looseForm(id);
    const named = this.#names.get(form);
    const numbered = this.#numbers.get(form);
    if (isFileName(id)) return fits(named) ?? (this.#agrees(numbered, form) ? numbered : undefined);
    if (fits(numbered) !== undefined) return numbered;
    // 42 is the file 42.jpg only where that image has no other number.
    const isNumber = /^\d+$/.test(form);
    return isNumber && named !== undefined && this.#numbered.has(named) ? undefined : fits(named);
  }

  /** Whether a number read from a name may be this image: its file is not known, or has that number. */
  #agrees(image: number | undefined, form: string): boolean {
    if (fits(image) === undefined) return false;
    const name = this.#nameOf.get(image ?? -1);
    return name === undefined || /(?:^|\D)0*(\d+)$/.exec(name)?.[1] === form;
  }
}

function fits(image: number | undefined): number | undefined {
  return image === undefined || image < 0 ? undefined : image;
}

/** An image id without what files write differently: folder, ending, COCO's prefix, leading zeros. */
export function looseForm(id: string): string {
  return id
    .normalize('NFC')
    .replace(/^.*[/\\]/s, '')
    .replace(/\.(?:jpe?g|png|webp|gif|bmp|tiff?|avif|hei[cf]s?|hif)$/i, '')
    .replace(/^COCO_[a-z]+\d{4}_(?=\d+$)/i, '')
    .replace(/^0+(?=\d+$)/, '');
}

function firstId(system: Candidates): string {
  const [id] = system.byId?.keys() ?? [];
  return id ?? '(none)';
}

function some(ids: readonly string[]): string {
  return `${ids.slice(0, 3).join(', ')}${ids.length > 3 ? ', ...' : ''}`;
}
