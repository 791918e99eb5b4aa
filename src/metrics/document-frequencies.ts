/** In how many images' references each n-gram occurs: what CIDEr weighs n-grams by. */
import { enlarged, maximumOrder, NgramTrie, rootNode } from './words/ngrams.ts';
import { splitWords, WordNumbers } from './words/words.ts';

/** Document frequencies as plain data that a worker can be sent: n-gram i extends n-gram prefix[i] by a word. */
export interface DocumentFrequencyTable {
  documents: number;
  /** The words by number. */
  words: string[];
  /** For n-gram i + 1 (the empty one is 0): the n-gram without its last word, that word, and the frequency. */
  prefix: Int32Array;
  word: Int32Array;
  count: Int32Array;
}

/** Document frequencies as a file holds them: n-grams of 1 to 4 words joined by spaces. */
export interface DocumentFrequencyFile {
  documents: number;
  frequencies: Record<string, number>;
}

/** Counts in how many documents each n-gram (n = 1..4) occurs; one image's references are one document. */
export class DocumentFrequencies {
  /** Number of documents counted. */
  documents = 0;
  readonly #vocabulary = new WordNumbers();
  readonly #trie = new NgramTrie();
  #counts = new Int32Array(1024);
  /** The document that last counted a node, so that each counts it once. */
  #counted = new Int32Array(1024);

  /** Counts the references of one image, as tokenized text. */
  add(references: readonly string[]): void {
    this.documents++;
    for (const text of references) {
      const words = this.#vocabulary.encode(text);
      for (let start = 0; start < words.length; start++) {
        const orders = Math.min(maximumOrder, words.length - start);
        for (let order = 0, node = rootNode; order < orders; order++) {
          node = this.#trie.insert(node, words[start + order]);
          if (node >= this.#counts.length) this.#reserve(node + 1);
          if (this.#counted[node] !== this.documents) {
            this.#counted[node] = this.documents;
            this.#counts[node]++;
          }
        }
      }
    }
  }

  /** Adds counts made elsewhere, over other documents. */
  merge(table: DocumentFrequencyTable): void {
    const words = table.words.map((word) => this.#vocabulary.id(word));
    const nodes = new Int32Array(table.count.length + 1);
    this.#reserve(this.#trie.size + nodes.length);
    for (let index = 0; index < table.count.length; index++) {
      const node = this.#trie.insert(nodes[table.prefix[index]], words[table.word[index]]);
      nodes[index + 1] = node;
      this.#counts[node] += table.count[index];
    }
    this.documents += table.documents;
    // Nodes counted by documents of a like number elsewhere must count again here.
    this.#counted.fill(0);
  }

  /** The counts as plain data; the arrays are copies. */
  table(): DocumentFrequencyTable {
    const size = this.#trie.size;
    this.#reserve(size);
    return {
      documents: this.documents,
      words: [...this.#vocabulary.words()],
      prefix: this.#trie.prefixes.slice(1, size),
      word: this.#trie.words.slice(1, size),
      count: this.#counts.slice(1, size),
    };
  }

  static fromTable(table: DocumentFrequencyTable): DocumentFrequencies {
    const frequencies = new DocumentFrequencies();
    frequencies.merge(table);
    return frequencies;
  }

  /** For `JSON.stringify`. */
  toJSON(): DocumentFrequencyFile {
    const words = this.#vocabulary.words();
    const texts = [''];
    const frequencies: Record<string, number> = {};
    for (let node = 1; node < this.#trie.size; node++) {
      const prefix = this.#trie.prefixes[node];
      const word = words[this.#trie.words[node]];
      const text = prefix === rootNode ? word : `${texts[prefix]} ${word}`;
      texts.push(text);
      if (this.#counts[node] > 0) frequencies[text] = this.#counts[node];
    }
    return { documents: this.documents, frequencies };
  }

  /** @throws {RangeError} where a field is not a count, naming it. */
  static fromJSON({ documents, frequencies }: DocumentFrequencyFile): DocumentFrequencies {
    const result = new DocumentFrequencies();
    result.documents = checkedCount(documents, 'documents', 1);
    for (const [text, count] of Object.entries(frequencies)) {
      let node = rootNode;
      for (const word of splitWords(text)) {
        node = result.#trie.insert(node, result.#vocabulary.id(word));
      }
      result.#reserve(result.#trie.size);
      result.#counts[node] = checkedCount(count, `frequencies[${JSON.stringify(text)}]`, 0);
    }
    return result;
  }

  /** The number of a word, for `child()`; -1 for a word of no document. */
  word(word: string): number {
    return this.#vocabulary.find(word);
  }

  /** The n-gram `node` extended by a word, as a number, or -1 if no document has it. The empty n-gram is 0. */
  child(node: number, word: number): number {
    return node < 0 || word < 0 ? -1 : this.#trie.find(node, word);
  }

  /** In how many documents an n-gram of `child()` occurs; 0 for -1. */
  count(node: number): number {
    return node < 0 ? 0 : this.#counts[node];
  }

  #reserve(size: number): void {
    if (size <= this.#counts.length) return;
    this.#counts = enlarged(this.#counts, size * 2);
    this.#counted = enlarged(this.#counted, size * 2);
  }
}

function checkedCount(value: unknown, name: string, least: number): number {
  if (
    typeof value !== 'number' ||
    !Number.isInteger(value) ||
    value < least ||
    value > 2 ** 31 - 1
  ) {
    throw new RangeError(`${name} must be a whole number of at least ${least}`);
  }
  return value;
}

/**
 * The table without n-grams of a single document, which weigh as much as unknown ones: most of a
 * corpus' n-grams need not travel to the workers.
 */
export function withoutSingles(table: DocumentFrequencyTable): DocumentFrequencyTable {
  const { documents, words, prefix, word, count } = table;
  const kept = new Int32Array(count.length + 1);
  const indices: number[] = [];
  // A prefix stands before what extends it: backwards, so that no kept n-gram loses its prefix.
  const needed = new Uint8Array(count.length + 1);
  for (let i = count.length - 1; i >= 0; i--) {
    if (count[i] > 1) needed[i + 1] = 1;
    if (needed[i + 1]) needed[prefix[i]] = 1;
  }
  for (let i = 0; i < count.length; i++) {
    if (needed[i + 1] === 0) continue;
    indices.push(i);
    kept[i + 1] = indices.length;
  }
  return {
    documents,
    words,
    prefix: Int32Array.from(indices, (i) => kept[prefix[i]]),
    word: Int32Array.from(indices, (i) => word[i]),
    count: Int32Array.from(indices, (i) => count[i]),
  };
}
