/** BERT's uncased WordPiece tokenizer as files: vocab.txt, tokenizer.json and tokenizer_config.json. */
import { InputError } from '../../base/errors.ts';

/** Tokens that stand for no text. The first four are required. */
export const specialTokens = {
  pad: '[PAD]',
  unknown: '[UNK]',
  cls: '[CLS]',
  sep: '[SEP]',
  mask: '[MASK]',
  dec: '[DEC]',
  enc: '[ENC]',
} as const;

/** Settings of BERT's tokenizer, as tokenizer_config.json names them. */
export interface WordPieceSettings {
  /** Default true. */
  readonly lowerCase?: boolean;
  /** Null, the default: as `lowerCase`. */
  readonly stripAccents?: boolean | null;
  /** Put Chinese characters apart. Default true. */
  readonly chineseCharacters?: boolean;
}

/**
 * Reads the text of a vocab.txt: a token a line, its id the line's number from 0.
 * @throws InputError when it is empty or a token comes twice, naming the line.
 */
export function parseVocabulary(text: string, source: string): string[] {
  const tokens = text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/);
  if (tokens.at(-1) === '') tokens.pop();
  if (tokens.length === 0) throw new InputError(`${source}: the vocabulary is empty.`);
  const lines = new Map<string, number>();
  tokens.forEach((token, i) => {
    const earlier = lines.get(token);
    if (earlier !== undefined)
      throw new InputError(
        `${source}: line ${i + 1} repeats the token "${token}" of line ${earlier}; remove one.`,
      );
    lines.set(token, i + 1);
  });
  return tokens;
}

/**
 * The content of the tokenizer.json that transformers makes of a vocab.txt for BERT.
 * @param source names the vocabulary in messages.
 * @throws InputError when a required special token is missing.
 */
export function wordPieceJson(
  tokens: readonly string[],
  source: string,
  { lowerCase = true, stripAccents = null, chineseCharacters = true }: WordPieceSettings = {},
): Record<string, unknown> {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const special = Object.values(specialTokens).flatMap((content) => {
    const id = ids.get(content);
    return id === undefined ? [] : [{ id, content }];
  });
  const { cls, sep, pad, unknown } = specialTokens;
  for (const token of [pad, unknown, cls, sep])
    if (!ids.has(token))
      throw new InputError(`${source}: the vocabulary has no ${token}; add it as a line.`);
  const sequence = (name: string, type: number) => ({ Sequence: { id: name, type_id: type } });
  const mark = (id: string, type = 0) => ({ SpecialToken: { id, type_id: type } });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map(({ id, content }) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: chineseCharacters,
      strip_accents: stripAccents,
      lowercase: lowerCase,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [mark(cls), sequence('A', 0), mark(sep)],
      pair: [mark(cls), sequence('A', 0), mark(sep), sequence('B', 1), mark(sep, 1)],
      special_tokens: Object.fromEntries(
        [cls, sep].map((id) => [id, { id, ids: [ids.get(id)], tokens: [id] }]),
      ),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: unknown,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(ids),
    },
  };
}

/**
 * The tokenizer files of a model folder in transformers' layout, by file name.
 * @throws InputError when a required special token is missing.
 */
export function wordPieceFiles(tokens: readonly string[]): Record<string, string> {
  const config = {
    tokenizer_class: 'BertTokenizer',
    do_lower_case: true,
    strip_accents: null,
    tokenize_chinese_chars: true,
    pad_token: specialTokens.pad,
    unk_token: specialTokens.unknown,
    cls_token: specialTokens.cls,
    sep_token: specialTokens.sep,
    ...(tokens.includes(specialTokens.mask) ? { mask_token: specialTokens.mask } : {}),
    // "man's" instead of "man ' s", as people write.
    clean_up_tokenization_spaces: true,
  };
  return {
    'vocab.txt': `${tokens.join('\n')}\n`,
    'tokenizer.json': `${JSON.stringify(wordPieceJson(tokens, 'the vocabulary'), null, 1)}\n`,
    'tokenizer_config.json': `${JSON.stringify(config, null, 2)}\n`,
  };
}
