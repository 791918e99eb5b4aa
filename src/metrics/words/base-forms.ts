/** Base forms of English words as NLTK's Morphy looks for them, by WordNet's irregular forms and suffix rules. */
import type { MeteorData } from '../meteor/data.ts';
import { detached, detachmentRules } from './detachment.ts';

/**
 * What a word may be a form of; not all are words.
 * @param part part of speech: 0 noun, 1 verb, 2 adjective, 3 adverb
 */
export function baseForms(data: MeteorData, word: string, part: number): readonly string[] {
  const irregular = data.exceptions(word, part);
  if (irregular) return irregular;
  // All are tried, and every base form found counts.
  return detached(word, detachmentRules[part] ?? []);
}
