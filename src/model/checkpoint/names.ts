/** What checkpoints call BLIP's tensors, beside the names of the graph: the original code's, duplicates and buffers. */

/** Whose names a checkpoint uses. */
export type NameLayout = 'transformers' | 'original';

/** Tells the layout from the names: the original code calls the tower `visual_encoder`. */
export function layoutOf(names: Iterable<string>): NameLayout {
  for (const name of names) if (name.startsWith('visual_encoder.')) return 'original';
  return 'transformers';
}

const originalStems: readonly (readonly [from: RegExp, to: string])[] = [
  [/^cls_token$/, 'embeddings.class_embedding'],
  [/^pos_embed$/, 'embeddings.position_embedding'],
  [/^patch_embed\.proj\./, 'embeddings.patch_embedding.'],
  [/^blocks\.(\d+)\.norm1\./, 'encoder.layers.$1.layer_norm1.'],
  [/^blocks\.(\d+)\.norm2\./, 'encoder.layers.$1.layer_norm2.'],
  [/^blocks\.(\d+)\.attn\.qkv\./, 'encoder.layers.$1.self_attn.qkv.'],
  [/^blocks\.(\d+)\.attn\.proj\./, 'encoder.layers.$1.self_attn.projection.'],
  [/^blocks\.(\d+)\.mlp\./, 'encoder.layers.$1.mlp.'],
  [/^norm\./, 'post_layernorm.'],
];

/** transformers' name of a tensor of salesforce/BLIP; a name that is not known stays as it is. */
export function fromOriginalName(name: string): string {
  const prefix = 'visual_encoder.';
  if (!name.startsWith(prefix)) return name;
  const rest = name.slice(prefix.length);
  for (const [from, to] of originalStems)
    if (from.test(rest)) return `vision_model.${rest.replace(from, to)}`;
  return name;
}

/** Tensors that hold another one's values again, because the two are tied: duplicate to parameter. */
export const tiedNames: ReadonlyMap<string, string> = new Map([
  [
    'text_decoder.cls.predictions.decoder.weight',
    'text_decoder.bert.embeddings.word_embeddings.weight',
  ],
  ['text_decoder.cls.predictions.decoder.bias', 'text_decoder.cls.predictions.bias'],
]);

/** Buffers of older files that hold 0, 1, 2, ... and say nothing. */
export const positionIdNames: ReadonlySet<string> = new Set([
  'text_decoder.bert.embeddings.position_ids',
  'vision_model.embeddings.position_ids',
]);

export const positionEmbeddingName = 'vision_model.embeddings.position_embedding';
