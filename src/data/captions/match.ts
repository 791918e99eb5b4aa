/** Which candidate belongs to which image of the references. */
import { InputError } from '../../base/errors.ts';
import type { Candidates, References } from './captions.ts';

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
 * Pairs captions with references by image id: equal ids first, then other names that the reference
 * file gives its images, then ids that agree without folder, file ending, leading zeros and COCO's
 * file name prefix. A file without ids is paired by order.
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
    const sentence = `${file}: ${count(images, 'image')} without ${what}`;
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
        `${list.name}: ${references.name} has references of none of its ${count(unknown, 'image')}, such as ${unknown[0] ?? '(none)'}; it has ids such as ${references.ids[0]}.`,
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
    const image = finder.find(id);
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
  #byLooseForm: Map<string, number> | undefined;

  constructor(references: References) {
    this.#references = references;
  }

  find(id: string): number | undefined {
    const { byId, aliases } = this.#references;
    const exact = byId.get(id) ?? byId.get(aliases.get(id) ?? id);
    if (exact !== undefined) return exact;
    this.#byLooseForm ??= this.#looseForms();
    const image = this.#byLooseForm.get(looseForm(id));
    if (image === undefined || image < 0) return undefined;
    this.loose++;
    return image;
  }

  #looseForms(): Map<string, number> {
    const { byId, aliases } = this.#references;
    const forms = new Map<string, number>();
    const add = (id: string, image: number): void => {
      const form = looseForm(id);
      const other = forms.get(form);
      // A form that two images share says nothing.
      forms.set(form, other === undefined || other === image ? image : -1);
    };
    for (const [id, image] of byId) add(id, image);
    for (const [other, id] of aliases) {
      const image = byId.get(id);
      if (image !== undefined) add(other, image);
    }
    return forms;
  }
}

/** An image id without what files write differently: folder, ending, COCO's prefix, leading zeros. */
export function looseForm(id: string): string {
  return id
    .replace(/^.*[/\\]/s, '')
    .replace(/\.(?:jpe?g|png|webp|gif|bmp|tiff?|avif)$/i, '')
    .replace(/^COCO_[a-z]+\d{4}_(?=\d+$)/i, '')
    .replace(/^0+(?=\d+$)/, '');
}

function firstId(system: Candidates): string {
  const [id] = system.byId?.keys() ?? [];
  return id ?? '(none)';
}

function count(items: readonly string[], noun: string): string {
  return `${items.length} ${noun}${items.length === 1 ? '' : 's'}`;
}

function some(ids: readonly string[]): string {
  return `${ids.slice(0, 3).join(', ')}${ids.length > 3 ? ', ...' : ''}`;
}
