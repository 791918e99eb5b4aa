/** A user's names of things, as a model knows them. Pure. */
import type { TextTokenizer } from '../../data/text/tokenizer.ts';
import type { SeenConcept } from '../../generation/context.ts';
import type { AllowedConcepts } from '../../model/concepts/concepts.ts';
import type { ConceptConfig } from '../../model/concepts/config.ts';

/** How probable it is, by name, that a picture shows it. */
export type ConceptScoresByName = Readonly<Record<string, number>>;

/** The ids of a name of one or two words; undefined where the vocabulary lacks one, or there are more. */
export function nameIds(name: string, tokenizer: TextTokenizer): readonly number[] | undefined {
  const words = normalName(name).split(' ');
  const ids = words.map((word) => tokenizer.encode(word, { specialTokens: false }));
  if (words.length > 2 || words[0] === '') return undefined;
  const isKnown = ids.every((own) => own.length === 1 && own[0] !== tokenizer.ids.unknown);
  return isKnown ? ids.flat() : undefined;
}

/** In lower case, with one space between words. */
export function normalName(name: string): string {
  return name.toLowerCase().trim().replace(/\s+/g, ' ');
}

/** The places of names among those that the model itself scores, and the names that it does not. */
export function allowedConcepts(
  { class_names, class_kinds, words }: ConceptConfig,
  tokenizer: TextTokenizer,
  names: readonly string[],
): { readonly allowed: AllowedConcepts; readonly unknown: readonly string[] } {
  const isKind = new Set(class_kinds);
  const namesAt = new Map<string, number[]>();
  const add = (key: string, at: number) => {
    const known = namesAt.get(key);
    if (known) known.push(at);
    else namesAt.set(key, [at]);
  };
  // A name with its kind, such as `espresso coffee`, may appear where either word may.
  for (const [at, ids] of class_names.entries())
    if (isKind.has(at)) for (const id of ids) add(String(id), at);
    else add(ids.join(' '), at);
  const wordAt = new Map(words.map((id, i) => [String(id), i]));
  const allowed = { names: new Set<number>(), words: new Set<number>() };
  const unknown: string[] = [];
  for (const name of names) {
    const key = nameIds(name, tokenizer)?.join(' ') ?? '';
    const [asNames, asWord] = [namesAt.get(key) ?? [], wordAt.get(key)];
    for (const at of asNames) allowed.names.add(at);
    if (asWord !== undefined) allowed.words.add(asWord);
    if (asNames.length === 0 && asWord === undefined) unknown.push(name);
  }
  return { allowed: { names: [...allowed.names], words: [...allowed.words] }, unknown };
}

/** Scores by name as ids; names that the vocabulary does not have are left out. */
export function scoredConcepts(
  tokenizer: TextTokenizer,
  scores: ConceptScoresByName,
): SeenConcept[] {
  return Object.entries(scores).flatMap(([name, probability]) => {
    const words = nameIds(name, tokenizer);
    return words ? [{ words, probability }] : [];
  });
}
