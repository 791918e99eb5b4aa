/** The tokenizer that a model's text files describe. */
import * as z from 'zod';
import { InputError } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import type { TextFiles } from '../../base/text-files.ts';
import { createTextTokenizer, type TextTokenizer } from './tokenizer.ts';
import { parseVocabulary, wordPieceJson } from './wordpiece.ts';

const configSchema = z.looseObject({
  clean_up_tokenization_spaces: z.boolean().nullish(),
  do_lower_case: z.boolean().nullish(),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.boolean().nullish(),
});

const normalizedSchema = z.looseObject({
  normalizer: z.looseObject({ type: z.literal('BertNormalizer') }),
});

type TokenizerConfig = z.infer<typeof configSchema>;

/** transformers' BertTokenizer lets what tokenizer_config.json says win over the normalizer of tokenizer.json. */
function withSettings(json: unknown, config: TokenizerConfig): unknown {
  const parsed = normalizedSchema.safeParse(json);
  if (!parsed.success) return json;
  const { do_lower_case, strip_accents, tokenize_chinese_chars } = config;
  const normalizer = {
    ...parsed.data.normalizer,
    ...(typeof do_lower_case === 'boolean' && { lowercase: do_lower_case }),
    ...(strip_accents !== undefined && { strip_accents }),
    ...(typeof tokenize_chinese_chars === 'boolean' && {
      handle_chinese_chars: tokenize_chinese_chars,
    }),
  };
  return { ...parsed.data, normalizer };
}

/**
 * The tokenizer of a model: tokenizer.json, else vocab.txt, with the settings of tokenizer_config.json where there is
 * one.
 * @throws InputError naming the file that is missing or at fault.
 */
export async function readTextTokenizer(files: TextFiles): Promise<TextTokenizer> {
  const configPath = files.pathOf('tokenizer_config.json');
  const configText = await files.read('tokenizer_config.json');
  const parsed = configSchema.safeParse(
    configText === undefined ? {} : parseJson(configText, configPath),
  );
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InputError(`${configPath}: ${issue?.path.join('.')}: ${issue?.message}.`);
  }
  const config = parsed.data;
  const options = { joinContractions: config.clean_up_tokenization_spaces ?? false };
  const jsonPath = files.pathOf('tokenizer.json');
  const json = await files.read('tokenizer.json');
  if (json !== undefined)
    return createTextTokenizer(withSettings(parseJson(json, jsonPath), config), jsonPath, options);
  const vocabularyPath = files.pathOf('vocab.txt');
  const text = await files.read('vocab.txt');
  if (text === undefined)
    throw new InputError(`${files.place}: there is neither tokenizer.json nor vocab.txt; add one.`);
  const content = wordPieceJson(parseVocabulary(text, vocabularyPath), vocabularyPath, {
    lowerCase: config.do_lower_case ?? true,
    stripAccents: config.strip_accents ?? null,
    chineseCharacters: config.tokenize_chinese_chars ?? true,
  });
  return createTextTokenizer(content, vocabularyPath, options);
}
