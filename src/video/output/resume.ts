/** Reads the rows of an earlier run: which films are whole, and where the last of them ends. */
import { createReadStream } from 'node:fs';
import * as z from 'zod';
import { InputError } from '../../base/errors.ts';

const rowSchema = z.looseObject({
  file: z.string(),
  scene: z.int(),
  isLast: z.boolean().optional(),
});

/** What each row begins with. */
const rowStart = '{"file":';

/**
 * @returns the films all of whose scenes are there, and the bytes up to the end of the last
 * @throws InputError where a line is no row of a film
 */
export async function completeEnd(
  path: string,
): Promise<{ readonly done: ReadonlySet<string>; readonly end: number }> {
  const done = new Set<string>();
  let end = 0;
  let at = 0;
  let number = 0;
  let rest = Buffer.alloc(0);
  for await (const chunk of createReadStream(path)) {
    rest = Buffer.concat([rest, chunk]);
    for (let stop = rest.indexOf(10); stop >= 0; stop = rest.indexOf(10)) {
      number += 1;
      at += stop + 1;
      const row = rowOf(rest.toString('utf8', 0, stop));
      if (!row)
        throw new InputError(
          `${path}: line ${number} is no scene of a film; name another file, or --overwrite.`,
        );
      if (row.isLast) {
        done.add(row.file);
        end = at;
      }
      rest = rest.subarray(stop + 1);
    }
  }
  // A first line that is not whole may be anything: it is not ours to cut.
  const begun = rest.toString();
  if (number === 0 && !begun.startsWith(rowStart) && !rowStart.startsWith(begun))
    throw new InputError(
      `${path}: line 1 is no scene of a film; name another file, or --overwrite.`,
    );
  return { done, end };
}

function rowOf(line: string): z.infer<typeof rowSchema> | undefined {
  try {
    return rowSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
