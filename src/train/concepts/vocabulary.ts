/** Which things concepts can name, chosen by what the training captions speak of. Pure. */
import type { TextTokenizer } from '../../data/text/tokenizer.ts';
import type { ConceptConfig } from '../../model/concepts/config.ts';

/** What a classifier over a tower's features tells apart. */
export interface ClassNames {
  /** For each class what it may be called, from the particular to the general: 'chickadee', 'bird'. */
  readonly classes: readonly (readonly string[])[];
}

export interface ConceptSizes {
  readonly classTokens: number;
  readonly wordTokens: number;
  /** How many words the second layer predicts. */
  readonly words: number;
  /** Uses in the captions from which a name counts as one that people use. */
  readonly minNameCount: number;
}

/** English words that name nothing to be seen; the commonest of captions. */
const functionWords = new Set(
  `a an the this that these those it its he she they them his her their him who which what there here
  is are was be been being has have having do does doing can could will would may
  and or but if as while when where that than then so not no
  of in on at to by for from with without into onto over under above below behind beside between
  through across along around near next up down out off away about against among upon inside outside
  some any each other another both all many several few more most very just also too only
  one's s t ' - & / it's there's`.split(/\s+/),
);

/**
 * The words that the second layer predicts: the commonest of the captions (each caption counts once), without
 * function words and what is no word, that the vocabulary has whole.
 */
export function predictedWords(
  captions: readonly (readonly string[])[],
  idOf: (word: string) => number | undefined,
  count: number,
): number[] {
  const uses = new Map<string, number>();
  for (const words of captions)
    for (const word of new Set(words)) uses.set(word, (uses.get(word) ?? 0) + 1);
  return [...uses]
    .filter(([word]) => !functionWords.has(word) && /^\p{L}{2,}$/u.test(word))
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .flatMap(([word]) => idOf(word) ?? [])
    .slice(0, count);
}

/** Names of WordNet's that captions use for other things than it does: the toy dog, the woodwind, the bird of night. */
const otherSenses = new Set(
  `arm cell center cover craft feeder gear home machine monitor night off outfit patch person ride someone stick toy up
  wind wood`.split(/\s+/),
);

/**
 * The concepts of a fresh decoder: each class gets the first of its names, of at most two words, that the captions
 * use at least `minNameCount` times, and beside it what it is a kind of, where people rather say that; classes of the
 * same name count as one.
 * @param captions words of each: of pictures, from which the predicted words are learned, and of texts alone
 */
export function conceptConfig(
  { classes }: ClassNames,
  captions: {
    readonly pictures: readonly (readonly string[])[];
    readonly alone: readonly (readonly string[])[];
  },
  tokenizer: TextTokenizer,
  sizes: ConceptSizes,
): ConceptConfig {
  const idOf = wholeWords(tokenizer);
  const uses = phraseCounts([...captions.pictures, ...captions.alone]);
  const kinds = new KindNames(classes, (name) => uses.get(name) ?? 0);
  const places = new Map<string, number>();
  const names: number[][] = [];
  const classKinds: number[] = [];
  const groups = classes.map((candidates) => {
    const fitting = candidates.find(
      (name) => (uses.get(name) ?? 0) >= sizes.minNameCount && idsOf(name, idOf) !== undefined,
    );
    // What nobody speaks of still needs a name.
    const { name, kind } = fitting === undefined ? { name: '' } : kinds.named(candidates, fitting);
    const key = kind === undefined ? name : `${name}, a ${kind}`;
    const known = places.get(key);
    if (known !== undefined) return known;
    const place = names.length;
    places.set(key, place);
    if (kind !== undefined) classKinds.push(place);
    const ids = [name, ...(kind === undefined ? [] : [kind])].map((part) => idsOf(part, idOf));
    names.push(ids.flatMap((own) => own ?? [tokenizer.ids.unknown]));
    return place;
  });
  const words = predictedWords(captions.pictures, idOf, sizes.words);
  return {
    class_tokens: Math.min(sizes.classTokens, names.length),
    word_tokens: Math.min(sizes.wordTokens, words.length),
    class_groups: groups,
    class_names: names,
    class_kinds: classKinds,
    words,
  };
}

/** A word's id, if the vocabulary has it as one token. */
export function wholeWords(tokenizer: TextTokenizer): (word: string) => number | undefined {
  return (word) => {
    const ids = tokenizer.encode(word, { specialTokens: false });
    return ids.length === 1 && ids[0] !== tokenizer.ids.unknown ? ids[0] : undefined;
  };
}

function idsOf(name: string, idOf: (word: string) => number | undefined): number[] | undefined {
  const words = name.split(' ');
  const ids = words.flatMap((word) => idOf(word) ?? []);
  return ids.length === words.length && ids.length <= 2 ? ids : undefined;
}

/** Finds what people call the kind of thing that a class is one of. */
class KindNames {
  readonly #covered = new Map<string, number>();
  readonly #classes: number;
  readonly #uses: (name: string) => number;

  constructor(classes: readonly (readonly string[])[], uses: (name: string) => number) {
    this.#classes = classes.length;
    this.#uses = uses;
    for (const names of classes)
      for (const name of new Set(names))
        this.#covered.set(name, (this.#covered.get(name) ?? 0) + 1);
  }

  /**
   * A class under its own name: alone, or with its kind. A name of two words that people hardly use gives way to the
   * kind: a golden retriever is a dog.
   */
  named(candidates: readonly string[], name: string): { name: string; kind?: string } {
    const kind = this.#kindOf(candidates, name);
    if (kind === undefined) return { name };
    if (!name.includes(' ')) return { name, kind };
    return { name: this.#uses(kind) >= 50 * this.#uses(name) ? kind : name };
  }

  /**
   * The more general name that people use most for each class that it covers; it must be used five times as often as
   * the name, and say something: what covers a seventh of all classes does not.
   */
  #kindOf(candidates: readonly string[], name: string): string | undefined {
    const share = (of: string) => this.#uses(of) / (this.#covered.get(of) ?? 1);
    let best: string | undefined;
    for (const kind of candidates.slice(candidates.indexOf(name) + 1)) {
      if (kind.includes(' ') || otherSenses.has(kind) || this.#isHead(candidates, kind)) continue;
      if (this.#uses(kind) < 5 * this.#uses(name)) continue;
      if ((this.#covered.get(kind) ?? 0) * 7 > this.#classes) continue;
      if (share(kind) > (best === undefined ? 2 * share(name) : share(best))) best = kind;
    }
    return best;
  }

  /** Whether a name is there as the last word of the one before: `garden truck, truck` for a cabbage. */
  #isHead(candidates: readonly string[], name: string): boolean {
    const at = candidates.indexOf(name);
    return at > 2 && candidates[at - 1].endsWith(` ${name}`);
  }
}

/** In how many captions each word and each pair of neighbours stands. */
function phraseCounts(captions: readonly (readonly string[])[]): Map<string, number> {
  const uses = new Map<string, number>();
  for (const words of captions) {
    const pairs = words.slice(1).map((word, i) => `${words[i]} ${word}`);
    for (const phrase of new Set([...words, ...pairs]))
      uses.set(phrase, (uses.get(phrase) ?? 0) + 1);
  }
  return uses;
}
