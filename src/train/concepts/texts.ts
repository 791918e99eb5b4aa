/**
 * Concepts for captions without a picture: the captions' own words stand in for what a picture would show, as
 * often missed and as often mixed with wrong ones as those of real pictures are. Pure.
 */
import { type Random, shuffle } from '../../base/random.ts';
import { noWord } from '../../model/concepts/concepts.ts';
import type { ConceptConfig } from '../../model/concepts/config.ts';
import { type RowConcepts, type SpokenWords, speaker } from './fit.ts';

/** What real pictures' concepts are like. */
export interface ConceptNoise {
  readonly config: ConceptConfig;
  readonly rows: RowConcepts;
  readonly tokens: number;
  /** For each concept (`first second`) that was right: the rows where it was. */
  readonly rowsOf: ReadonlyMap<string, readonly number[]>;
  /** Whether captions speak of a name. */
  says(name: readonly number[], spoken: SpokenWords): boolean;
}

export function conceptNoise(config: ConceptConfig, rows: RowConcepts): ConceptNoise {
  const tokens = config.class_tokens + config.word_tokens;
  const rowsOf = new Map<string, number[]>();
  for (let at = 0; at < rows.right.length; at++) {
    if (rows.right[at] === 0) continue;
    const key = `${rows.words[2 * at]} ${rows.words[2 * at + 1]}`;
    const list = rowsOf.get(key);
    if (list) list.push(Math.floor(at / tokens));
    else rowsOf.set(key, [Math.floor(at / tokens)]);
  }
  return { config, rows, tokens, rowsOf, says: speaker(config) };
}

/**
 * Concepts of one text: those of a real picture that shares a concept with it, where a right one is replaced
 * by one that the text speaks of, and a wrong one that the text does speak of by another wrong one. So each place has
 * the precision, the probabilities and the kind of mistakes that it has with pictures.
 * @returns [tokens, 2] words and [tokens] probabilities
 */
export function textConcepts(
  noise: ConceptNoise,
  spoken: SpokenWords,
  random: Random,
): { words: Int32Array; probabilities: Float32Array } {
  const { config, rows, tokens, says } = noise;
  const own = {
    names: config.class_names.filter((name) => says(name, spoken)),
    words: config.words.filter((word) => spoken.words.has(word)).map((word) => [word]),
  };
  const model = modelRow(noise, [...own.names, ...own.words], random);
  const words = new Int32Array(tokens * 2);
  const probabilities = rows.probabilities.slice(model * tokens, (model + 1) * tokens);
  const left = { names: shuffle([...own.names], random), words: shuffle([...own.words], random) };
  for (let token = 0; token < tokens; token++) {
    const kind = token < config.class_tokens ? 'names' : 'words';
    const right = rows.right[model * tokens + token] === 1;
    const pair = right ? left[kind].pop() : undefined;
    const chosen = pair ?? wrongConcept(noise, spoken, model, token, random);
    words.set([chosen[0], chosen[1] ?? noWord], 2 * token);
  }
  return { words, probabilities };
}

/** A picture that shows something that the text speaks of; any where there is none. */
function modelRow(
  { rowsOf, rows, tokens }: ConceptNoise,
  own: readonly (readonly number[])[],
  random: Random,
): number {
  const known = own.flatMap(([first, second]) => rowsOf.get(`${first} ${second ?? noWord}`) ?? []);
  if (known.length > 0) return known[random.integer(known.length)];
  return random.integer(rows.probabilities.length / tokens);
}

/** The model's own concept at this place where the text does not speak of it, else one of another picture's. */
function wrongConcept(
  { rows, tokens, says }: ConceptNoise,
  spoken: SpokenWords,
  model: number,
  token: number,
  random: Random,
): readonly number[] {
  let row = model;
  for (let attempt = 0; attempt < 20; attempt++) {
    const at = row * tokens + token;
    const [first, second] = rows.words.subarray(2 * at, 2 * at + 2);
    const pair = second === noWord ? [first] : [first, second];
    if (!says(pair, spoken)) return pair;
    row = random.integer(rows.probabilities.length / tokens);
  }
  return [rows.words[2 * (model * tokens + token)]];
}
