/** `--concepts FILE`: the user's names of things, or their scores for each picture. */
import { InputError } from '../../base/errors.ts';
import type { Captioner } from '../../caption/captioner.ts';
import type { ConceptScoresByName } from '../../caption/concepts/names.ts';
import { type ConceptFile, readConceptFile, scoresOfPicture } from '../../caption/concepts/read.ts';

export interface OpenedConcepts {
  readonly file: ConceptFile;
  /** Tells of names that the model cannot be told of. @throws InputError where there is no other */
  check(captioner: Captioner): void;
  /** Where the file has scores: those of a picture. @throws InputError where it has none for it */
  readonly scoresOf?: (picture: string) => ConceptScoresByName;
}

/** @throws InputError naming what is wrong with the file */
export async function openConcepts(path: string): Promise<OpenedConcepts> {
  const file = await readConceptFile(path);
  const names = file.kind === 'names' ? file.names : namesOf(file.scores);
  return {
    file,
    check: (captioner) => tellUnknown(path, names, captioner.unknownConcepts(names)),
    ...(file.kind === 'scores' && {
      scoresOf: (picture: string) => scoresOfPicture(file.scores, picture, path),
    }),
  };
}

function namesOf(scores: ReadonlyMap<string, ConceptScoresByName>): string[] {
  return [...new Set([...scores.values()].flatMap((own) => Object.keys(own)))];
}

/** Names that are listed. */
const mostListed = 20;

function tellUnknown(path: string, names: readonly string[], unknown: readonly string[]): void {
  if (unknown.length === 0) return;
  const shown = unknown.slice(0, mostListed).join(', ');
  const more = unknown.length > mostListed ? ` and ${unknown.length - mostListed} more` : '';
  if (unknown.length === names.length)
    throw new InputError(`${path}: the model can be told of none of these names: ${shown}${more}.`);
  console.error(
    `refcap: ${path}: left out, since the model cannot be told of them: ${shown}${more}`,
  );
}
