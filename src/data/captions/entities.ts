/** Boxes that people drew for the phrases of captions: Flickr30k Entities (Plummer et al. 2015) as JSON lines. */
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import * as z from 'zod';
import { InputError } from '../../base/errors.ts';

const rowSchema = z.object({
  file: z.string(),
  width: z.number().positive(),
  height: z.number().positive(),
  /** [left, top, right, bottom] in the picture's pixels, by the id of what they are around. */
  boxes: z.record(z.string(), z.array(z.tuple([z.number(), z.number(), z.number(), z.number()]))),
  captions: z.array(
    z.object({
      words: z.array(z.string()),
      phrases: z.array(
        z.object({
          id: z.string(),
          types: z.array(z.string()),
          first: z.int().nonnegative(),
          words: z.int().positive(),
        }),
      ),
    }),
  ),
});

export type EntityImage = z.infer<typeof rowSchema>;

/** A rectangle in parts of the picture: left, top, right, bottom from 0 to 1. */
export type Box = readonly [number, number, number, number];

/**
 * The rows of a file, gzipped or not, by the picture's file.
 * @throws InputError naming the file and the line that is wrong
 */
export async function readEntities(path: string): Promise<Map<string, EntityImage>> {
  let text: string;
  try {
    const bytes = await readFile(path);
    text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${path}: cannot be read (${reason}).`);
  }
  const rows = new Map<string, EntityImage>();
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const row = rowSchema.safeParse(jsonOf(line));
    if (!row.success) {
      const [issue] = row.error.issues;
      throw new InputError(
        `${path}: line ${i + 1}: ${issue.path.join('.') || 'the whole'}: ${issue.message}.`,
      );
    }
    rows.set(row.data.file, row.data);
  }
  if (rows.size === 0) throw new InputError(`${path}: there are no rows in it.`);
  return rows;
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** The boxes of an id, in parts of the picture. */
export function boxesOf({ boxes, width, height }: EntityImage, id: string): Box[] {
  return (boxes[id] ?? []).map(([left, top, right, bottom]) => [
    left / width,
    top / height,
    right / width,
    bottom / height,
  ]);
}
