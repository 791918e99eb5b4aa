/** What a record of a caption file (a JSON object or a table row) says: whose caption, and which text. */
import { InputError } from '../../base/errors.ts';
import {
  fieldKey,
  imageField,
  imageFields,
  innerTextFields,
  numberFields,
  type Role,
  textFields,
} from './fields.ts';

export type { Role } from './fields.ts';

/** Where a caption stands: a line or array position, or a JSON path where numbers do not do. */
export type Place = number | string;

/** Takes captions as they are read. An id of undefined means: the position in the file is the id. */
export interface CaptionHandler {
  /** The split that the record whose captions follow is marked with, if any. */
  split?(name: string | undefined): void;
  /** The split that an image is marked with, apart from its captions, as in MSR-VTT. */
  splitOf?(id: string, name: string): void;
  /** What a reviewer said of the record whose captions follow (`refcap review`), if any. */
  review?(verdict: string | undefined): void;
  caption(id: string | undefined, text: string, place: Place): void;
  /** The record closes a list of all of the image's captions: a second list for it is a mistake. */
  list?(id: string, place: Place): void;
  /** Another name of the image: its file, such as COCO's file_name, or a number or key. */
  alias?(id: string, other: string, kind: 'file' | 'number'): void;
  /** The next image of a list that the file has beside its captions, as COCO's does. */
  image?(id: string): void;
}

/** The fields or columns that hold the image and the caption, where their names do not say so. */
export interface Columns {
  readonly image?: string | undefined;
  readonly caption?: string | undefined;
}

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
  readonly #sink: CaptionHandler;
  readonly #columns: Columns;
  readonly #keys = new Map<string, string>();

  constructor(file: string, role: Role, sink: CaptionHandler, columns: Columns = {}) {
    this.#file = file;
    this.#role = role;
    this.#sink = sink;
    this.#columns = columns;
  }

  /** Whether a field of the object names an image; `id` alone counts only where `idCounts`. */
  namesImage(record: JsonObject, idCounts: boolean): boolean {
    if (this.#columns.image !== undefined) return this.#columns.image in record;
    return [...this.#fields(record).keys()].some(
      (key) => imageFields.has(key) && (idCounts || key !== 'id'),
    );
  }

  /**
   * Reads one object such as {"image_id": 1, "caption": "..."} or {"id": ..., "references": [...]}.
   * @param path JSON path or line of the record, for messages.
   * @throws InputError naming the path of a missing or wrongly typed field.
   */
  record(record: JsonObject, place: Place, path: () => string): void {
    const { image } = this.#columns;
    this.#sink.review?.(verdictOf(record.review));
    const fields = this.#fields(record);
    const field = image === undefined ? imageField(fields) : fieldKey(image);
    const value = field === undefined ? undefined : fields.get(field);
    if (field === undefined || (image !== undefined && !fields.has(field)))
      throw new InputError(
        image === undefined
          ? `${this.#file}: ${path()} has no image id; name the image in a field "image_id" (or ${quoted(['image', 'file_name', 'id'])}).`
          : `${this.#file}: ${path()} has no field "${image}"; it has ${quoted(Object.keys(record))}.`,
      );
    const id = this.id(value, () => `${path()}.${rawName(record, field)}`);
    for (const key of numberFields) {
      const other = fields.get(key);
      if (key !== field && isScalar(other)) this.#sink.alias?.(id, String(other), 'number');
    }
    this.named(id, record, place, path);
  }

  /** The same for an object whose image is known already. */
  named(id: string, record: JsonObject, place: Place, path: () => string): void {
    const { caption } = this.#columns;
    const fields = this.#fields(record);
    const names = caption === undefined ? this.#textNames(record) : [fieldKey(caption)];
    const field = names.find((name) => fields.has(name));
    if (field === undefined)
      throw new InputError(
        caption === undefined
          ? `${this.#file}: ${path()} has no caption; give it a field ${quoted(this.#role === 'candidates' ? ['caption'] : ['caption', 'references'])}.`
          : `${this.#file}: ${path()} has no field "${caption}"; it has ${quoted(Object.keys(record))}.`,
      );
    this.texts(id, fields.get(field), place, () => `${path()}.${rawName(record, field)}`);
  }

  /** What a reviewer accepted is the caption, whatever else the record holds. */
  #textNames({ review }: JsonObject): readonly string[] {
    const isReviewed = verdictOf(review) !== undefined;
    return isReviewed ? ['caption', ...textFields.candidates] : textFields[this.#role];
  }

  /** The record's values by the keys of its fields; of two names with one key the first counts. */
  #fields(record: JsonObject): Map<string, unknown> {
    const fields = new Map<string, unknown>();
    for (const name of Object.keys(record)) {
      let key = this.#keys.get(name);
      if (key === undefined) {
        key = fieldKey(name);
        if (this.#keys.size < 1000) this.#keys.set(name, key);
      }
      if (!fields.has(key)) fields.set(key, pathOf(record[name]));
    }
    return fields;
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
      const field = innerTextFields.find((name) => name in value);
      if (field !== undefined) return this.#text(value[field], () => `${path()}.${field}`);
    }
    throw new InputError(
      `${this.#file}: ${path()} should be a text but is ${typeName(value)}; correct it there.`,
    );
  }
}

/** Hugging Face writes a picture as {"bytes": ..., "path": ...}. */
function pathOf(value: unknown): unknown {
  if (!isObject(value) || typeof value.path !== 'string' || !('bytes' in value)) return value;
  return value.path;
}

/** Of what `refcap review` leaves in a record; others' fields of that name say nothing. */
function verdictOf(review: unknown): string | undefined {
  if (!isObject(review) || typeof review.by !== 'string') return undefined;
  return typeof review.verdict === 'string' ? review.verdict : undefined;
}

function isScalar(value: unknown): value is string | number {
  return (typeof value === 'string' && value !== '') || Number.isSafeInteger(value);
}

function rawName(record: JsonObject, key: string): string {
  return Object.keys(record).find((name) => fieldKey(name) === key) ?? key;
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(' or ');
}
