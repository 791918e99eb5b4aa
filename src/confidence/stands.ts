/** Whether a noun stands in what people wrote of a picture: by its lemma, or by a word that WordNet calls the same. Pure. */
import type { MeteorData } from '../metrics/meteor/data.ts';
import { baseForms } from '../metrics/words/base-forms.ts';

const noun = 0;

/** Answers for the references of many pictures; what was found out about a word is kept. */
export class NounMatcher {
  readonly #wordNet: MeteorData;
  readonly #known = new Map<string, NounForms>();

  constructor(wordNet: MeteorData) {
    this.#wordNet = wordNet;
  }

  /**
   * Whether any reference has the noun, in the singular or the plural, or a word that shares one of its noun synsets.
   * A broader or narrower word (person for man) is another word.
   */
  stands(word: string, references: readonly string[]): boolean {
    const own = this.#formsOf(word);
    return references.some((text) =>
      wordsOf(text).some((other) => other === word || isSame(own, this.#formsOf(other))),
    );
  }

  #formsOf(word: string): NounForms {
    const known = this.#known.get(word);
    if (known) return known;
    const data = this.#wordNet;
    const lemmas = [word, ...baseForms(data, word, noun)];
    const synsets = lemmas
      .flatMap((lemma) => data.senses(lemma))
      .filter((synset) => data.partOfSpeech(synset) === noun);
    const forms = { lemmas: new Set(lemmas), synsets: new Set(synsets) };
    this.#known.set(word, forms);
    return forms;
  }
}

interface NounForms {
  readonly lemmas: ReadonlySet<string>;
  readonly synsets: ReadonlySet<number>;
}

function isSame(a: NounForms, b: NounForms): boolean {
  return intersects(a.lemmas, b.lemmas) || intersects(a.synsets, b.synsets);
}

function intersects<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  for (const item of a) if (b.has(item)) return true;
  return false;
}

/** Lower-case words of letters and digits. */
function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}
