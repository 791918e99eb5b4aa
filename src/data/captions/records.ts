/** What a record of a caption file (a JSON object or a table row) says: whose caption, and which text. */
import { InputError } from '../../base/errors.ts';

/** Candidates have one caption an image, references any number. */
export type Role = 'candidates' | 'references';

/** Where a caption stands: a line or array position, or a JSON path where numbers do not do. */
export type Place = number | string;

/** Takes captions as they are read. An id of undefined means: the position in the file is the id. */
export interface CaptionSink {
  /** The split that the record whose captions follow is marked with, if any. */
  split?(name: string | undefined): void;
  caption(id: string | undefined, text: string, place: Place): void;
  /** The record closes a list of all of the image's captions: a second list for it is a mistake. */
  list?(id: string, place: Place): void;
  /** Another name of the image, such as COCO's file name for an image id. */
  alias?(id: string, other: string): void;
}

/** Names under which files keep the image, most telling first. */
export const idFields = [
  'image_id',
  'imageId',
  'image',
  'image_name',
  'file_name',
  'filename',
  'file',
  'img',
  'img_id',
  'imgid',
  'image_path',
  'path',
  'name',
  'key',
  'id',
];

const texts = ['caption', 'text', 'sentence', 'raw', 'comment'];

/** Names under which files keep the text, most telling first. */
export const textFields: Record<Role, string[]> = {
  candidates: [
    'candidate',
    'prediction',
    'predicted',
    'generated',
    'hypothesis',
    ...texts,
    'output',
    'captions',
  ],
  references: ['references', 'reference', 'refs', 'ref', 'captions', 'sentences', ...texts],
};

export type JsonObject = { [name: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A person's word for a JSON value's type. */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return (
    { object: 'an object', boolean: 'true or false' }[typeof value as string] ?? `a ${typeof value}`
  );
}

/** Reads records of one file; `where` turns a place inside it into words. */
export class RecordReader {
  readonly #file: string;
  readonly #role: Role;
  readonly #sink: CaptionSink;

  constructor(file: string, role: Role, sink: CaptionSink) {
    this.#file = file;
    this.#role = role;
    this.#sink = sink;
  }

  /**
   * Reads one object such as {"image_id": 1, "caption": "..."} or {"id": ..., "references": [...]}.
   * @param path JSON path or line of the record, for messages.
   * @throws InputError naming the path of a missing or wrongly typed field.
   */
  record(record: JsonObject, place: Place, path: () => string): void {
    const idField = idFields.find((name) => name in record);
    if (idField === undefined)
      throw new InputError(
        `${this.#file}: ${path()} has no image id; name the image in a field "image_id" (or ${quoted(['image', 'file_name', 'id'])}).`,
      );
    this.named(
      this.id(record[idField], () => `${path()}.${idField}`),
      record,
      place,
      path,
    );
  }

  /** The same for an object whose image is known already. */
  named(id: string, record: JsonObject, place: Place, path: () => string): void {
    const field = textFields[this.#role].find((name) => name in record);
    if (field === undefined)
      throw new InputError(
        `${this.#file}: ${path()} has no caption; give it a field ${quoted(this.#role === 'candidates' ? ['caption'] : ['caption', 'references'])}.`,
      );
    this.texts(id, record[field], place, () => `${path()}.${field}`);
  }

  /** Reads the text or the list of texts of image `id`. */
  texts(id: string | undefined, value: unknown, place: Place, path: () => string): void {
    if (!Array.isArray(value)) {
      this.#sink.caption(id, this.#text(value, path), place);
      return;
    }
    if (this.#role === 'candidates' && value.length !== 1)
      throw new InputError(
        `${this.#file}: ${path()} holds ${value.length} captions; a candidate file has exactly one caption an image.`,
      );
    if (value.length === 0)
      throw new InputError(
        `${this.#file}: ${path()} is an empty list; give the image a reference or take it out.`,
      );
    if (id !== undefined) this.#sink.list?.(id, place);
    value.forEach((element: unknown, i) => {
      this.#sink.caption(
        id,
        this.#text(element, () => `${path()}[${i}]`),
        place,
      );
    });
  }

  /** The image's name as text. COCO's integer 42 and "42" are the same image. */
  id(value: unknown, path: () => string): string {
    if (typeof value === 'string' && value !== '') return value;
    if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
    const found =
      value === '' ? 'an empty string' : typeof value === 'number' ? `${value}` : typeName(value);
    throw new InputError(
      `${this.#file}: ${path()} should be a text or a whole number (up to 2^53; write a larger one as text) but is ${found}.`,
    );
  }

  #text(value: unknown, path: () => string): string {
    if (typeof value === 'string') return value;
    if (isObject(value)) {
      const field = texts.find((name) => name in value);
      if (field !== undefined) return this.#text(value[field], () => `${path()}.${field}`);
    }
    throw new InputError(
      `${this.#file}: ${path()} should be a text but is ${typeName(value)}; correct it there.`,
    );
  }
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(' or ');
}
