/** Reads the files of a scoring run and pairs their captions. */
import { basename } from 'node:path';
import {
  type Candidates,
  type References,
  readAllCaptions,
  readCandidates,
  readImageList,
  readReferences,
} from '../data/captions/captions.ts';
import { type Match, matchCaptions } from '../data/captions/match.ts';
import type { Corpus } from '../metrics/corpus/corpus.ts';
import type { ScoreFilesOptions } from './options.ts';

/** Captions in memory, ready to score. */
export interface ScoreInput {
  references: References;
  systems: Candidates[];
  names: string[];
  match: Match;
  corpus: Corpus;
  training: string[] | undefined;
}

/**
 * Reads candidates, references and what else the options name.
 * @throws InputError on any fault of the files.
 */
export async function readInput(options: ScoreFilesOptions): Promise<ScoreInput> {
  const warn = options.onWarning ?? (() => {});
  const references = await readReferences(options.references, {
    format: options.referencesFormat,
    splits: options.splits,
  });
  options.signal?.throwIfAborted();
  const systems: Candidates[] = [];
  for (const path of options.candidates)
    systems.push(await readCandidates(path, { format: options.candidatesFormat }));
  options.signal?.throwIfAborted();
  const list = options.images && {
    name: options.images,
    images: await readImageList(options.images),
  };
  const match = asListed(
    matchCaptions(references, systems, options.allowMissing ?? false, list || undefined),
    references,
  );
  for (const note of [references, ...systems, match].flatMap(({ notes }) => notes)) warn(note);
  let training: string[] | undefined;
  if (options.training !== undefined) {
    const store = await readAllCaptions(options.training);
    training = Array.from({ length: store.length }, (_, i) => store.get(i));
  }
  // The names of half a million images fill hundreds of megabytes, and everything is paired now.
  references.byId.clear();
  references.files.clear();
  references.numbers.clear();
  references.listed.clear();
  for (const { byId, numbers } of systems) {
    byId?.clear();
    numbers.clear();
  }
  const corpus = corpusOf(references, systems, match);
  return { references, systems, names: systemNames(options.candidates), match, corpus, training };
}

/** The images in the order of the references' list of images, where they have one: the COCO evaluation's order. */
function asListed(match: Match, { listed, byId }: References): Match {
  if (listed.size === 0) return match;
  const ranks = new Map<number, number>();
  for (const id of listed) {
    const image = byId.get(id);
    if (image !== undefined) ranks.set(image, ranks.size);
  }
  const rank = (place: number): number => ranks.get(match.images[place]) ?? ranks.size;
  const places = match.images.map((_, place) => place).sort((a, b) => rank(a) - rank(b));
  return {
    ...match,
    images: places.map((place) => match.images[place]),
    rows: match.rows.map((rows) => places.map((place) => rows[place])),
  };
}

function corpusOf(references: References, systems: readonly Candidates[], match: Match): Corpus {
  const { images, rows } = match;
  const { texts, first, order } = references;
  return {
    images: images.length,
    systems: systems.length,
    candidate: (system, image) => systems[system].texts.bytes(rows[system][image]),
    referenceCount: (image) => first[images[image] + 1] - first[images[image]],
    references: (image) =>
      Array.from(order.subarray(first[images[image]], first[images[image] + 1]), (text) =>
        texts.bytes(text),
      ),
  };
}

/** File names where they tell the systems apart, else paths, else paths with a number. */
function systemNames(paths: readonly string[]): string[] {
  const names = paths.map((path) => basename(path));
  if (new Set(names).size === names.length) return names;
  if (new Set(paths).size === paths.length) return [...paths];
  return paths.map((path, i) => `${path} (${i + 1})`);
}
