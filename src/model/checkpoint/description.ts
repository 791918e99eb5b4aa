/** What a model's text files say: config, tokenizer, preprocessing, defaults of generation. */
import { InputError } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import type { TextFiles } from '../../base/text-files.ts';
import { type ConfidenceConfig, parseConfidence } from '../../confidence/config.ts';
import { findPreprocessing } from '../../data/images/load.ts';
import { blipPreprocessing, type Preprocessing } from '../../data/images/preprocess.ts';
import { readTextTokenizer } from '../../data/text/read.ts';
import type { TextTokenizer } from '../../data/text/tokenizer.ts';
import { type BlipConfig, parseBlipConfig } from '../config.ts';
import { refuseOtherFamily } from './families.ts';
import { type GenerationOptions, parseGenerationConfig } from './generation-config.ts';

/** All that is known of a model but its weights. */
export interface DescribedModel {
  readonly config: BlipConfig;
  /** config.json as it stands, with the fields that the graph does not need. */
  readonly configJson: Readonly<Record<string, unknown>>;
  readonly tokenizer: TextTokenizer;
  readonly preprocessing: Preprocessing;
  /** Defaults of generation_config.json. */
  readonly generation: GenerationOptions;
  /** How likely captions name the right thing, where that was calibrated. */
  readonly confidence: ConfidenceConfig | undefined;
}

export interface DescriptionOptions {
  /** Pixels a side, where they should differ from the config's: position embeddings are interpolated. */
  readonly imageSize?: number;
  /** Leaves out what config.json says of confidence, right or wrong: other weights or a calibration follow. */
  readonly ignoreConfidence?: boolean;
}

/** What a person must put beside weights that came alone. */
export const besideWeights =
  "a model's config.json and its tokenizer must lie beside its weights: copy both from the model that it was trained from (for BLIP base, from Salesforce/blip-image-captioning-base)";

/**
 * Reads the text files that lie beside a model's weights.
 * @param weights how messages name the weights
 * @throws InputError naming the file that is missing or wrong, or what it is when it is no captioner
 */
export async function readDescription(
  files: TextFiles,
  weights: string,
  options: DescriptionOptions = {},
): Promise<DescribedModel> {
  const configJson = await readJson(files, 'config.json');
  if (configJson === undefined)
    throw new InputError(`${weights}: there is no config.json beside it; ${besideWeights}.`);
  const configPath = files.pathOf('config.json');
  refuseOtherFamily(configJson, configPath);
  const config = withImageSize(parseBlipConfig(configJson, configPath), options, configPath);
  const preprocessing = await preprocessingOf(files, config, options);
  const tokenizer = await readTextTokenizer(files);
  if (tokenizer.size > config.text_config.vocab_size)
    throw new InputError(
      `${files.place}: the tokenizer has ids up to ${tokenizer.size - 1}, but text_config.vocab_size in config.json is ${config.text_config.vocab_size}: the vocabulary does not fit the embedding.`,
    );
  const generationJson = (await readJson(files, 'generation_config.json')) ?? {};
  const generation = parseGenerationConfig(generationJson, files.pathOf('generation_config.json'));
  const described = { config, tokenizer, preprocessing, generation };
  if (options.ignoreConfidence) {
    const { confidence_config: _, ...others } = configJson;
    return { ...described, configJson: others, confidence: undefined };
  }
  return { ...described, configJson, confidence: parseConfidence(configJson, configPath) };
}

function withImageSize(
  config: BlipConfig,
  { imageSize }: DescriptionOptions,
  source: string,
): BlipConfig {
  if (imageSize === undefined) return config;
  const vision_config = { ...config.vision_config, image_size: imageSize };
  return parseBlipConfig({ ...config, vision_config }, source);
}

async function preprocessingOf(
  files: TextFiles,
  config: BlipConfig,
  { imageSize }: DescriptionOptions,
): Promise<Preprocessing> {
  const size = config.vision_config.image_size;
  const found = await findPreprocessing(files);
  if (!found) return blipPreprocessing(size);
  const { source, preprocessing } = found;
  if (imageSize !== undefined) return { ...preprocessing, width: imageSize, height: imageSize };
  if (preprocessing.width !== size || preprocessing.height !== size)
    throw new InputError(
      `${source}: size is ${preprocessing.height} x ${preprocessing.width}, but vision_config.image_size in config.json is ${size}.`,
    );
  return preprocessing;
}

/** A JSON object from a file; undefined where there is no such file. */
async function readJson(
  files: TextFiles,
  name: string,
): Promise<Record<string, unknown> | undefined> {
  const text = await files.read(name);
  if (text === undefined) return undefined;
  const path = files.pathOf(name);
  const json = parseJson(text, path);
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new InputError(`${path}: this is not a JSON object.`);
  return { ...json };
}
