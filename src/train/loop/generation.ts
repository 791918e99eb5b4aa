/** How captions are written in training: by the run's own settings, whatever the model asks for elsewhere. */
import type { SessionOptions } from '../../engine/runtime/session.ts';
import { Inference } from '../../generation/inference.ts';
import { type GenerationSettings, resolveGeneration } from '../../generation/options.ts';
import type { GenerationOptions } from '../../model/checkpoint/generation-config.ts';
import type { BlipConfig } from '../../model/config.ts';
import type { ParameterStore } from '../../nn/parameter-store.ts';
import type { TrainingGraphs } from '../objective/graphs.ts';

/**
 * The base path over the store's values as they are at each run.
 * @param trainable an average to look into
 * @param concepts whether they are computed (default) or given, as for training images
 */
export function liveInference(
  { images, frames, tokensDtype, adapters }: TrainingGraphs,
  model: BlipConfig,
  store: ParameterStore,
  session: SessionOptions,
  {
    trainable,
    concepts = 'computed',
  }: { readonly trainable?: Float32Array; readonly concepts?: 'computed' | 'given' } = {},
): Promise<Inference> {
  return Inference.live(model, (name) => store.tensor(name, trainable), session, {
    images,
    frames,
    tokensDtype,
    concepts,
    ...(adapters && { adapters }),
  });
}

/** Ids that a model never writes: those suppressed, and the banned sequences of one id. */
export function neverWritten(ofModel: GenerationOptions, end: number): number[] {
  const alone = (ofModel.bad_words_ids ?? []).filter((ids) => ids.length === 1).flat();
  // A model that bans its end would never stop; the rules of generation pass over that too.
  const all = [...(ofModel.suppress_tokens ?? []), ...alone.filter((id) => id !== end)];
  return [...new Set(all)];
}

/**
 * Settings of a validation: as many beams as the run says, and nothing else of the model's
 * generation_config.json than what it must not write. Penalties, sampling and least lengths would move the
 * scores of a run for a reason that no setting of it tells.
 */
export function validationSettings(
  ofModel: GenerationOptions,
  maxLength: number,
  beams: number,
): GenerationSettings {
  const { suppress_tokens, bad_words_ids, begin_suppress_tokens } = ofModel;
  return resolveGeneration(
    {
      suppress_tokens,
      bad_words_ids,
      begin_suppress_tokens,
      max_length: maxLength,
      num_beams: beams,
    },
    {},
  );
}

/**
 * Settings of drawn captions and of their greedy baseline: the model's own distribution but for the ids that it
 * never writes, of which its likelihood in training has none either (`DrawnFrom`).
 */
export function samplingSettings(
  suppressed: readonly number[],
  maxLength: number,
): GenerationSettings {
  return resolveGeneration(
    { suppress_tokens: [...suppressed], max_length: maxLength, num_beams: 1 },
    {},
  );
}

/**
 * What a trained model's generation_config.json says: lengths and beams of the run, and of the model that it
 * started from what still goes with them.
 */
export function savedGeneration(
  ofModel: GenerationOptions,
  maxLength: number,
  beams: number,
): GenerationOptions {
  const {
    max_new_tokens: _,
    min_length: least = 0,
    num_return_sequences: returned = 1,
    ...rest
  } = ofModel;
  const most = ofModel.do_sample === true && beams === 1 ? returned : beams;
  return {
    ...rest,
    ...(least > 0 && least < maxLength && { min_length: least }),
    ...(returned > 1 && returned <= most && { num_return_sequences: returned }),
    max_length: maxLength,
    num_beams: beams,
  };
}
