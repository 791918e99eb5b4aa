/** What a checkpoint is when it is no captioner, told from its config.json or the names of its tensors. */
import { InputError } from '../../base/errors.ts';

const wayOut =
  'use a captioning checkpoint (BlipForConditionalGeneration), such as Salesforce/blip-image-captioning-base';

/** @throws InputError when a config.json is that of another family of models */
export function refuseOtherFamily(
  configJson: Readonly<Record<string, unknown>>,
  configPath: string,
): void {
  const { model_type: family } = configJson;
  const fields = Object.keys(configJson);
  if (typeof family === 'string' && family !== 'blip')
    throw new InputError(
      `${configPath}: model_type is ${JSON.stringify(family)}, another family of models than BLIP; ${wayOut}.`,
    );
  const known = ['model_type', 'vision_config', 'text_config', 'architectures'];
  if (fields.length > 0 && !fields.some((name) => known.includes(name)))
    throw new InputError(
      `${configPath}: this is not the config of a BLIP captioner: it has neither model_type nor vision_config nor text_config; ${wayOut}.`,
    );
}

/**
 * The sentence for tensors that are those of something else than a captioner.
 * @param names plain names, in either layout
 * @returns undefined when they may be a captioner's
 */
export function describeOtherFamily(names: readonly string[]): string | undefined {
  const some = (pattern: RegExp) => names.some((name) => pattern.test(name));
  const decoder = some(/^text_decoder\./);
  if (some(/\.lora_(A|B|embedding_A)\b/))
    return "it holds LoRA layers that are not merged; give the adapter's own folder (with adapter_config.json), or merge them in Python with merge_and_unload()";
  if (some(/^(qformer|Qformer|language_model|query_tokens)\b/))
    return `these are weights of BLIP-2 or InstructBLIP, another architecture; ${wayOut}`;
  if (some(/^text_encoder\./) && decoder && some(/^(itm_head|vision_proj|visual_encoder_m)\b/))
    return `this is BLIP before any task (the pretraining checkpoint, with text_encoder and momentum copies), not a captioner; ${wayOut}`;
  if (some(/^text_encoder\./) && decoder)
    return `these are weights of BLIP for question answering (VQA: text_encoder and text_decoder), not of a captioner; ${wayOut}`;
  if (some(/^(text_encoder|itm_head|text_proj|vision_proj)\b/) && !decoder)
    return `these are weights of BLIP for image-text matching (ITM: no text_decoder), not of a captioner; ${wayOut}`;
  if (some(/^(text_model|text_projection|visual_projection|logit_scale)\b/) && !decoder)
    return `these are weights of an image-text encoder (as CLIP's, without a text_decoder), not of a captioner; ${wayOut}`;
  if (!decoder && some(/^(vision_model|visual_encoder)\./))
    return 'this is a vision tower alone, without a text_decoder; refcap train --tower starts a captioner from one';
  if (!decoder && names.length > 0)
    return `none of its ${names.length} tensors is named as in BLIP (the first: ${names.slice(0, 3).join(', ')}); ${wayOut}`;
  return undefined;
}
