/** The sizes of BLIP's vision tower, under the field names of transformers' `vision_config`. */
import * as z from 'zod';

const size = z.number().int().positive();

export const vitSchema = z.object({
  model_type: z.literal('blip_vision_model').default('blip_vision_model'),
  hidden_size: size.default(768),
  intermediate_size: size.default(3072),
  num_hidden_layers: size.default(12),
  num_attention_heads: size.default(12),
  image_size: size.default(384),
  patch_size: size.default(16),
  hidden_act: z.literal('gelu').default('gelu'),
  layer_norm_eps: z.number().positive().default(1e-5),
  attention_dropout: z.number().min(0).max(1).default(0),
});

/** The vision tower of BLIP: a pre-norm ViT. */
export type VitConfig = z.infer<typeof vitSchema>;
