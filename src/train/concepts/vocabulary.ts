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

/**
 * The concepts of a fresh decoder: each class gets the first of its names, of at most two words, that the captions
 * use at least `minNameCount` times; classes of the same name count as one.
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
  const places = new Map<string, number>();
  const names: [number, number?][] = [];
  const groups = classes.map((candidates) => {
    const fitting = candidates.find(
      (name) => (uses.get(name) ?? 0) >= sizes.minNameCount && idsOf(name, idOf) !== undefined,
    );
    // What nobody speaks of still needs a name: the last is the most general.
    const name = fitting ?? '';
    const known = places.get(name);
    if (known !== undefined) return known;
    const place = names.length;
    places.set(name, place);
    const [first, second] = idsOf(name, idOf) ?? [tokenizer.ids.unknown];
    names.push(second === undefined ? [first] : [first, second]);
    return place;
  });
  const words = predictedWords(captions.pictures, idOf, sizes.words);
  return {
    class_tokens: Math.min(sizes.classTokens, names.length),
    word_tokens: Math.min(sizes.wordTokens, words.length),
    class_groups: groups,
    class_names: names.map(([first, second]) => (second === undefined ? [first] : [first, second])),
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

function idsOf(
  name: string,
  idOf: (word: string) => number | undefined,
): [number, number?] | undefined {
  const words = name.split(' ');
  const ids = words.flatMap((word) => idOf(word) ?? []);
  if (ids.length !== words.length || ids.length > 2) return undefined;
  return [ids[0], ids[1]];
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
