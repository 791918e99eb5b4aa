/** Base forms of English words as NLTK's Morphy looks for them, by WordNet's irregular forms and suffix rules. */
import type { MeteorData } from '../meteor/data.ts';

/** NLTK's suffix rules by part of speech: all are tried, and every base form found counts. */
const SUFFIXES: readonly (readonly (readonly [string, string])[])[] = [
  [
    ['s', ''],
    ['ses', 's'],
    ['ves', 'f'],
    ['xes', 'x'],
    ['zes', 'z'],
    ['ches', 'ch'],
    ['shes', 'sh'],
    ['men', 'man'],
    ['ies', 'y'],
  ],
  [
    ['s', ''],
    ['ies', 'y'],
    ['es', 'e'],
    ['es', ''],
    ['ed', 'e'],
    ['ed', ''],
    ['ing', 'e'],
    ['ing', ''],
  ],
  [
    ['er', ''],
    ['est', ''],
    ['er', 'e'],
    ['est', 'e'],
  ],
  [],
];

/**
 * What a word may be a form of; not all are words.
 * @param part part of speech: 0 noun, 1 verb, 2 adjective, 3 adverb
 */
export function baseForms(data: MeteorData, word: string, part: number): readonly string[] {
  const irregular = data.exceptions(word, part);
  if (irregular) return irregular;
  return (SUFFIXES[part] ?? [])
    .filter(([suffix]) => word.endsWith(suffix))
    .map(([suffix, base]) => word.slice(0, word.length - suffix.length) + base);
}
