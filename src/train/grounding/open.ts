/** Opens what grounding is taught with: boxes of the pictures of a run. */
import { InputError } from '../../base/errors.ts';
import { readEntities } from '../../data/captions/entities.ts';
import type { TextTokenizer } from '../../data/text/tokenizer.ts';
import type { EncodedCaptions } from '../loop/batches.ts';
import type { RunImage } from '../loop/data.ts';
import type { GroundedCaptions } from './boxes.ts';
import { groundedTokens } from './words.ts';

/**
 * Reads the boxes of a run's training pictures, which are found by their names in the dataset.
 * @param path JSON lines as `readEntities` takes them
 * @throws InputError naming the file, where it is at fault or has no box for any caption of the run
 */
export async function openGrounding(
  path: string,
  images: readonly RunImage[],
  captions: EncodedCaptions,
  tokenizer: TextTokenizer,
  onNote: (note: string) => void,
): Promise<GroundedCaptions> {
  const entities = await readEntities(path);
  const grounded = images.map((image, i) => {
    const row = entities.get(nameOf(image));
    return row
      ? groundedTokens(row, image.captions, captions[i], tokenizer)
      : captions[i].map(() => []);
  });
  const all = grounded.flat();
  const found = all.filter((tokens) => tokens.length > 0).length;
  if (found === 0)
    throw new InputError(
      `${path}: none of the ${all.length} training captions has a box there; its files and words must be those of the dataset.`,
    );
  onNote(`${path}: ${found} of ${all.length} training captions have words with boxes.`);
  return grounded;
}

/** The picture's name in its own source. */
function nameOf({ id, source }: RunImage): string {
  return source === undefined ? id : id.slice(`${source}: `.length);
}
