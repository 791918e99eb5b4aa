/**
 * The files that transformers.js reads beside the graphs: a `VisionEncoderDecoderModel` whose decoder is named after
 * TrOCR's, because that is the kind whose cache keeps the encoder's keys and values.
 */
import { type Preprocessing, preprocessingToJson } from '../data/images/preprocess.ts';
import type { GenerationOptions } from '../model/checkpoint/generation-config.ts';
import type { BlipConfig, TextConfig } from '../model/config.ts';
import type { ExportDtype } from './names.ts';

/** transformers.js's names of formats, and what it puts behind the names of their files. */
export const dtypeNames: { readonly [D in ExportDtype]: { name: string; suffix: string } } = {
  f32: { name: 'fp32', suffix: '' },
  f16: { name: 'fp16', suffix: '_fp16' },
  // What browsers open unless told otherwise.
  int8: { name: 'q8', suffix: '_quantized' },
  int4: { name: 'q4', suffix: '_q4' },
};

/** The content of config.json. @param configs of all members */
export function visionEncoderDecoderConfig(
  configs: readonly BlipConfig[],
  dtype: ExportDtype,
  dataFiles: readonly string[],
): Record<string, unknown> {
  const [{ vision_config, text_config }] = configs;
  const layers = configs.reduce((sum, config) => sum + config.text_config.num_hidden_layers, 0);
  const width = configs.reduce((sum, config) => sum + config.vision_config.hidden_size, 0);
  return {
    architectures: ['VisionEncoderDecoderModel'],
    model_type: 'vision-encoder-decoder',
    is_encoder_decoder: true,
    tie_word_embeddings: false,
    ...specialIds(text_config),
    encoder: {
      model_type: vision_config.model_type,
      image_size: vision_config.image_size,
      hidden_size: width,
    },
    decoder: {
      model_type: 'trocr',
      is_decoder: true,
      add_cross_attention: true,
      use_cache: true,
      vocab_size: text_config.vocab_size,
      max_position_embeddings: text_config.max_position_embeddings,
      d_model: text_config.hidden_size,
      decoder_attention_heads: text_config.num_attention_heads,
      decoder_ffn_dim: text_config.intermediate_size,
      decoder_layers: layers,
      ...specialIds(text_config),
    },
    'transformers.js_config': {
      dtype: dtypeNames[dtype].name,
      ...(dataFiles.length > 0 && {
        use_external_data_format: Object.fromEntries(dataFiles.map((name) => [name, true])),
      }),
    },
  };
}

/** BLIP begins with [DEC] and ends with [SEP]. */
function specialIds({ bos_token_id, sep_token_id, pad_token_id }: TextConfig) {
  return {
    bos_token_id,
    decoder_start_token_id: bos_token_id,
    eos_token_id: sep_token_id,
    pad_token_id,
  };
}

/** refcap's most new ids where the model does not say. */
const defaultNewIds = 20;

/** The content of generation_config.json: the model's own defaults, without beams. */
export function greedyGeneration(
  text: TextConfig,
  generation: GenerationOptions,
): Record<string, unknown> {
  const { num_beams, num_return_sequences, length_penalty, early_stopping, ...rest } = generation;
  const isLimited = rest.max_length !== undefined || rest.max_new_tokens !== undefined;
  const most = Math.min(1 + defaultNewIds, text.max_position_embeddings);
  return { ...specialIds(text), ...(!isLimited && { max_length: most }), ...rest };
}

/** Pillow's number for Lanczos's filter. */
const lanczos = 1;

/**
 * The content of preprocessor_config.json: transformers.js knows no processor of BLIP's, but one with the same steps. Its
 * bicubic filter skips pixels where it shrinks; its Lanczos filter averages them, and so is the nearer to Pillow's bicubic
 * (on photos by .13 levels of 255 instead of .85).
 */
export function imageProcessor(preprocessing: Preprocessing): Record<string, unknown> {
  const json = { ...preprocessingToJson(preprocessing), image_processor_type: 'ViTImageProcessor' };
  return preprocessing.filter === 'bicubic' ? { ...json, resample: lanczos } : json;
}

interface TokenizerJson {
  readonly added_tokens?: readonly { readonly id: number }[];
}

/**
 * The content of tokenizer.json with [DEC], which the files of published checkpoints do not know: a decoder that is
 * told to leave special tokens out must know that it is one.
 */
export function withStart<T extends TokenizerJson>(tokenizer: T, id: number, known: boolean): T {
  const tokens = tokenizer.added_tokens ?? [];
  if (known || tokens.some((token) => token.id === id)) return tokenizer;
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  return {
    ...tokenizer,
    added_tokens: [...tokens, { id, content: '[DEC]', ...flags, special: true }],
  };
}
