/** Concepts: names of things that a picture is likely to show, given to the decoder beside the image tokens. */
import * as z from 'zod';

const count = z.int().nonnegative();
/** Up to two words of the vocabulary that name a thing, such as `hot` and `dog`. */
const name = z.array(count).min(1).max(2);

/**
 * `concept_config` of a config.json. A classifier over the pooled image tokens says which of its classes a
 * picture shows, classes that people call alike counting as one name; a second linear layer says which words
 * its captions hold. The likeliest of both become tokens.
 */
export const conceptSchema = z
  .object({
    /** Tokens for the likeliest names of classes, and for the likeliest predicted words. */
    class_tokens: count.default(5),
    word_tokens: count.default(10),
    /** For each class of the classifier, the place of its name in `class_names`. */
    class_groups: z.array(count).default([]),
    /** Ids of the words of each name. */
    class_names: z.array(name).default([]),
    /** Places in `class_names` of names whose second word is what the first is a kind of: `espresso coffee`. */
    class_kinds: z.array(count).default([]),
    /** Ids of the words that the second layer predicts. */
    words: z.array(count).default([]),
  })
  .readonly();

export type ConceptConfig = z.infer<typeof conceptSchema>;

/** Two fields that do not fit each other or the vocabulary, in words. */
export function conceptFault(config: ConceptConfig, vocabulary: number): string | undefined {
  const { class_groups: groups, class_names: names, words } = config;
  if (config.class_tokens > names.length)
    return `concept_config.class_tokens (${config.class_tokens}) is more than the ${names.length} names in class_names`;
  if (config.word_tokens > words.length)
    return `concept_config.word_tokens (${config.word_tokens}) is more than the ${words.length} words`;
  if (config.class_tokens + config.word_tokens === 0)
    return 'concept_config.class_tokens and word_tokens are both 0: there would be no concepts';
  if (groups.length === 0 && names.length > 0)
    return 'concept_config.class_names has names, but class_groups is empty';
  const group = groups.find((at) => at >= names.length);
  if (group !== undefined)
    return `concept_config.class_groups holds ${group}, past the ${names.length} names in class_names`;
  const unused = names.findIndex((_, at) => !groups.includes(at));
  if (unused >= 0) return `concept_config.class_names: no class has name ${unused}`;
  const kind = config.class_kinds.find((at) => names[at]?.length !== 2);
  if (kind !== undefined)
    return `concept_config.class_kinds holds ${kind}, which is no name of two words in class_names`;
  const outside = [...names.flat(), ...words].find((id) => id >= vocabulary);
  if (outside !== undefined)
    return `concept_config speaks of word ${outside}, outside text_config.vocab_size (${vocabulary})`;
  return undefined;
}

/** Tokens that concepts add to an image's. */
export function conceptTokenCount(config: ConceptConfig | undefined): number {
  return config ? config.class_tokens + config.word_tokens : 0;
}
