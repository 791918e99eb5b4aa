/** Caption files in memory: what a system wrote for each image, and what people wrote. */
import { InputError } from '../../base/errors.ts';
import { type CaptionFileOptions, type ReadResult, readCaptionFile } from './readers.ts';
import type { CaptionHandler, Place } from './records.ts';
import { forEachLine, openText } from './source.ts';
import { TextStore } from './store.ts';

export { type CaptionFormat, captionFormats } from './formats.ts';

/** One system's captions, one an image. */
export interface Candidates {
  name: string;
  /** Number of a text in `texts` by image id; undefined where captions are matched by their order. */
  byId: Map<string, number> | undefined;
  /** The number or key that the file gives beside an image's file name. */
  numbers: Map<string, string>;
  texts: TextStore;
  /** Where text `number` stands in the file, in words. */
  where(number: number): string;
  notes: string[];
}

/** The references of every image, images in the order of their first appearance. */
export interface References {
  name: string;
  ids: string[];
  /** Position in `ids` of each image. */
  byId: Map<string, number>;
  /** The id of an image by its file's name, where the id is not that name: COCO's, Karpathy's path. */
  files: Map<string, string>;
  /** The id of an image by its number or key, where the id is a file name. */
  numbers: Map<string, string>;
  /** The ids in the order of the files' lists of images, where they have such; a set, so none comes twice. */
  listed: Set<string>;
  /** All references; `first[i]` to `first[i + 1]` in `order` are the texts of image i. */
  texts: TextStore;
  first: Int32Array;
  order: Int32Array;
  notes: string[];
}

/**
 * Reads one system's captions: COCO results, {id: caption}, JSONL, CSV, TSV, `NAME#0<tab>caption`,
 * or text with one caption a line.
 * @throws InputError on any fault, and on an image with two captions.
 */
export async function readCandidates(
  path: string,
  options: CaptionFileOptions = {},
): Promise<Candidates> {
  const texts = new TextStore();
  const byId = new Map<string, number>();
  const numbers = new Map<string, string>();
  const places: Place[] = [];
  let duplicate: { id: string; place: Place; earlier: Place } | undefined;
  const result = await readCaptionFile(path, 'candidates', options, {
    caption(id, text, place) {
      const number = texts.add(text);
      places.push(place);
      if (id === undefined) return;
      const earlier = byId.get(id);
      if (earlier === undefined) byId.set(id, number);
      else duplicate ??= { id, place, earlier: places[earlier] };
    },
    alias: (id, other, kind) => {
      if (kind === 'number') numbers.set(id, other);
    },
  });
  const { name, describe, notes } = result;
  if (duplicate)
    throw new InputError(
      `${name}: image ${duplicate.id} has two captions, at ${describe(duplicate.earlier)} and ${describe(duplicate.place)}; keep one of them.`,
    );
  if (texts.length === 0)
    throw new InputError(`${name}: no caption in the file; it should hold one an image.`);
  return {
    name,
    byId: byId.size > 0 ? byId : undefined,
    numbers,
    texts,
    where: (number) => describe(places[number]),
    notes,
  };
}

/**
 * Reads references from one file, or from several that complement each other: COCO annotations,
 * Karpathy's dataset_*.json, Flickr8k.token.txt, Kaggle's captions.txt, JSONL, CSV, TSV, or text
 * (line n of every file is a reference of image n).
 * @throws InputError on any fault, and on an image whose list of references comes twice.
 */
export async function readReferences(
  paths: readonly string[],
  options: CaptionFileOptions = {},
): Promise<References> {
  const sink = new ReferenceSink();
  const notes: string[] = [];
  for (const path of paths) {
    sink.startFile();
    const result = await readCaptionFile(path, 'references', options, sink);
    sink.endFile(result);
    notes.push(...result.notes);
  }
  const name = paths.join(', ');
  const { ids, byId, files, numbers, listed, texts } = sink;
  if (ids.length === 0)
    throw new InputError(
      `${name}: no reference was found; check the file and the split asked for.`,
    );
  return {
    ...{ name, ids, byId, files: files.ids, numbers: numbers.ids, listed, texts },
    ...grouped(sink.imageOf, ids.length),
    notes,
  };
}

/** Takes references, file by file. */
class ReferenceSink implements CaptionHandler {
  readonly texts = new TextStore();
  readonly ids: string[] = [];
  readonly byId = new Map<string, number>();
  readonly files = new Aliases();
  readonly numbers = new Aliases();
  readonly listed = new Set<string>();
  /** The image of each text. */
  readonly imageOf: number[] = [];
  // Of the file that is being read:
  #lists = new Map<string, Place>();
  #position = 0;
  #previous: Place | undefined;
  #duplicate: { id: string; place: Place; earlier: Place } | undefined;

  startFile(): void {
    this.#lists = new Map();
    this.#position = 0;
    this.#previous = undefined;
  }

  caption(id: string | undefined, text: string, place: Place): void {
    // Without ids the line or position names the image; a list of references is one position.
    if (id === undefined && place !== this.#previous) this.#position++;
    this.#previous = place;
    this.imageOf.push(this.#imageNumber(id ?? String(this.#position)));
    this.texts.add(text);
  }

  list(id: string, place: Place): void {
    const earlier = this.#lists.get(id);
    if (earlier === undefined) this.#lists.set(id, place);
    else if (earlier !== place) this.#duplicate ??= { id, place, earlier };
  }

  alias(id: string, other: string, kind: 'file' | 'number'): void {
    (kind === 'file' ? this.files : this.numbers).add(id, other);
  }

  image(id: string): void {
    this.listed.add(id);
  }

  /** @throws InputError where an image's references came twice */
  endFile({ name, describe }: ReadResult): void {
    if (this.#duplicate)
      throw new InputError(
        `${name}: image ${this.#duplicate.id} has two lists of references, at ${describe(this.#duplicate.earlier)} and ${describe(this.#duplicate.place)}; join them or remove one.`,
      );
  }

  #imageNumber(id: string): number {
    const known = this.byId.get(id);
    if (known !== undefined) return known;
    this.byId.set(id, this.ids.length);
    return this.ids.push(id) - 1;
  }
}

/** Other names of images; one that two images have says nothing. */
class Aliases {
  readonly ids = new Map<string, string>();
  readonly #shared = new Set<string>();

  add(id: string, other: string): void {
    const known = this.ids.get(other);
    if (known === id || this.#shared.has(other)) return;
    if (known === undefined) this.ids.set(other, id);
    else {
      this.ids.delete(other);
      this.#shared.add(other);
    }
  }
}

/** References of an image side by side, in file order (a counting sort). */
function grouped(imageOf: number[], images: number): { first: Int32Array; order: Int32Array } {
  const first = new Int32Array(images + 1);
  for (const image of imageOf) first[image + 1]++;
  for (let i = 1; i <= images; i++) first[i] += first[i - 1];
  const next = first.slice();
  const order = new Int32Array(imageOf.length);
  imageOf.forEach((image, text) => {
    order[next[image]++] = text;
  });
  return { first, order };
}

/** Reads a list of images, one a line, such as Flickr_8k.testImages.txt. */
export async function readImageList(path: string): Promise<Set<string>> {
  const images = new Set<string>();
  await forEachLine(await openText(path), (line) => {
    // A fresh copy: a slice would keep the whole piece of the file in memory.
    if (line.trim() !== '') images.add(Buffer.from(line.trim()).toString());
  });
  return images;
}

/** Every caption of a file, whatever its images: the training captions for the share of new ones. */
export async function readAllCaptions(
  path: string,
  options: CaptionFileOptions = {},
): Promise<TextStore> {
  const texts = new TextStore();
  await readCaptionFile(path, 'references', options, {
    caption(_, text) {
      texts.add(text);
    },
  });
  return texts;
}
