/** Caption metrics equal to the reference programs: pure functions on strings, for Node.js and browsers alike. */
export { createBleu } from './bleu.ts';
export { bootstrapIntervals, compareSystems } from './bootstrap.ts';
export {
  type CiderReward,
  createCider,
  createCiderReward,
  type PreparedReferences,
} from './cider.ts';
export { Diversity, type DiversityResult } from './diversity.ts';
export {
  DocumentFrequencies,
  type DocumentFrequencyFile,
  type DocumentFrequencyTable,
} from './document-frequencies.ts';
export {
  createMeteor,
  createMeteorMetric,
  decodeMeteorData,
  type Meteor,
  type MeteorData,
  type ParaphraseTable,
  parseParaphraseTable,
} from './meteor/meteor.ts';
export { createNltkMeteor, createNltkMeteorMetric } from './meteor/nltk.ts';
export {
  bestRouge,
  createRouge,
  type RougeOptions,
  type RougeScore,
  RougeScorer,
  type RougeType,
  rougeTypes,
} from './rouge.ts';
export { createRougeL } from './rouge-l.ts';
export { createSacreBleu, type SacreBleuResult, sacreBleuFrom, tokenize13a } from './sacrebleu.ts';
export { ptbTokens, tokenizeCaption, tokenizeCaptionBefore } from './tokenizer/tokenizer.ts';
export type { CaptionedImage, Metric } from './types.ts';
