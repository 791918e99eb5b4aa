/** Drafts in pictures' metadata: what refcap wrote there as XMP, and nobody changed since. */
import { join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { inParallel } from '../../base/parallel.ts';
import type { ImageFolder } from '../../data/images/folder.ts';
import { machineMadePlace, type XmpReview } from '../../metadata/reviewed.ts';
import { reviewCaption } from '../../metadata/xmp/review.ts';
import { isAccepted, type ReviewDecision } from '../decisions/decision.ts';
import type { DraftCaption } from './draft.ts';
import { filesAtOnce } from './texts.ts';

/** @param notes told of pictures whose metadata cannot be read */
export async function readMetadataDrafts(
  folder: ImageFolder,
  notes: string[],
): Promise<DraftCaption[]> {
  const faults: string[] = [];
  const drafts = await inParallel(
    folder.files,
    filesAtOnce,
    async (file): Promise<DraftCaption[]> => {
      try {
        const found = await machineMadePlace(join(folder.folder, file));
        if (!found) return [];
        const { draft, review, text } = found;
        return [
          {
            file,
            candidates: [{ text: draft }],
            ...(review && { decision: decisionOf(file, draft, text, review) }),
          },
        ];
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        faults.push(error.message);
        return [];
      }
    },
  );
  if (faults.length > 0)
    notes.push(
      `${faults.length === 1 ? "1 picture's metadata" : `the metadata of ${faults.length} pictures`} cannot be read, the first: ${faults[0]}`,
    );
  return drafts.flat();
}

function decisionOf(file: string, draft: string, text: string, review: XmpReview): ReviewDecision {
  const { by, when } = review;
  return {
    file,
    verdict: text === draft ? 'accepted' : 'edited',
    draft,
    text,
    by,
    when,
    seconds: 0,
  };
}

/** Writes accepted captions where refcap wrote its drafts, and takes out wrong ones. */
export async function writeMetadataDrafts(
  folder: ImageFolder,
  decided: ReadonlyMap<string, ReviewDecision>,
  keepTimes: boolean,
): Promise<number> {
  let count = 0;
  for (const file of folder.files) {
    const decision = decided.get(file);
    const found = decision && (await machineMadePlace(join(folder.folder, file), { keepTimes }));
    if (!found) continue;
    const { by, when } = decision;
    const text = isAccepted(decision) ? decision.text : undefined;
    const written = reviewCaption(found.packet, { text, by, when }, found.place.name);
    if (written === found.packet) continue;
    await found.place.write(written);
    count += 1;
  }
  return count;
}
