/** Caption metrics equal to the reference programs: pure functions on strings, for Node.js and browsers alike. */
export { createBleu } from './bleu.ts';
export {
  type BootstrapOptions,
  bootstrapIntervals,
  compareSystems,
  type Difference,
  type Interval,
  type StatisticsTable,
} from './bootstrap.ts';
export {
  type CiderReward,
  createCider,
  createCiderReward,
  type PreparedReferences,
} from './cider.ts';
export {
  type ScoreOptions,
  type SystemScores,
  scoreCorpus,
  scoreSystems,
} from './corpus/score.ts';
export type { ScoreRunner } from './corpus/statistics.ts';
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
export { defaultMetrics, type MetricName, metricNames, scoreHeading } from './registry.ts';
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
export { captionTokenizer } from './tokenizer/tokenizer.ts';
export type { CaptionedImage, Metric } from './types.ts';
