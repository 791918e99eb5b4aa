/** Text to token ids and back: BERT's WordPiece through @huggingface/tokenizers. */
import { Tokenizer } from '@huggingface/tokenizers';
import * as z from 'zod';
import { InputError } from '../../base/errors.ts';
import { specialTokens, wordPieceJson } from './wordpiece.ts';

/** Ids of the special tokens; [DEC] and [ENC] are unknown to the tokenizers of published BLIPs. */
export interface SpecialIds {
  readonly pad: number;
  readonly unknown: number;
  readonly cls: number;
  readonly sep: number;
  readonly mask: number | undefined;
  readonly dec: number | undefined;
  readonly enc: number | undefined;
}

export interface TextTokenizer {
  /** One more than the largest id that the tokenizer knows. */
  readonly size: number;
  readonly ids: SpecialIds;
  /** The ids of `text`, between [CLS] and [SEP] unless `specialTokens` is false. Not cut to a length. */
  encode(text: string, options?: { readonly specialTokens?: boolean }): number[];
  /**
   * The text of `ids`: special tokens and ids unknown to the vocabulary are skipped, word pieces are
   * joined, spaces before . , ? ! are removed.
   */
  decode(ids: Iterable<number>): string;
  /** The words and marks that `text` falls into before it is looked up, lower-cased. */
  words(text: string): string[];
  /** The token of an id, or undefined. */
  token(id: number): string | undefined;
  /** The id of a token as the vocabulary writes it, or undefined. */
  id(token: string): number | undefined;
}

export interface TokenizerOptions {
  /**
   * Also join what English writes together, "man ' s" as "man's". Default false, as in transformers 5;
   * `clean_up_tokenization_spaces` in tokenizer_config.json.
   */
  readonly joinContractions?: boolean;
}

/**
 * Makes a tokenizer from the content of a tokenizer.json.
 * @throws InputError when it is of no known form or lacks [PAD], [UNK], [CLS] or [SEP].
 */
export function createTextTokenizer(
  json: unknown,
  source: string,
  options: TokenizerOptions = {},
): TextTokenizer {
  const { normalizer } = checkTokenizerJson(json, source);
  const tokenizer = buildTokenizer(json, source);
  const vocabulary = tokenizer.get_vocab();
  const required = (token: string): number => {
    const id = tokenizer.token_to_id(token);
    if (id === undefined) throw new InputError(`${source}: the vocabulary has no ${token}.`);
    return id;
  };
  const ids: SpecialIds = Object.freeze({
    pad: required(specialTokens.pad),
    unknown: required(specialTokens.unknown),
    cls: required(specialTokens.cls),
    sep: required(specialTokens.sep),
    mask: tokenizer.token_to_id(specialTokens.mask),
    dec: tokenizer.token_to_id(specialTokens.dec),
    enc: tokenizer.token_to_id(specialTokens.enc),
  });
  // Not spread into Math.max: a vocabulary may have more words than the stack has room for.
  let largest = -1;
  for (const id of vocabulary.values()) largest = Math.max(largest, id);
  const skipped = new Set<number | undefined>(Object.values(ids));
  for (const [id, token] of tokenizer.get_added_tokens_decoder())
    if (token.special) skipped.add(id);
  const adapt = normalizer ? adaptText(normalizer) : (text: string) => text;
  return {
    size: largest + 1,
    ids,
    encode: (text, { specialTokens = true } = {}) =>
      tokenizer.encode(adapt(text), { add_special_tokens: specialTokens }).ids,
    decode: (sequence) => {
      const kept: number[] = [];
      for (const id of sequence)
        if (!skipped.has(id) && tokenizer.id_to_token(id) !== undefined) kept.push(id);
      if (kept.length === 0) return '';
      return tokenizer.decode(kept, {
        clean_up_tokenization_spaces: options.joinContractions ?? false,
      });
    },
    words: (text) => {
      const normal = tokenizer.normalizer?.normalize(adapt(text)) ?? text;
      return tokenizer.pre_tokenizer?.pre_tokenize_text(normal, {}) ?? [normal];
    },
    token: (id) => tokenizer.id_to_token(id),
    id: (token) => tokenizer.token_to_id(token),
  };
}

const jsonSchema = z.looseObject({
  // Old files leave the type out.
  model: z.looseObject({
    type: z.literal('WordPiece', 'only WordPiece is supported').optional(),
    vocab: z.record(z.string(), z.int(), 'must be an object of tokens and ids'),
  }),
  added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string() })),
  normalizer: z
    .looseObject({
      type: z.string(),
      lowercase: z.boolean().optional(),
      handle_chinese_chars: z.boolean().optional(),
    })
    .nullable(),
});

type NormalizerJson = NonNullable<z.infer<typeof jsonSchema>['normalizer']>;

function checkTokenizerJson(json: unknown, source: string): { normalizer: NormalizerJson | null } {
  const parsed = jsonSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InputError(
    `${source}: not a tokenizer.json (${issue?.path.join('.') || 'the whole'}: ${issue?.message}).`,
  );
}

function buildTokenizer(json: unknown, source: string): Tokenizer {
  try {
    return new Tokenizer(json as object, {});
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${source}: not a tokenizer that can be used (${reason}).`);
  }
}

/**
 * Evens out two points in which @huggingface/tokenizers 0.2.0 differs from the Rust original: Chinese
 * characters beyond U+FFFF are not put apart, and a capital sigma at a word's end becomes the final
 * form because it lower-cases whole words.
 */
function adaptText(normalizer: NormalizerJson): (text: string) => string {
  if (normalizer.type !== 'BertNormalizer') return (text) => text;
  const { lowercase = true, handle_chinese_chars: chinese = true } = normalizer;
  return (text) => {
    let adapted = text;
    if (chinese) adapted = adapted.replace(highChinese, ' $& ');
    if (lowercase) adapted = adapted.replaceAll('\u03a3', '\u03c3');
    return adapted;
  };
}

/** The ranges of the Rust code (bert.rs, is_chinese_char) beyond the first plane. */
const highChinese =
  /[\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

/**
 * Makes BERT's uncased tokenizer from the tokens of a vocab.txt.
 * @throws InputError naming the source when a token that is needed is not among them
 */
export function tokenizerFromVocabulary(
  tokens: readonly string[],
  source = 'the vocabulary',
  options: TokenizerOptions = {},
): TextTokenizer {
  return createTextTokenizer(wordPieceJson(tokens, source), source, options);
}
