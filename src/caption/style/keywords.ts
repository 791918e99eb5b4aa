/** Keywords of a picture: nouns on which several captions of it agree. */
import nlp from 'compromise';
import * as z from 'zod';

/** Words that say how things stand, not what is there. */
const empty = new Set(
  'air background bunch couple front group image kind lot middle pair photo picture side top view'.split(
    ' ',
  ),
);

const tagged = z.array(
  z.object({ terms: z.array(z.object({ normal: z.string(), tags: z.array(z.string()) })) }),
);

const others = ['Pronoun', 'Possessive', 'Value'];

/**
 * The nouns that most captions have, at most `count`; each is in a third of the captions at least, and in two.
 * Singular and plural are one noun, written as most captions have it. Among equals the one first written goes first.
 * @param captions of one picture; each counts once a noun
 */
export function agreedNouns(captions: readonly string[], count: number): string[] {
  const nouns = new Map<string, { uses: number; forms: Map<string, number> }>();
  for (const caption of captions)
    for (const [key, form] of nounsOf(caption)) {
      const noun = nouns.get(key) ?? { uses: 0, forms: new Map<string, number>() };
      noun.uses += 1;
      noun.forms.set(form, (noun.forms.get(form) ?? 0) + 1);
      nouns.set(key, noun);
    }
  const fewest = Math.max(2, Math.ceil(captions.length / 3));
  return [...nouns.values()]
    .filter(({ uses }) => uses >= fewest)
    .sort((a, b) => b.uses - a.uses)
    .slice(0, count)
    .map(({ forms }) => [...forms].reduce((best, each) => (each[1] > best[1] ? each : best))[0]);
}

/** The nouns of a caption: each in the singular, and as it is written there. */
function nounsOf(caption: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const { terms } of tagged.parse(nlp(caption).json()))
    for (const { normal, tags } of terms) {
      if (!tags.includes('Noun') || tags.some((tag) => others.includes(tag))) continue;
      const singular = singularOf(normal);
      if (!empty.has(singular) && !found.has(singular)) found.set(singular, normal);
    }
  return found;
}

const singulars = new Map<string, string>();

function singularOf(word: string): string {
  const known = singulars.get(word);
  if (known !== undefined) return known;
  const noun = nlp(word);
  noun.tag('Noun');
  const text = noun.nouns().toSingular().text();
  const singular = text === '' ? word : text;
  singulars.set(word, singular);
  return singular;
}
