/** The captions in a sample's record, by the usual names of their fields. */
import { fieldKey, innerTextFields, textFields } from '../captions/fields.ts';
import { type Columns, isObject, type JsonObject } from '../captions/records.ts';

/**
 * The captions of a record: the text or list of texts in the first field of a known name that has a value.
 * @param columns the field's name, where it is another
 * @returns none where there is no such field
 */
export function captionsOfRecord(record: JsonObject, { caption }: Columns = {}): string[] {
  const values = new Map<string, unknown>();
  for (const [name, value] of Object.entries(record))
    if (value !== null && value !== undefined && !values.has(fieldKey(name)))
      values.set(fieldKey(name), value);
  const names = caption === undefined ? textFields.references : [fieldKey(caption)];
  const field = names.find((name) => values.has(name));
  return field === undefined ? [] : textsIn(values.get(field));
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return value.trim() === '' ? [] : [value.trim()];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (!isObject(value)) return [];
  const inner = innerTextFields.find((name) => name in value);
  return inner === undefined ? [] : textsIn(value[inner]);
}

/** The captions of a text file, a line each. */
export function captionsOfText(text: string): string[] {
  return text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
