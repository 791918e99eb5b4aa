/** A captioner's configuration: transformers' config.json, checked, in the field's names. */
import { z } from 'zod';
import { InputError } from '../base/errors.ts';

const size = z.number().int().positive();
const rate = z.number().min(0).max(1);
const count = z.number().int().nonnegative();

const vitJson = z.object({
  model_type: z.literal('blip_vision_model').default('blip_vision_model'),
  hidden_size: size.default(768),
  intermediate_size: size.default(3072),
  num_hidden_layers: size.default(12),
  num_attention_heads: size.default(12),
  image_size: size.default(384),
  patch_size: size.default(16),
  hidden_act: z.literal('gelu').default('gelu'),
  layer_norm_eps: z.number().positive().default(1e-5),
  attention_dropout: rate.default(0),
});

const efficientNetJson = z.object({
  model_type: z.literal('efficientnet_lite'),
  image_size: size,
  hidden_size: size,
  layers: z
    .array(
      z.object({
        name: z.string(),
        /** Output channels. */
        channels: size,
        kernel: size,
        stride: size,
        groups: size,
        pads: z.tuple([count, count, count, count]),
        activation: z.literal('relu6').nullable(),
        residual: z.boolean().default(false),
      }),
    )
    .nonempty(),
});

const textJson = z.object({
  vocab_size: size.default(30524),
  hidden_size: size.default(768),
  encoder_hidden_size: size.default(768),
  intermediate_size: size.default(3072),
  num_hidden_layers: size.default(12),
  num_attention_heads: size.default(8),
  max_position_embeddings: size.default(512),
  hidden_act: z.literal('gelu').default('gelu'),
  layer_norm_eps: z.number().positive().default(1e-12),
  hidden_dropout_prob: rate.default(0),
  attention_probs_dropout_prob: rate.default(0),
  bos_token_id: z.number().int().nonnegative().default(30522),
  pad_token_id: z.number().int().nonnegative().default(0),
  sep_token_id: z.number().int().nonnegative().default(102),
  label_smoothing: rate.default(0),
});

const textPart = textJson.default(textJson.parse({}));
const vitModel = z.object({
  vision_config: vitJson.default(vitJson.parse({})),
  text_config: textPart,
});
const efficientNetModel = z.object({ vision_config: efficientNetJson, text_config: textPart });
const efficientNetMark = z.looseObject({
  vision_config: z.looseObject({ model_type: z.literal('efficientnet_lite') }),
});

/** The vision tower of BLIP: a pre-norm ViT. */
export type VitConfig = z.infer<typeof vitJson>;
/** EfficientNet-Lite, its layers in order. */
export type EfficientNetConfig = z.infer<typeof efficientNetJson>;
export type VisionConfig = VitConfig | EfficientNetConfig;
/** BLIP's text decoder: a post-norm BERT with cross-attention. */
export type TextConfig = z.infer<typeof textJson>;

/** Everything that a model's graph is built from, with the field names of transformers' config.json. */
export interface BlipConfig {
  readonly vision_config: VisionConfig;
  readonly text_config: TextConfig;
}

/**
 * Checks a parsed config.json; fields that are absent take transformers' defaults.
 * @param source what to name in an error, such as the file's path
 * @throws InputError naming the field, or both fields of a combination that does not fit
 */
export function parseBlipConfig(json: unknown, source: string): BlipConfig {
  // One or the other, so that what is wrong is told of the tower that is meant.
  const isEfficientNet = efficientNetMark.safeParse(json).success;
  const result = (isEfficientNet ? efficientNetModel : vitModel).safeParse(json);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new InputError(`${source}: ${issue.path.join('.') || 'the whole'}: ${issue.message}`);
  }
  const { vision_config: vision, text_config: text } = result.data;
  const refuse = (message: string): never => {
    throw new InputError(`${source}: ${message}`);
  };
  if (text.hidden_size % text.num_attention_heads !== 0)
    refuse(
      `text_config.num_attention_heads (${text.num_attention_heads}) does not divide text_config.hidden_size (${text.hidden_size})`,
    );
  if (vision.model_type === 'blip_vision_model') {
    if (vision.hidden_size % vision.num_attention_heads !== 0)
      refuse(
        `vision_config.num_attention_heads (${vision.num_attention_heads}) does not divide vision_config.hidden_size (${vision.hidden_size})`,
      );
    if (vision.image_size % vision.patch_size !== 0)
      refuse(
        `vision_config.patch_size (${vision.patch_size}) does not divide vision_config.image_size (${vision.image_size})`,
      );
  }
  for (const name of ['bos_token_id', 'pad_token_id', 'sep_token_id'] as const)
    if (text[name] >= text.vocab_size)
      refuse(
        `text_config.${name} (${text[name]}) is outside text_config.vocab_size (${text.vocab_size})`,
      );
  // As in transformers, where the tower's width wins over what text_config says.
  text.encoder_hidden_size = vision.hidden_size;
  return result.data;
}
