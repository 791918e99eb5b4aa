/** BLEU-1..4 as the COCO caption evaluation computes it, per image and for a corpus. */

import type { CaptionedImage, Metric } from './types.ts';
import { maximumOrder, NgramCounts, NgramTrie, rootNode } from './words/ngrams.ts';
import { WordNumbers } from './words/words.ts';

// The reference program's guards against 0/0; they are part of its scores.
const small = 1e-9;
const tiny = 1e-15;

const testLength = 0;
const referenceLength = 1;
const guessed = 2;
const correct = guessed + maximumOrder;

/** Reference length closest to that of the candidate; of two as close, the shorter. */
export function closestLength(length: number, lengths: readonly number[]): number {
  let best = Number.POSITIVE_INFINITY;
  for (const other of lengths) {
    const distance = Math.abs(other - length) - Math.abs(best - length);
    if (distance < 0 || (distance === 0 && other < best)) best = other;
  }
  return best;
}

/** Counts the candidate's n-grams and, for each, the most times that one reference has it. */
export class ClippedCounter {
  readonly #trie = new NgramTrie();
  readonly #candidate = new NgramCounts();
  readonly #reference = new NgramCounts();
  #most = new Int32Array(0);
  #orders = new Int32Array(0);

  /**
   * Adds to `out[offset + n - 1]` the number of the candidate's n-grams (n = 1..4) found in a
   * reference, each counted at most as often as one reference has it.
   */
  count(
    candidate: readonly number[],
    references: readonly (readonly number[])[],
    out: Float64Array,
    offset: number,
  ): void {
    this.#readCandidate(candidate);
    for (const reference of references) this.#readReference(reference);
    const { nodes, counts, distinct } = this.#candidate;
    for (let index = 0; index < distinct; index++) {
      const node = nodes[index];
      out[offset + this.#orders[node]] += Math.min(counts[node], this.#most[node]);
    }
  }

  #readCandidate(words: readonly number[]): void {
    const trie = this.#trie;
    trie.clear();
    this.#candidate.clear();
    const room = words.length * maximumOrder + 1;
    this.#candidate.reserve(room);
    this.#reference.reserve(room);
    if (this.#most.length < room) {
      this.#most = new Int32Array(room * 2);
      this.#orders = new Int32Array(room * 2);
    }
    this.#most.fill(0, 0, room);
    for (let start = 0; start < words.length; start++) {
      const orders = Math.min(maximumOrder, words.length - start);
      for (let order = 0, node = rootNode; order < orders; order++) {
        node = trie.insert(node, words[start + order]);
        this.#orders[node] = order;
        this.#candidate.add(node);
      }
    }
  }

  #readReference(words: readonly number[]): void {
    const counts = this.#reference;
    counts.clear();
    for (let start = 0; start < words.length; start++) {
      const orders = Math.min(maximumOrder, words.length - start);
      // An n-gram that the candidate lacks is a prefix of none that it has.
      for (let order = 0, node = rootNode; order < orders; order++) {
        node = this.#trie.find(node, words[start + order]);
        if (node < 0) break;
        counts.add(node);
      }
    }
    for (let index = 0; index < counts.distinct; index++) {
      const node = counts.nodes[index];
      if (counts.counts[node] > this.#most[node]) this.#most[node] = counts.counts[node];
    }
  }
}

/**
 * BLEU-1..4 of Papineni et al. (2002) as pycocoevalcap computes it on PTB tokens: the closest
 * reference length, no smoothing but its guards of 1e-9 and 1e-15.
 */
export function createBleu(): Metric {
  const vocabulary = new WordNumbers();
  const counter = new ClippedCounter();
  return {
    names: ['Bleu_1', 'Bleu_2', 'Bleu_3', 'Bleu_4'],
    width: correct + maximumOrder,

    statistics({ tokenized }: CaptionedImage, out: Float64Array, offset: number): void {
      const candidate = vocabulary.encode(tokenized.candidate);
      const references = tokenized.references.map((text) => vocabulary.encode(text));
      const lengths = references.map(({ length }) => length);
      out.fill(0, offset, offset + correct + maximumOrder);
      out[offset + testLength] = candidate.length;
      out[offset + referenceLength] = closestLength(candidate.length, lengths);
      for (let order = 0; order < maximumOrder; order++) {
        out[offset + guessed + order] = Math.max(0, candidate.length - order);
      }
      counter.count(candidate, references, out, offset + correct);
    },

    scores(sums: Float64Array): number[] {
      const ratio = (sums[testLength] + tiny) / (sums[referenceLength] + small);
      const penalty = ratio < 1 ? Math.exp(1 - 1 / ratio) : 1;
      let product = 1;
      return Array.from({ length: maximumOrder }, (_, order) => {
        product *= (sums[correct + order] + tiny) / (sums[guessed + order] + small);
        return product ** (1 / (order + 1)) * penalty;
      });
    },
  };
}
