/** `refcap/generation`: from images to ids, by greedy search, sampling or beams, over one model or several. */
export type { GenerationContext, Sequence } from './context.ts';
export { generate, longestLength } from './generate.ts';
export {
  type Decoder,
  type EncodedImages,
  Inference,
  type StepScores,
} from './inference.ts';
export { Ensemble } from './members.ts';
export type { InferenceOptions, ReadableWeights } from './open-graph.ts';
export { type GenerationSettings, generationDefaults, resolveGeneration } from './options.ts';
