/** Checks what a client sent by its schema. */
import type * as z from 'zod';
import { HttpError } from './errors.ts';

/** @throws HttpError 400 naming the first field that is wrong, and those that are known where one is not */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  known: readonly string[] = [],
): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const names = issue.keys.join(', ');
    throw new HttpError(
      400,
      `There is no option ${names}${known.length > 0 ? `; known: ${known.join(', ')}` : ''}.`,
    );
  }
  throw new HttpError(400, `${where === '' ? 'The body' : where}: ${issue.message}.`);
}
