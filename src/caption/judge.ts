/** Says of captions how likely their main noun is right. */
import type { ConfidenceConfig } from '../confidence/config.ts';
import { confidenceFrom, EvidenceReader, type NounEvidence } from '../confidence/evidence.ts';
import { readMeteorData } from '../data/text/meteor-data.ts';
import type { TextTokenizer } from '../data/text/tokenizer.ts';
import type { Sequence } from '../generation/context.ts';
import { type Caption, wordsOf } from './result.ts';

export class CaptionJudge {
  readonly #config: ConfidenceConfig | undefined;
  readonly #tokenizer: TextTokenizer;
  readonly #reader: Promise<EvidenceReader>;

  /** Begins to read WordNet, beside whatever is going on. @param config undefined: evidence alone */
  constructor(config: ConfidenceConfig | undefined, tokenizer: TextTokenizer) {
    this.#config = config;
    this.#tokenizer = tokenizer;
    this.#reader = readMeteorData().then((wordNet) => new EvidenceReader(wordNet));
    this.#reader.catch(() => undefined);
  }

  /** The fields that a caption gets beside its own. */
  async judge(
    sequence: Sequence,
    promptLength: number,
    withEvidence: boolean,
  ): Promise<Pick<Caption, 'mainNoun' | 'confidence' | 'evidence'>> {
    const evidence = this.#evidenceOf(await this.#reader, sequence, promptLength);
    const { mainNoun } = evidence;
    return {
      ...(mainNoun !== undefined && { mainNoun }),
      ...(this.#config && { confidence: confidenceFrom(this.#config, evidence) }),
      ...(withEvidence && { evidence }),
    };
  }

  #evidenceOf(
    reader: EvidenceReader,
    { ids, logprobs, concepts }: Sequence,
    promptLength: number,
  ): NounEvidence {
    // The words of a prompt are not the model's: they count as sure.
    const all = [...ids.slice(0, promptLength).map(() => 0), ...logprobs];
    const named = concepts?.map(({ words, probability }) => ({
      name: words.map((word) => this.#tokenizer.decode([word])).join(' '),
      probability,
    }));
    const mean = logprobs.reduce((sum, x) => sum + x, 0) / logprobs.length;
    return reader.read(wordsOf(ids, all, this.#tokenizer), mean, named);
  }
}
