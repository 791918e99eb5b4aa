/** WordNet's detachment rules (morphy(7WN)): what an inflected word may end in, and what its base form has in that place. */

export type DetachmentRule = readonly [suffix: string, replacement: string];

/** For nouns, verbs, adjectives and adverbs. */
export const detachmentRules: readonly (readonly DetachmentRule[])[] = [
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

/** What a word may be a form of by some rules, in their order, whether there is such a word or not. */
export function detached(word: string, rules: readonly DetachmentRule[]): string[] {
  return rules
    .filter(([suffix]) => word.endsWith(suffix))
    .map(([suffix, replacement]) => word.slice(0, word.length - suffix.length) + replacement);
}
