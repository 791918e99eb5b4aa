/** Captions in memory, scored: no files, no threads of its own, for Node.js and browsers. */
import type { DocumentFrequencies } from '../document-frequencies.ts';
import type { MeteorData } from '../meteor/data.ts';
import type { ParaphraseTable } from '../meteor/paraphrases.ts';
import { defaultMetrics } from '../registry.ts';
import { selectMetrics } from '../selection.ts';
import { ChunkScorer, type Tokenized } from './chunk-scorer.ts';
import { corpusOf } from './corpus.ts';
import {
  type CorpusScores,
  corpusResults,
  imageScoreNames,
  imageScores,
  type ResultOptions,
} from './results.ts';
import { localRunner } from './runner.ts';
import { countCorpus, type ScoreRunner } from './statistics.ts';

export interface ScoreOptions extends ResultOptions {
  /** Metrics or scores, separated by commas, such as 'bleu,CIDEr'. Default: `defaultMetrics`. */
  metrics?: string | undefined;
  /** Which captions are tokens already. Default: none. */
  tokenized?: Partial<Tokenized> | undefined;
  /** WordNet for METEOR; `loadMeteorData` of refcap/score in Node.js, else `decodeMeteorData` of the data's bytes. */
  meteorData?: (() => MeteorData) | undefined;
  /** METEOR's paraphrase table. */
  paraphrases?: ParaphraseTable | undefined;
  /** CIDEr's document frequencies; counted in `references` by default. */
  frequencies?: DocumentFrequencies | undefined;
  /** The training set's captions, for the share of captions that are not among them. */
  training?: readonly string[] | undefined;
  /** Give the scores of each image too. */
  perImage?: boolean | undefined;
  /** Where the work is done, opened for it and closed at the end; this thread by default. No result depends on it. */
  runner?: (() => ScoreRunner | Promise<ScoreRunner>) | undefined;
}

/** A system's scores, and those of each image by name, where they were asked for. */
export interface SystemScores extends CorpusScores {
  images?: Record<string, number>[];
}

/**
 * Scores captions against the references of their images, as the reference programs would.
 *
 * Captions are tokenized in their order as one text, as pycocoevalcap does.
 * @param candidates one caption an image.
 * @param references of each image, in the same order, at least one.
 * @throws {RangeError} where the two do not go together, on an unknown metric, or where METEOR lacks its data.
 */
export async function scoreCorpus(
  candidates: readonly string[],
  references: readonly (readonly string[])[],
  options: ScoreOptions = {},
): Promise<SystemScores> {
  const [scores] = await scoreSystems([candidates], references, options);
  return scores;
}

/**
 * `scoreCorpus` of several systems on the same images; with `bootstrap` the differences to the first
 * are by paired resampling.
 * @param systems the captions of each.
 */
export async function scoreSystems(
  systems: readonly (readonly string[])[],
  references: readonly (readonly string[])[],
  options: ScoreOptions = {},
): Promise<SystemScores[]> {
  const { bootstrap = 0, perImage = false, tokenized, signal, onProgress } = options;
  const selection = selectMetrics(options.metrics ?? defaultMetrics);
  checkCaptions(systems, references);
  const statistics = await countCorpus(
    corpusOf(systems, references),
    {
      metrics: selection.metrics,
      diversity: selection.diversity,
      training: options.training,
      tokenized: { candidates: false, references: false, ...tokenized },
      paraphrases: options.paraphrases,
      frequencies: options.frequencies,
      keepTables: perImage || bootstrap > 0,
      keepFrequencies: false,
      onProgress: (done) => {
        signal?.throwIfAborted();
        onProgress?.('scoring', done);
      },
    },
    (await options.runner?.()) ?? localRunner(new ChunkScorer(options.meteorData ?? lackingData)),
  );
  const names = systems.map((_, s) => `system ${s + 1}`);
  const results = await corpusResults(statistics, selection, names, options);
  if (!perImage) return results;
  const scores = imageScoreNames(statistics, selection);
  return results.map((result, s) => ({
    ...result,
    images: [...imageScores(statistics, statistics.systems[s], scores)].map((values) =>
      Object.fromEntries(scores.map((name, i) => [name, values[i]])),
    ),
  }));
}

function checkCaptions(
  systems: readonly (readonly string[])[],
  references: readonly (readonly string[])[],
): void {
  if (systems.length === 0 || references.length === 0)
    throw new RangeError(
      'there is nothing to score; give one caption an image, and its references.',
    );
  for (const [s, captions] of systems.entries())
    if (captions.length !== references.length)
      throw new RangeError(
        `${systems.length > 1 ? `system ${s + 1} has ` : ''}${captions.length} captions for ${references.length} images; give one caption an image.`,
      );
  const without = references.findIndex(({ length }) => length === 0);
  if (without >= 0)
    throw new RangeError(`references[${without}] is empty; an image needs at least one reference.`);
}

function lackingData(): never {
  throw new RangeError(
    'METEOR needs WordNet: pass meteorData (in Node.js loadMeteorData of refcap/score), or name other metrics.',
  );
}
