/** What a caller gets for an image: texts with their log-probabilities, from sequences of ids. */
import type { NounEvidence } from '../confidence/evidence.ts';
import type { TextTokenizer } from '../data/text/tokenizer.ts';
import type { Sequence } from '../generation/context.ts';

/** A word of a caption and its log-probability: the sum over its pieces. */
export interface Word {
  readonly text: string;
  readonly logprob: number;
  /** On request: how much less likely it is without the picture, `logprob` less that with all image tokens at their mean. */
  readonly dependence?: number;
}

/** One caption. */
export interface Caption {
  readonly text: string;
  /** As in transformers: [DEC], the prompt, the words, and the end where one was written. */
  readonly ids: readonly number[];
  /** Natural log of the model's probability of all that follows the prompt, the end included. */
  readonly logprob: number;
  /** `logprob` over the number of ids that follow the prompt. */
  readonly meanLogprob: number;
  /** What beam search ranked by. */
  readonly score?: number;
  /** The noun that the caption is mainly about; of a model whose confidence is calibrated, or on request. */
  readonly mainNoun?: string;
  /** Of a model whose confidence is calibrated: the probability that people speak of the main noun. */
  readonly confidence?: number;
  /** On request: what confidence is computed from. */
  readonly evidence?: NounEvidence;
  /** On request: the words after the prompt. Their sum is `logprob` less the end's. */
  readonly words?: readonly Word[];
}

/** The captions of one image. */
export interface ImageCaption {
  /** The best caption's text. */
  readonly caption: string;
  /** All candidates, the best first. */
  readonly captions: readonly Caption[];
  /** Pixels of the picture, turned upright. */
  readonly width: number;
  readonly height: number;
}

/** Turns a finished sequence into a caption. */
export function toCaption(
  sequence: Sequence,
  tokenizer: TextTokenizer,
  promptLength: number,
  withWords: boolean,
): Caption {
  const { ids, logprobs, score, withoutPicture } = sequence;
  const logprob = logprobs.reduce((sum, x) => sum + x, 0);
  return {
    text: tokenizer.decode(ids),
    ids,
    logprob,
    meanLogprob: logprob / logprobs.length,
    ...(score !== undefined && { score }),
    ...(withWords && {
      words: withDependence(
        wordsOf(ids.slice(promptLength), logprobs, tokenizer),
        withoutPicture && wordsOf(ids.slice(promptLength), withoutPicture, tokenizer),
      ),
    }),
  };
}

/** @param blind the same words with their probabilities without the picture, if they are known */
function withDependence(words: Word[], blind: readonly Word[] | undefined): Word[] {
  if (!blind) return words;
  return words.map((word, i) => ({ ...word, dependence: word.logprob - blind[i].logprob }));
}

export function wordsOf(
  ids: readonly number[],
  logprobs: readonly number[],
  tokenizer: TextTokenizer,
): Word[] {
  const collector = new WordCollector(tokenizer);
  const words: Word[] = [];
  for (const [i, id] of ids.entries()) {
    const word = collector.push(id, logprobs[i]);
    if (word) words.push(word);
  }
  const last = collector.end();
  return last ? [...words, last] : words;
}

/** Puts word pieces together: a word is known to be whole when the next one begins. */
export class WordCollector {
  readonly #tokenizer: TextTokenizer;
  #ids: number[] = [];
  #logprob = 0;

  constructor(tokenizer: TextTokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** Takes the next id; gives the word that it shows to be whole. */
  push(id: number, logprob: number): Word | undefined {
    const token = this.#tokenizer.token(id);
    const goesOn = this.#ids.length > 0 && token?.startsWith('##');
    const word = goesOn ? undefined : this.end();
    // Ids that stand for no text, such as the end, belong to no word.
    if (this.#tokenizer.decode([id]) === '') return word;
    this.#ids.push(id);
    this.#logprob += logprob;
    return word;
  }

  /** The word begun last. */
  end(): Word | undefined {
    if (this.#ids.length === 0) return undefined;
    const word = { text: this.#tokenizer.decode(this.#ids), logprob: this.#logprob };
    this.#ids = [];
    this.#logprob = 0;
    return word;
  }
}
