/**
 * METEOR 1.5 for English, equal to the Java program as the COCO evaluation runs it (`-l en -norm`):
 * exact, stem and synonym matches, and paraphrases with a table that the caller passes.
 * Denkowski and Lavie, "Meteor Universal: Language Specific Translation Evaluation for Any Target Language", 2014.
 */

import type { CaptionedImage, Metric } from '../types.ts';
import { Aligner } from './align.ts';
import type { MeteorData } from './data.ts';
import { Lexicon } from './lexicon.ts';
import { Matches, MODULE_WEIGHTS } from './matches.ts';
import { meteorWords } from './normalize.ts';
import { type ParaphraseTable, PhraseFinder } from './paraphrases.ts';

export { decodeMeteorData, type MeteorData } from './data.ts';
export {
  type ParaphraseTable,
  ParaphraseTableBuilder,
  parseParaphraseTable,
} from './paraphrases.ts';

/** Precision against recall, fragmentation penalty's shape and weight, content against function words. */
const ALPHA = 0.85;
const BETA = 0.2;
const GAMMA = 0.6;
const DELTA = 0.75;

/** Number of sufficient statistics. */
export const METEOR_WIDTH = 23;

/** METEOR 1.5 for English. */
export interface Meteor {
  /**
   * The 23 sufficient statistics of the reference with the best score, in the Java program's order: words of
   * candidate and reference, function words of both; for each module (exact, stem, synonym, paraphrase)
   * content words matched in both, function words matched in both; chunks, words matched in both.
   * @param candidate text after the PTB tokenizer (or raw: it is normalised anyway).
   * @param references the same; with none, all statistics are those of an empty reference.
   */
  statistics(candidate: string, references: readonly string[]): Float64Array;
  /** The score from the statistics of one image, or from the sums of `toCorpusStatistics` over images. */
  score(statistics: ArrayLike<number>): number;
}

/**
 * @param data WordNet, from `decodeMeteorData`.
 * @param paraphrases the paraphrase table; without it scores differ from those of METEOR's default, so say so beside them.
 */
export function createMeteor(data: MeteorData, paraphrases?: ParaphraseTable): Meteor {
  const scorer = new Scorer(data, paraphrases);
  return {
    statistics: (candidate, references) => scorer.statistics(candidate, references),
    score: meteorScore,
  };
}

/** METEOR as a summable metric over tokenized captions. */
export function createMeteorMetric(data: MeteorData, paraphrases?: ParaphraseTable): Metric {
  const scorer = new Scorer(data, paraphrases);
  return {
    ...meteorScoring,
    statistics({ tokenized }: CaptionedImage, out: Float64Array, offset: number): void {
      const statistics = scorer.statistics(tokenized.candidate, tokenized.references);
      out.set(toCorpusStatistics(statistics), offset);
    },
  };
}

/** The part of the metric that needs no data: names, width, and scores from sums. */
export const meteorScoring: Pick<Metric, 'names' | 'width' | 'scores'> = {
  names: ['METEOR'],
  width: METEOR_WIDTH,
  scores: (sums) => [meteorScore(sums)],
};

/** The METEOR score from an image's 23 statistics, or from the sums of `toCorpusStatistics` over images. */
export function meteorScore(statistics: ArrayLike<number>): number {
  const at = (index: number) => statistics[index] ?? 0;
  let matched1 = 0;
  let matched2 = 0;
  for (const [module, weight] of MODULE_WEIGHTS.entries()) {
    const base = 4 + 4 * module;
    matched1 += weight * (DELTA * at(base) + (1 - DELTA) * at(base + 2));
    matched2 += weight * (DELTA * at(base + 1) + (1 - DELTA) * at(base + 3));
  }
  const precision = matched1 / (DELTA * (at(0) - at(2)) + (1 - DELTA) * at(2));
  const recall = matched2 / (DELTA * (at(1) - at(3)) + (1 - DELTA) * at(3));
  const mean = 1 / ((1 - ALPHA) / precision + ALPHA / recall);
  const fragmentation = isWhole(statistics) ? 0 : at(20) / ((at(21) + at(22)) / 2);
  const score = mean * (1 - GAMMA * fragmentation ** BETA);
  return Number.isNaN(score) ? 0 : Math.max(0, score);
}

/** Whether every word of both texts is matched, in one chunk: there is no penalty then. */
function isWhole(statistics: ArrayLike<number>): boolean {
  return (
    statistics[20] === 1 && statistics[21] === statistics[0] && statistics[22] === statistics[1]
  );
}

/**
 * Changes an image's statistics, in place, into what it adds to a corpus: the one chunk of an
 * image whose words all match does not count.
 */
export function toCorpusStatistics(statistics: Float64Array): Float64Array {
  if (isWhole(statistics)) statistics[20] = 0;
  return statistics;
}

function isSame(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

class Scorer {
  private readonly lexicon: Lexicon;
  private readonly matches: Matches;
  private readonly aligner: Aligner;
  private readonly own = new Float64Array(METEOR_WIDTH);

  constructor(data: MeteorData, paraphrases: ParaphraseTable | undefined) {
    this.lexicon = new Lexicon(data);
    const finder = paraphrases && new PhraseFinder(paraphrases, this.lexicon);
    this.matches = new Matches(this.lexicon, finder);
    this.aligner = new Aligner(this.matches);
  }

  statistics(candidate: string, references: readonly string[]): Float64Array {
    const words = this.wordIds(candidate);
    const best = new Float64Array(METEOR_WIDTH);
    let bestScore = -1;
    for (const reference of references.length > 0 ? references : ['']) {
      this.compare(words, this.wordIds(reference));
      const score = meteorScore(this.own);
      if (score > bestScore) {
        bestScore = score;
        best.set(this.own);
      }
    }
    return best;
  }

  private wordIds(text: string): Int32Array {
    const words = meteorWords(text);
    const ids = new Int32Array(words.length);
    for (let i = 0; i < words.length; i++) ids[i] = this.lexicon.id(words[i] ?? '');
    return ids;
  }

  /** Statistics of one candidate and one reference, into `own`. */
  private compare(candidate: Int32Array, reference: Int32Array): void {
    const { own, aligner, matches } = this;
    own.fill(0);
    own[0] = candidate.length;
    own[1] = reference.length;
    own[2] = this.countFunctionWords(candidate, 0, candidate.length);
    own[3] = this.countFunctionWords(reference, 0, reference.length);
    if (isSame(candidate, reference)) {
      this.matchAll();
      return;
    }
    matches.find(candidate, reference);
    if (matches.count === 0) return;
    aligner.align(candidate.length, reference.length);
    own[20] = aligner.chunks;
    for (let i = 0; i < aligner.chosen.length; i++) {
      const match = aligner.chosen[i] ?? 0;
      const length1 = matches.matchLength[match] ?? 0;
      const length2 = matches.length[match] ?? 0;
      const function1 = this.countFunctionWords(candidate, matches.matchStart[match] ?? 0, length1);
      const function2 = this.countFunctionWords(reference, aligner.chosenAt[i] ?? 0, length2);
      const base = 4 + 4 * (matches.module[match] ?? 0);
      own[base] += length1 - function1;
      own[base + 1] += length2 - function2;
      own[base + 2] += function1;
      own[base + 3] += function2;
      own[21] += length1;
      own[22] += length2;
    }
  }

  /**
   * Equal texts need no search: word on word has the most matches, one chunk and no distance, and
   * METEOR tries it first at each word, so it heads the beam to the end.
   */
  private matchAll(): void {
    const { own } = this;
    const words = own[0] ?? 0;
    const functions = own[2] ?? 0;
    own.fill(words - functions, 4, 6);
    own.fill(functions, 6, 8);
    own[20] = Math.min(1, words);
    own.fill(words, 21, 23);
  }

  private countFunctionWords(words: Int32Array, start: number, length: number): number {
    let count = 0;
    for (let i = start; i < start + length; i++)
      count += this.lexicon.functions[words[i] ?? 0] ?? 0;
    return count;
  }
}
