/** ROUGE-1, ROUGE-2 and ROUGE-L as Google's rouge_score computes them, with and without stemming. */

import type { CaptionedImage, Metric } from './types.ts';
import { SubsequenceLength } from './words/lcs.ts';
import { NgramCounts, NgramTrie, rootNode } from './words/ngrams.ts';
import { porterStem } from './words/stem-porter.ts';
import { WordNumbers } from './words/words.ts';

/** Precision, recall and their harmonic mean. */
export interface RougeScore {
  precision: number;
  recall: number;
  f: number;
}

export const rougeTypes = ['rouge1', 'rouge2', 'rougeL'] as const;
export type RougeType = (typeof rougeTypes)[number];

export interface RougeOptions {
  /** Stem words of more than three characters with Porter's stemmer. Default: false. */
  stem?: boolean;
  /** Which F of an image with several references counts. Default: 'best'. */
  over?: 'best' | 'mean';
}

/** rouge_score's words are runs of a-z and 0-9 of the text in lower case. */
function isWordCharacter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
}

/** Compares a candidate with each of its references by one kind of words. */
export class RougeScorer {
  readonly #stem: boolean;
  readonly #vocabulary = new WordNumbers();
  /** By number of a word: that of its stem. */
  readonly #stems: (number | undefined)[] = [];
  readonly #trie = new NgramTrie();
  readonly #candidate = new NgramCounts();
  readonly #reference = new NgramCounts();
  readonly #common = new SubsequenceLength();

  constructor({ stem = false }: Pick<RougeOptions, 'stem'> = {}) {
    this.#stem = stem;
  }

  /** For each reference: ROUGE-1, ROUGE-2 and ROUGE-L of the candidate, all as raw text. */
  score(candidate: string, references: readonly string[]): Record<RougeType, RougeScore>[] {
    const words = this.#encode(candidate);
    this.#trie.clear();
    this.#count(words, this.#candidate);
    this.#common.compare(words);
    return references.map((text) => {
      const reference = this.#encode(text);
      const [unigrams, bigrams] = this.#overlaps(reference);
      const common = this.#common.with(reference);
      return {
        rouge1: rougeScore(unigrams, words.length, reference.length),
        rouge2: rougeScore(bigrams, words.length - 1, reference.length - 1),
        rougeL: rougeScore(common, words.length, reference.length),
      };
    });
  }

  /** Numbers the words, equal stems alike. Stemming costs more than a look-up, so a word is stemmed once. */
  #encode(text: string): number[] {
    const lower = text.toLowerCase();
    const ids: number[] = [];
    let start = -1;
    for (let index = 0; index <= lower.length; index++) {
      if (index < lower.length && isWordCharacter(lower.charCodeAt(index))) {
        if (start < 0) start = index;
      } else if (start >= 0) {
        const word = this.#vocabulary.id(lower, start, index);
        ids.push(this.#stem ? this.#stemOf(word) : word);
        start = -1;
      }
    }
    return ids;
  }

  #stemOf(word: number): number {
    let stem = this.#stems[word];
    if (stem === undefined) {
      const text = this.#vocabulary.words()[word];
      stem = text.length > 3 ? this.#vocabulary.id(porterStem(text)) : word;
      this.#stems[word] = stem;
    }
    return stem;
  }

  #count(words: readonly number[], counts: NgramCounts): void {
    counts.clear();
    counts.reserve(this.#trie.size + words.length * 2);
    let previous = -1;
    for (const word of words) {
      if (previous >= 0) counts.add(this.#trie.insert(previous, word));
      previous = this.#trie.insert(rootNode, word);
      counts.add(previous);
    }
  }

  /** How many of the reference's unigrams and bigrams the candidate has too. */
  #overlaps(reference: readonly number[]): [number, number] {
    this.#count(reference, this.#reference);
    this.#candidate.reserve(this.#trie.size);
    const overlaps: [number, number] = [0, 0];
    const { nodes, counts, distinct } = this.#reference;
    for (let index = 0; index < distinct; index++) {
      const node = nodes[index];
      const order = this.#trie.prefixes[node] === rootNode ? 0 : 1;
      overlaps[order] += Math.min(counts[node], this.#candidate.counts[node]);
    }
    return overlaps;
  }
}

function rougeScore(overlap: number, candidate: number, reference: number): RougeScore {
  const precision = overlap / Math.max(candidate, 1);
  const recall = overlap / Math.max(reference, 1);
  const sum = precision + recall;
  return { precision, recall, f: sum > 0 ? (2 * precision * recall) / sum : 0 };
}

/** Of the scores against several references the one with the best F, the first of equals. */
export function bestRouge(scores: readonly RougeScore[]): RougeScore {
  return scores.reduce((best, score) => (score.f > best.f ? score : best));
}

/**
 * The F of ROUGE-1, ROUGE-2 and ROUGE-L (Lin, 2004) as rouge_score 0.1.2 computes them from the
 * raw text: the best over references, or their mean. The names end in `_stem` and `_mean` where
 * the options say so.
 */
export function createRouge({ stem = false, over = 'best' }: RougeOptions = {}): Metric {
  const scorer = new RougeScorer({ stem });
  const suffix = `${stem ? '_stem' : ''}${over === 'mean' ? '_mean' : ''}`;
  return {
    names: rougeTypes.map((type) => type + suffix),
    width: rougeTypes.length,

    statistics({ candidate, references }: CaptionedImage, out: Float64Array, offset: number): void {
      const scores = scorer.score(candidate, references);
      for (const [index, type] of rougeTypes.entries()) {
        let best = 0;
        let sum = 0;
        for (const score of scores) {
          best = Math.max(best, score[type].f);
          sum += score[type].f;
        }
        out[offset + index] = over === 'best' ? best : sum / scores.length;
      }
    },

    scores: (sums: Float64Array, images: number): number[] =>
      rougeTypes.map((_, index) => sums[index] / images),
  };
}
