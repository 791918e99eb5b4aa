/** How varied a set of captions is: distinct n-grams, vocabulary, length, share of captions not copied. */
import { maximumOrder, NgramTrie, rootNode } from './words/ngrams.ts';
import { WordNumbers } from './words/words.ts';

export interface DiversityResult {
  captions: number;
  /** For n = 1..4: distinct n-grams over all n-grams of the captions (Li et al., 2016); 0 where there are none. */
  distinct: [number, number, number, number];
  /** Number of distinct words. */
  vocabulary: number;
  /** Mean number of words. */
  meanLength: number;
  /** Share of distinct captions among all. */
  unique: number;
  /** Share of captions that are not in the training set; undefined where none was given. */
  novel?: number;
}

/** The result as the registry's row names it: distinct_1 to _4, vocabulary, mean_length, unique, novel. */
export function diversityScores(result: DiversityResult): (number | undefined)[] {
  const { distinct, vocabulary, meanLength, unique, novel } = result;
  return [...distinct, vocabulary, meanLength, unique, novel];
}

/** Gathers the captions of one system, tokenized, and measures their variety. */
export class Diversity {
  readonly #training: ReadonlySet<string> | undefined;
  readonly #vocabulary = new WordNumbers();
  readonly #trie = new NgramTrie();
  readonly #captions = new Set<string>();
  readonly #totals = [0, 0, 0, 0];
  readonly #distinct: [number, number, number, number] = [0, 0, 0, 0];
  #count = 0;
  #novel = 0;

  /** @param training the training set's captions, tokenized as the captions that will be added. */
  constructor(training?: ReadonlySet<string>) {
    this.#training = training;
  }

  /** Adds one caption: words separated by spaces, such as `tokenizeCaptions()` gives. */
  add(tokenized: string): void {
    const words = this.#vocabulary.encode(tokenized);
    for (let start = 0; start < words.length; start++) {
      const orders = Math.min(maximumOrder, words.length - start);
      for (let order = 0, node = rootNode; order < orders; order++) {
        const before = this.#trie.size;
        node = this.#trie.insert(node, words[start + order]);
        if (this.#trie.size > before) this.#distinct[order]++;
      }
    }
    for (let order = 0; order < maximumOrder; order++) {
      this.#totals[order] += Math.max(0, words.length - order);
    }
    this.#captions.add(tokenized);
    this.#count++;
    if (this.#training && !this.#training.has(tokenized)) this.#novel++;
  }

  result(): DiversityResult {
    const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
    const [one, two, three, four] = this.#distinct.map((n, order) => share(n, this.#totals[order]));
    return {
      captions: this.#count,
      distinct: [one, two, three, four],
      vocabulary: this.#distinct[0],
      meanLength: share(this.#totals[0], this.#count),
      unique: share(this.#captions.size, this.#count),
      ...(this.#training && { novel: share(this.#novel, this.#count) }),
    };
  }
}
