/** A captioner's configuration: transformers' config.json, checked, in the field's names. */
import * as z from 'zod';
import { InputError } from '../base/errors.ts';
import { type ConceptConfig, conceptFault, conceptSchema } from './concepts/config.ts';
import {
  isTowerName,
  type TowerName,
  towerNames,
  towers,
  type VisionConfig,
} from './towers/towers.ts';

const size = z.number().int().positive();
const rate = z.number().min(0).max(1);

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
const wholeJson = z.object({
  vision_config: z
    .looseObject({ model_type: z.string().default('blip_vision_model') })
    .default({ model_type: 'blip_vision_model' }),
  text_config: textPart,
  concept_config: conceptSchema.nullish(),
  clip_frames: size.nullish(),
});

export type { VisionConfig };
/** BLIP's text decoder: a post-norm BERT with cross-attention. */
export type TextConfig = z.infer<typeof textJson>;

/** Everything that a model's graph is built from, with the field names of transformers' config.json. */
export interface BlipConfig {
  readonly vision_config: VisionConfig;
  readonly text_config: TextConfig;
  /** What the decoder is told beside the image tokens; a published BLIP has none. */
  readonly concept_config?: ConceptConfig;
  /** Frames of a clip that it learned to read end to end; of a model of pictures none. */
  readonly clip_frames?: number;
}

/**
 * Checks a parsed config.json; fields that are absent take transformers' defaults.
 * @param source what to name in an error, such as the file's path
 * @throws InputError naming the field, or both fields of a combination that does not fit
 */
export function parseBlipConfig(json: unknown, source: string): BlipConfig {
  const { vision_config, text_config, concept_config, clip_frames } = checked(
    wholeJson,
    json,
    source,
    '',
  );
  const name = vision_config.model_type;
  if (!isTowerName(name))
    throw new InputError(
      `${source}: vision_config.model_type: ${JSON.stringify(name)} is none of the vision towers that are known: ${towerNames.join(', ')}`,
    );
  const vision = parseVision(name, vision_config, source);
  const fault =
    textFault(text_config) ??
    (concept_config ? conceptFault(concept_config, text_config.vocab_size) : undefined);
  if (fault !== undefined) throw new InputError(`${source}: ${fault}`);
  // As in transformers, where the tower's width wins over what text_config says.
  text_config.encoder_hidden_size = vision.hidden_size;
  return {
    vision_config: vision,
    text_config,
    ...(concept_config && { concept_config }),
    ...(clip_frames && { clip_frames }),
  };
}

function parseVision<Name extends TowerName>(
  name: Name,
  json: unknown,
  source: string,
): VisionConfig<Name> {
  const kind = towers[name];
  const config = checked(kind.schema, json, source, 'vision_config');
  const fault = kind.fault(config);
  if (fault !== undefined) throw new InputError(`${source}: ${fault}`);
  return config;
}

function checked<Output>(
  schema: z.ZodType<Output>,
  json: unknown,
  source: string,
  place: string,
): Output {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = [place, ...issue.path].filter((part) => part !== '').join('.');
  throw new InputError(`${source}: ${path || 'the whole'}: ${issue.message}`);
}

/** Two fields of the decoder that do not fit each other. */
function textFault(text: TextConfig): string | undefined {
  if (text.hidden_size % text.num_attention_heads !== 0)
    return `text_config.num_attention_heads (${text.num_attention_heads}) does not divide text_config.hidden_size (${text.hidden_size})`;
  const outside = (['bos_token_id', 'pad_token_id', 'sep_token_id'] as const).find(
    (name) => text[name] >= text.vocab_size,
  );
  return (
    outside &&
    `text_config.${outside} (${text[outside]}) is outside text_config.vocab_size (${text.vocab_size})`
  );
}
