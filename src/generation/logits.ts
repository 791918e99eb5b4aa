/** Changes the scores of the next word before one is chosen: penalties, bans, and the cuts of sampling. */
import type { GenerationSettings } from './options.ts';

/** Edits the scores [vocabulary] of one row in place, seeing the ids written so far. */
export type ScoreRule = (scores: Float32Array, sequence: readonly number[]) => void;

const banned = Number.NEGATIVE_INFINITY;

/**
 * The rules that the settings ask for, in transformers' order.
 * @param end the id that ends a caption
 * @param promptLength ids before the first new one
 */
export function scoreRules(
  settings: GenerationSettings,
  end: number,
  promptLength: number,
): ScoreRule[] {
  const rules: ScoreRule[] = [];
  const { repetition_penalty: repetition, no_repeat_ngram_size: ngram } = settings;
  if (repetition !== 1) rules.push(penalizeRepetition(repetition));
  if (ngram > 0) rules.push(banRepeatedNgrams(ngram));
  if (settings.bad_words_ids) rules.push(banSequences(settings.bad_words_ids, end));
  const shortest = shortestLength(settings, promptLength);
  if (shortest > 0) rules.push(banBefore(shortest, [end]));
  if (settings.suppress_tokens) rules.push(banTokens(settings.suppress_tokens));
  if (settings.begin_suppress_tokens)
    rules.push(banBefore(promptLength + 1, settings.begin_suppress_tokens));
  if (settings.do_sample) rules.push(...samplingCuts(settings));
  return rules;
}

/** Ids that a finished sequence has at least, without the end. */
function shortestLength(settings: GenerationSettings, promptLength: number): number {
  const { min_length: whole, min_new_tokens: added } = settings;
  return added === undefined ? whole : promptLength + added;
}

/** Keskar et al. 2019: positive scores divided, negative ones multiplied. */
function penalizeRepetition(penalty: number): ScoreRule {
  return (scores, sequence) => {
    for (const id of new Set(sequence))
      scores[id] = scores[id] < 0 ? scores[id] * penalty : scores[id] / penalty;
  };
}

function banRepeatedNgrams(size: number): ScoreRule {
  return (scores, sequence) => {
    const prefix = sequence.length + 1 - size;
    if (prefix < 0) return;
    for (let start = 0; start + size <= sequence.length; start++) {
      let same = true;
      for (let i = 0; same && i < size - 1; i++)
        same = sequence[start + i] === sequence[prefix + i];
      if (same) scores[sequence[start + size - 1]] = banned;
    }
  };
}

function banSequences(all: readonly (readonly number[])[], end: number): ScoreRule {
  const sequences = all.filter((ids) => !(ids.length === 1 && ids[0] === end));
  return (scores, sequence) => {
    for (const ids of sequences) {
      const from = sequence.length - (ids.length - 1);
      if (from < 0) continue;
      let same = true;
      for (let i = 0; same && i < ids.length - 1; i++) same = sequence[from + i] === ids[i];
      if (same) scores[ids[ids.length - 1]] = banned;
    }
  };
}

/** Bans ids until the sequence has `length` ids. */
function banBefore(length: number, ids: readonly number[]): ScoreRule {
  return (scores, sequence) => {
    if (sequence.length < length) for (const id of ids) scores[id] = banned;
  };
}

function banTokens(ids: readonly number[]): ScoreRule {
  return (scores) => {
    for (const id of ids) scores[id] = banned;
  };
}

function samplingCuts(settings: GenerationSettings): ScoreRule[] {
  const { temperature, top_k: k, top_p: p, num_beams: beams } = settings;
  // Beams need a word that is not the end to go on with.
  const least = beams > 1 ? 2 : 1;
  const rules: ScoreRule[] = [];
  if (temperature !== 1)
    rules.push((scores) => {
      for (let i = 0; i < scores.length; i++) scores[i] /= temperature;
    });
  if (k > 0) rules.push((scores) => keepLargest(scores, Math.max(k, least)));
  if (p < 1) rules.push((scores) => keepNucleus(scores, p, least));
  return rules;
}

/** Bans all that score below the k-th largest. */
function keepLargest(scores: Float32Array, k: number): void {
  if (k >= scores.length) return;
  const limit = scores.slice().sort()[scores.length - k];
  for (let i = 0; i < scores.length; i++) if (scores[i] < limit) scores[i] = banned;
}

/** Keeps the fewest best words whose probabilities sum to more than p (Holtzman et al. 2020). */
function keepNucleus(scores: Float32Array, p: number, least: number): void {
  const order: number[] = [];
  for (let i = 0; i < scores.length; i++) if (scores[i] > banned) order.push(i);
  order.sort((a, b) => scores[a] - scores[b] || a - b);
  const largest = scores[order[order.length - 1]];
  let total = 0;
  for (const i of order) total += Math.exp(scores[i] - largest);
  let below = 0;
  for (const i of order.slice(0, Math.max(0, order.length - least))) {
    below += Math.exp(scores[i] - largest) / total;
    if (below > 1 - p) break;
    scores[i] = banned;
  }
}
