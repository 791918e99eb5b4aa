/** Captions a picture by the library's browser-safe entries: the same code for Node and for the page. */
import {
  createPreprocessor,
  createTextTokenizer,
  parsePreprocessing,
  type RgbImage,
} from '../../src/data/browser.ts';
import { tensor } from '../../src/engine/index.ts';
import { generate, Inference, resolveGeneration } from '../../src/generation/index.ts';
import { matchWeights, parseBlipConfig } from '../../src/model/browser.ts';
import { accessBytes, readSafetensors } from '../../src/weights/browser.ts';

/** Content of a model folder's files. */
export interface ModelFiles {
  readonly weights: Uint8Array;
  readonly config: unknown;
  readonly tokenizer: unknown;
  readonly preprocessor: unknown;
}

/** The greedy caption. The model of the fixtures would end at once, so 12 ids are asked for. */
export async function captionPixels(
  files: ModelFiles,
  picture: RgbImage,
  quantize?: 'int8',
): Promise<{ ids: readonly number[]; logprobs: readonly number[]; text: string }> {
  const config = parseBlipConfig(files.config, 'config.json');
  const tokenizer = createTextTokenizer(files.tokenizer, 'tokenizer.json');
  const preprocessor = createPreprocessor(
    parsePreprocessing(files.preprocessor, 'preprocessor_config.json'),
  );
  await using weights = await matchWeights(readSafetensors(accessBytes(files.weights)), config);
  using inference = await Inference.open(config, weights, quantize ? { quantize } : {});
  const { width, height } = preprocessor.preprocessing;
  const pixels = tensor('f32', [1, 3, height, width]);
  preprocessor.write(picture, pixels.data);
  const decoder = inference.decode(await inference.encode(pixels));
  const settings = resolveGeneration({ num_beams: 1, min_new_tokens: 12 }, {});
  const context = { config: config.text_config, prompt: [config.text_config.bos_token_id] };
  const [[{ ids, logprobs }]] = await generate(decoder, settings, context);
  return { ids, logprobs, text: tokenizer.decode(ids) };
}
