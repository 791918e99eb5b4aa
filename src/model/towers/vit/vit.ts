/** BLIP's ViT as a row of the table of towers. */
import type { TowerKind } from '../tower.ts';
import { type VitConfig, vitSchema } from './config.ts';
import { vitTokens } from './graph.ts';

export const vit: TowerKind<VitConfig> = {
  schema: vitSchema,
  fault({ hidden_size: width, num_attention_heads: heads, image_size: size, patch_size: patch }) {
    if (width % heads !== 0)
      return `vision_config.num_attention_heads (${heads}) does not divide vision_config.hidden_size (${width})`;
    if (size % patch !== 0)
      return `vision_config.patch_size (${patch}) does not divide vision_config.image_size (${size})`;
    return undefined;
  },
  of: (config) => ({
    tokens: (config.image_size / config.patch_size) ** 2 + 1,
    grid: { side: config.image_size / config.patch_size, first: 1 },
    build: (scope, pixels, dropout) => vitTokens(scope, config, pixels, dropout),
    blocks: [
      ...Array.from({ length: config.num_hidden_layers }, (_, i) => `encoder.layers.${i}.`),
      'post_layernorm.',
    ],
  }),
  opensInPython: true,
  names: {
    original: [
      [/^cls_token$/, 'embeddings.class_embedding'],
      [/^pos_embed$/, 'embeddings.position_embedding'],
      [/^patch_embed\.proj\./, 'embeddings.patch_embedding.'],
      [/^blocks\.(\d+)\.norm1\./, 'encoder.layers.$1.layer_norm1.'],
      [/^blocks\.(\d+)\.norm2\./, 'encoder.layers.$1.layer_norm2.'],
      [/^blocks\.(\d+)\.attn\.qkv\./, 'encoder.layers.$1.self_attn.qkv.'],
      [/^blocks\.(\d+)\.attn\.proj\./, 'encoder.layers.$1.self_attn.projection.'],
      [/^blocks\.(\d+)\.mlp\./, 'encoder.layers.$1.mlp.'],
      [/^norm\./, 'post_layernorm.'],
    ],
    positionIds: ['embeddings.position_ids'],
    positionEmbedding: 'embeddings.position_embedding',
  },
};
