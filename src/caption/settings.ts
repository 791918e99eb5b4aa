/** From a caller's options to a request of generation, and from its sequences to captions. */
import { InputError } from '../base/errors.ts';
import type { TextTokenizer } from '../data/text/tokenizer.ts';
import type { Sequence } from '../generation/context.ts';
import { type GenerationSettings, resolveGeneration } from '../generation/options.ts';
import type { DescribedModel } from '../model/checkpoint/description.ts';
import type { GenerationOptions } from '../model/checkpoint/generation-config.ts';
import type { CaptionOptions } from './options.ts';
import { type ImageCaption, toCaption } from './result.ts';

type Described = Pick<DescribedModel, 'config' | 'tokenizer' | 'generation'>;

/** How a request's captions are written. */
export interface CaptionSettings {
  /** The options of generation with all defaults. */
  readonly settings: GenerationSettings;
  /** The ids that captions begin with. */
  readonly prompt: readonly number[];
}

/** Options that are not generation's. */
const own: ReadonlySet<string> = new Set([
  'prompt',
  'bannedWords',
  'seed',
  'words',
  'dependence',
  'concepts',
  'evidence',
  'signal',
  'decode',
  'imageNumbers',
]);

/** @throws InputError naming an option that is unknown, wrong, or does not fit another */
export function captionSettings(options: CaptionOptions, model: Described): CaptionSettings {
  const rest = Object.fromEntries(Object.entries(options).filter(([name]) => !own.has(name)));
  const settings = resolveGeneration(
    withBanned(rest, options.bannedWords, model),
    model.generation,
  );
  return { settings, prompt: promptIds(options.prompt, model) };
}

/** [DEC] and the prompt: BERT's [CLS] is replaced and its [SEP] dropped, as in transformers. */
function promptIds(prompt = '', { config, tokenizer }: Described): number[] {
  const ids = tokenizer.encode(prompt, { specialTokens: false });
  return [config.text_config.bos_token_id, ...ids];
}

function withBanned(
  options: GenerationOptions,
  words: readonly string[] = [],
  { tokenizer, generation }: Described,
): GenerationOptions {
  if (words.length === 0) return options;
  const banned = words.map((word): [number, ...number[]] => {
    const [first, ...others] = tokenizer.encode(word, { specialTokens: false });
    if (first === undefined) throw new InputError(`the banned word '${word}' has no letters.`);
    return [first, ...others];
  });
  const others = options.bad_words_ids ?? generation.bad_words_ids ?? [];
  return { ...options, bad_words_ids: [...others, ...banned] };
}

/** The captions of a picture of `size` from its sequences, the best first. */
export function imageCaption(
  sequences: readonly Sequence[],
  tokenizer: TextTokenizer,
  promptLength: number,
  withWords: boolean,
  { width, height }: { readonly width: number; readonly height: number },
): ImageCaption {
  const captions = sequences.map((sequence) =>
    toCaption(sequence, tokenizer, promptLength, withWords),
  );
  return { caption: captions[0].text, captions, width, height };
}
