/** Makes a small vocabulary for a small model from its training captions. */
import { writeFileAtomic } from '../../base/files.ts';
import { tokenizerFromVocabulary } from './tokenizer.ts';
import { specialTokens } from './wordpiece.ts';

export interface VocabularyOptions {
  /** Tokens of a vocab.txt to choose from, such as BERT's; left out: whole words only. */
  readonly base?: readonly string[];
  /** How often a token must occur in the captions. Default 5. */
  readonly minCount?: number;
  /** Add frequent words that `base` holds only in pieces. Default false. */
  readonly addWords?: boolean;
}

export interface Vocabulary {
  /** The lines of vocab.txt: [PAD], [UNK], [CLS], [SEP], then tokens of the base in its order, then words. */
  readonly tokens: readonly string[];
  /** Words and marks of the captions, repetitions counted. */
  readonly words: number;
  /** Of these, how many become [UNK]. */
  readonly unknown: number;
}

const reserved: readonly string[] = [
  specialTokens.pad,
  specialTokens.unknown,
  specialTokens.cls,
  specialTokens.sep,
];

/**
 * Chooses the tokens that occur at least `minCount` times in `captions`. With a base vocabulary the
 * chosen tokens segment words by greedy longest match again: a word that lost its own token is spelt
 * by the pieces that are left, and is [UNK] where they do not suffice. As that takes uses away from
 * other pieces, choosing is repeated until nothing changes. The order of captions does not matter.
 */
export function makeVocabulary(
  captions: Iterable<string>,
  options: VocabularyOptions = {},
): Vocabulary {
  return chooseTokens(countWords(captions), options);
}

/** The same of words and marks with how often they occur. */
export function chooseTokens(
  words: ReadonlyMap<string, number>,
  { base, minCount = 5, addWords = false }: VocabularyOptions = {},
): Vocabulary {
  const frequent = [...words]
    .filter(([word, count]) => count >= minCount && !reserved.includes(word))
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .map(([word]) => word);
  const known = new Set(base);
  const added = base && !addWords ? [] : frequent.filter((word) => !known.has(word));
  let kept = new Set([...(base ?? []), ...added]);
  for (;;) {
    const uses = countUses(words, kept);
    const used = new Set([...kept].filter((token) => (uses.get(token) ?? 0) >= minCount));
    if (used.size === kept.size) break;
    kept = used;
  }
  for (const token of Object.values(specialTokens)) kept.delete(token);
  const tokens = [...reserved, ...kept];
  let total = 0;
  let unknown = 0;
  for (const [word, count] of words) {
    total += count;
    if (segment(word, kept) === undefined) unknown += count;
  }
  return { tokens, words: total, unknown };
}

/** Writes `tokens` as a vocab.txt, whole or not at all. */
export async function writeVocabulary(path: string, tokens: readonly string[]): Promise<void> {
  await writeFileAtomic(path, `${tokens.join('\n')}\n`);
}

/** How often each word and mark occurs, as the tokenizer tells them apart, added to `words`. */
export function countWords(
  captions: Iterable<string>,
  words: Map<string, number> = new Map(),
): Map<string, number> {
  // How text falls into words does not depend on the vocabulary.
  const tokenizer = tokenizerFromVocabulary(reserved);
  for (const caption of captions)
    for (const word of tokenizer.words(caption)) words.set(word, (words.get(word) ?? 0) + 1);
  return words;
}

function countUses(
  words: ReadonlyMap<string, number>,
  kept: ReadonlySet<string>,
): Map<string, number> {
  const uses = new Map<string, number>();
  for (const [word, count] of words)
    for (const piece of segment(word, kept) ?? []) uses.set(piece, (uses.get(piece) ?? 0) + count);
  return uses;
}

/** WordPiece's greedy longest match; undefined where it fails, or beyond 100 characters. */
function segment(word: string, kept: ReadonlySet<string>): string[] | undefined {
  if (kept.has(word)) return [word];
  const characters = [...word];
  if (characters.length > 100) return undefined;
  const pieces: string[] = [];
  for (let start = 0; start < characters.length; ) {
    let end = characters.length;
    const spell = () => (start > 0 ? '##' : '') + characters.slice(start, end).join('');
    while (end > start && !kept.has(spell())) end--;
    if (end === start) return undefined;
    pieces.push(spell());
    start = end;
  }
  return pieces;
}
