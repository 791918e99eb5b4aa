/** CIDEr-D, which papers print as CIDEr, and plain CIDEr. */
import type { DocumentFrequencies } from './document-frequencies.ts';
import type { CaptionedImage, Metric } from './types.ts';
import { enlarged, maximumOrder, NgramCounts, NgramTrie, rootNode } from './words/ngrams.ts';
import { WordNumbers } from './words/words.ts';

const sigma = 6;

/** The n-grams of one image's captions with their weights, numbered anew for each image. */
class WeightedNgrams {
  readonly trie = new NgramTrie();
  /** By node: its order - 1, its inverse document frequency, and its number in the document frequencies. */
  orders = new Uint8Array(1024);
  weights = new Float64Array(1024);
  #documentNodes = new Int32Array(1024);
  readonly #frequencies: DocumentFrequencies;
  readonly #logDocuments: number;
  readonly #vocabulary = new WordNumbers();
  /** By number of a word here: its number in the document frequencies. */
  #documentWords = new Int32Array(1024);

  constructor(frequencies: DocumentFrequencies) {
    this.#frequencies = frequencies;
    this.#logDocuments = Math.log(frequencies.documents);
  }

  encode(text: string): number[] {
    const before = this.#vocabulary.size;
    const ids = this.#vocabulary.encode(text);
    const words = this.#vocabulary.words();
    if (words.length > this.#documentWords.length) {
      this.#documentWords = enlarged(this.#documentWords, words.length * 2);
    }
    for (let id = before; id < words.length; id++) {
      this.#documentWords[id] = this.#frequencies.word(words[id]);
    }
    return ids;
  }

  /** Counts the n-grams of a caption into `counts`. */
  count(words: readonly number[], counts: NgramCounts): void {
    counts.clear();
    this.#reserve(this.trie.size + words.length * maximumOrder);
    counts.reserve(this.weights.length);
    for (let start = 0; start < words.length; start++) {
      const orders = Math.min(maximumOrder, words.length - start);
      for (let order = 0, node = rootNode; order < orders; order++) {
        const known = this.trie.size;
        const child = this.trie.insert(node, words[start + order]);
        if (child === known) this.#weigh(child, node, words[start + order], order);
        counts.add(child);
        node = child;
      }
    }
  }

  /** The node's number in the document frequencies; -1 where no document has it. */
  documentNode(node: number): number {
    return this.#documentNodes[node];
  }

  #weigh(node: number, prefix: number, word: number, order: number): void {
    const frequencies = this.#frequencies;
    const found = frequencies.child(this.#documentNodes[prefix], this.#documentWords[word]);
    this.#documentNodes[node] = found;
    this.orders[node] = order;
    this.weights[node] = this.#logDocuments - Math.log(Math.max(1, frequencies.count(found)));
  }

  #reserve(size: number): void {
    if (size <= this.weights.length) return;
    const room = size * 2;
    const [orders, weights] = [this.orders, this.weights];
    this.orders = new Uint8Array(room);
    this.orders.set(orders);
    this.weights = new Float64Array(room);
    this.weights.set(weights);
    this.#documentNodes = enlarged(this.#documentNodes, room);
  }
}

/**
 * CIDEr-D (`CIDEr`) and CIDEr (`CIDEr_plain`) of Vedantam et al. (2015), as pycocoevalcap computes
 * them on PTB tokens: the mean over n = 1..4 of the cosine of tf-idf vectors, times 10. CIDEr-D
 * clips a candidate's weights to the reference's and has a Gaussian penalty (sigma 6) on the
 * difference in the number of bigrams. An n-gram in no document has the weight of one in a single
 * document. With one document every weight is zero, and so is the score.
 *
 * @param frequencies of the corpus' own references, or of a larger set; not to change afterwards.
 */
export function createCider(frequencies: DocumentFrequencies): Metric {
  const ngrams = new WeightedNgrams(frequencies);
  const candidateCounts = new NgramCounts();
  const referenceCounts = new NgramCounts();

  const candidateNorms = new Float64Array(maximumOrder);
  const referenceNorms = new Float64Array(maximumOrder);
  const clipped = new Float64Array(maximumOrder);
  const plain = new Float64Array(maximumOrder);

  /** Sums over the reference's n-grams, by order: products with the candidate's, and squares. */
  function compareCounts(): void {
    clipped.fill(0);
    plain.fill(0);
    referenceNorms.fill(0);
    const { nodes, counts, distinct } = referenceCounts;
    for (let index = 0; index < distinct; index++) {
      const node = nodes[index];
      const order = ngrams.orders[node];
      const weight = counts[node] * ngrams.weights[node];
      referenceNorms[order] += weight * weight;
      const candidateWeight = candidateCounts.counts[node] * ngrams.weights[node];
      clipped[order] += Math.min(candidateWeight, weight) * weight;
      plain[order] += candidateWeight * weight;
    }
  }

  return {
    names: ['CIDEr', 'CIDEr_plain'],
    width: 2,

    statistics({ tokenized }: CaptionedImage, out: Float64Array, offset: number): void {
      ngrams.trie.clear();
      const candidate = ngrams.encode(tokenized.candidate);
      ngrams.count(candidate, candidateCounts);
      addSquares(ngrams, candidateCounts, candidateNorms.fill(0));
      let sum = 0;
      let plainSum = 0;
      for (const text of tokenized.references) {
        const reference = ngrams.encode(text);
        ngrams.count(reference, referenceCounts);
        // The reference's n-grams have new nodes, for which the candidate's count is zero.
        candidateCounts.reserve(ngrams.trie.size);
        compareCounts();
        const penalty = lengthPenalty(candidate.length, reference.length);
        for (let order = 0; order < maximumOrder; order++) {
          const norm = Math.sqrt(candidateNorms[order]) * Math.sqrt(referenceNorms[order]);
          sum += (norm === 0 ? clipped[order] : clipped[order] / norm) * penalty;
          plainSum += norm === 0 ? plain[order] : plain[order] / norm;
        }
      }
      const scale = 10 / (maximumOrder * tokenized.references.length);
      out[offset] = sum * scale;
      out[offset + 1] = plainSum * scale;
    },

    scores: (sums: Float64Array, images: number): number[] => [sums[0] / images, sums[1] / images],
  };
}

/** Adds the squares of the weights of a caption's n-grams to sums by order, and returns these. */
function addSquares(ngrams: WeightedNgrams, counts: NgramCounts, sums: Float64Array): Float64Array {
  for (let index = 0; index < counts.distinct; index++) {
    const node = counts.nodes[index];
    const weight = counts.counts[node] * ngrams.weights[node];
    sums[ngrams.orders[node]] += weight * weight;
  }
  return sums;
}

/** CIDEr-D's factor for captions of so many words: a Gaussian of the difference in bigrams. */
function lengthPenalty(candidate: number, reference: number): number {
  const difference = Math.max(0, candidate - 1) - Math.max(0, reference - 1);
  return Math.exp(-(difference ** 2) / (2 * sigma ** 2));
}

/** Weights of one caption's n-grams by their numbers in the document frequencies; the rest are zero. */
class WeightsByDocument {
  #weights = new Float64Array(1024);
  #places: number[] = [];

  take(ngrams: WeightedNgrams, counts: NgramCounts): void {
    for (let index = 0; index < counts.distinct; index++) {
      const node = counts.nodes[index];
      const place = ngrams.documentNode(node);
      if (place < 0) continue;
      if (place >= this.#weights.length) {
        const larger = new Float64Array(2 * place);
        larger.set(this.#weights);
        this.#weights = larger;
      }
      this.#weights[place] = counts.counts[node] * ngrams.weights[node];
      this.#places.push(place);
    }
  }

  at(place: number): number {
    return place < this.#weights.length ? this.#weights[place] : 0;
  }

  clear(): void {
    for (const place of this.#places) this.#weights[place] = 0;
    this.#places = [];
  }
}

/** References of one image made ready to be compared with many captions. */
export interface PreparedReferences {
  readonly captions: readonly {
    /** Words, and for each n-gram its number in the document frequencies, order - 1, and weight. */
    readonly words: number;
    readonly nodes: Int32Array;
    readonly orders: Uint8Array;
    readonly weights: Float64Array;
    /** Length of the tf-idf vector of each order. */
    readonly norms: Float64Array;
  }[];
}

/** CIDEr-D of single captions, many of them against the same references. */
export interface CiderReward {
  /** @param references after the metrics' tokenizer; they must be among the counted documents */
  prepare(references: readonly string[]): PreparedReferences;
  /** `createCider(frequencies)`'s CIDEr-D of the tokenized candidate. */
  score(candidate: string, references: PreparedReferences): number;
}

/**
 * CIDEr-D as a reward: what concerns the references alone is computed once.
 * @param frequencies with the documents of all references that will be prepared
 */
export function createCiderReward(frequencies: DocumentFrequencies): CiderReward {
  const ngrams = new WeightedNgrams(frequencies);
  const counts = new NgramCounts();
  const found = new WeightsByDocument();
  const count = (text: string): number => {
    ngrams.trie.clear();
    const words = ngrams.encode(text);
    ngrams.count(words, counts);
    return words.length;
  };
  const norms = (): Float64Array =>
    addSquares(ngrams, counts, new Float64Array(maximumOrder)).map(Math.sqrt);

  return {
    prepare: (references) => ({
      captions: references.map((text) => {
        const words = count(text);
        const all = [...counts.nodes.subarray(0, counts.distinct)];
        const nodes = Int32Array.from(all, (node) => ngrams.documentNode(node));
        if (nodes.includes(-1))
          throw new RangeError(`'${text}' is not among the documents that were counted`);
        const orders = Uint8Array.from(all, (node) => ngrams.orders[node]);
        const weights = Float64Array.from(
          all,
          (node) => counts.counts[node] * ngrams.weights[node],
        );
        return { words, nodes, orders, weights, norms: norms() };
      }),
    }),

    score(candidate, references) {
      const length = count(candidate);
      const candidateNorms = norms();
      found.take(ngrams, counts);
      let sum = 0;
      const clipped = new Float64Array(maximumOrder);
      for (const { words, nodes, orders, weights, norms: own } of references.captions) {
        clipped.fill(0);
        for (let i = 0; i < nodes.length; i++) {
          clipped[orders[i]] += Math.min(found.at(nodes[i]), weights[i]) * weights[i];
        }
        const penalty = lengthPenalty(length, words);
        for (let order = 0; order < maximumOrder; order++) {
          const norm = candidateNorms[order] * own[order];
          sum += (norm === 0 ? clipped[order] : clipped[order] / norm) * penalty;
        }
      }
      found.clear();
      return sum * (10 / (maximumOrder * references.captions.length));
    },
  };
}
