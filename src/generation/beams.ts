/** Beam search as transformers does it, with its scores in f32 and its rules for stopping. */
import { createRandom, type Random } from '../base/random.ts';
import { type GenerationContext, repeat, type Sequence, streamSeed } from './context.ts';
import type { Decoder, StepScores } from './inference.ts';
import { type ScoreRule, scoreRules } from './logits.ts';
import type { GenerationSettings } from './options.ts';
import { Best } from './selection.ts';

const { fround } = Math;

interface Beam {
  readonly ids: readonly number[];
  readonly logprobs: readonly number[];
  /** Sum of the rules' log-probabilities. */
  readonly score: number;
  /** The image's beam that this one continues. */
  readonly parent: number;
}

/** An image's search. */
interface Search {
  readonly image: number;
  readonly random: Random;
  running: Beam[];
  /** Best first; at most num_beams. */
  finished: Beam[];
}

/** Searches all images together; an image leaves the batch as soon as its result is settled. */
export async function beamSearch(
  decoding: Decoder,
  settings: GenerationSettings,
  context: GenerationContext,
  longest: number,
): Promise<Sequence[][]> {
  const { prompt, config, seed = 0, imageNumbers, signal } = context;
  const { num_beams: beams, num_return_sequences: returned } = settings;
  const end = config.sep_token_id;
  const rules = scoreRules(settings, end, prompt.length);
  const start: Beam = { ids: prompt, logprobs: [], score: 0, parent: 0 };
  const searches: Search[] = Array.from({ length: decoding.images }, (_, image) => ({
    image,
    random: createRandom(streamSeed(seed, imageNumbers?.[image] ?? image, 0)),
    running: [start],
    finished: [],
  }));

  signal?.throwIfAborted();
  let scores = await decoding.step(repeat(prompt, searches.length), prompt.length);
  let active = searches;
  let width = 1; // rows an image in `scores`
  for (let length = prompt.length; ; length++) {
    const settled = active.map((search, slot) => {
      const candidates = bestContinuations(search, scores, slot * width, settings, rules);
      const added = length + 1 - prompt.length;
      const isLast = length + 1 >= longest;
      advance(search, candidates, settings, added, (beam) => isLast || beam.ids[length] === end);
      return isLast || isSettled(search, settings, added, longest - prompt.length);
    });
    const open = [...active.keys()].filter((slot) => !settled[slot]);
    if (open.length === 0) break;
    const parents = open.flatMap((slot) =>
      active[slot].running.map((beam) => slot * width + beam.parent),
    );
    decoding.select(open, parents);
    active = open.map((slot) => active[slot]);
    width = beams;
    signal?.throwIfAborted();
    const ids = active.flatMap(({ running }) => running.map((beam) => beam.ids[length]));
    scores = await decoding.step(Int32Array.from(ids), 1);
  }
  return searches.map(({ finished }) => finished.slice(0, returned));
}

/** The 2 num_beams best (or drawn) continuations of an image's beams, best first. */
function bestContinuations(
  search: Search,
  scores: StepScores,
  firstRow: number,
  settings: GenerationSettings,
  rules: readonly ScoreRule[],
): Beam[] {
  const { running, random } = search;
  const size = scores.logits.length / scores.normalizer.length;
  const best = new Best(2 * settings.num_beams);
  for (const [b, beam] of running.entries()) {
    const row = firstRow + b;
    const logits = scores.logits.subarray(row * size, (row + 1) * size);
    const normalizer = scores.normalizer[row];
    if (rules.length === 0 && !settings.do_sample) {
      for (let id = 0; id < size; id++) {
        const total = fround(fround(logits[id] - normalizer) + beam.score);
        if (!(total <= best.limit)) best.offer(b * size + id, total);
      }
      continue;
    }
    const changed = logits.map((logit) => logit - normalizer);
    for (const rule of rules) rule(changed, beam.ids);
    for (let id = 0; id < size; id++) {
      const total = fround(changed[id] + beam.score);
      // The largest keys with Gumbel noise are a draw without replacement (Kool et al. 2019).
      const key = settings.do_sample ? total - Math.log(-Math.log(1 - random.next())) : total;
      if (!(key <= best.limit)) best.offer(b * size + id, total, key);
    }
  }
  return best.places.map((place, i) => {
    const parent = Math.floor(place / size);
    const id = place % size;
    const beam = running[parent];
    const row = firstRow + parent;
    const logprob = fround(scores.logits[row * size + id] - scores.normalizer[row]);
    return {
      ids: [...beam.ids, id],
      logprobs: [...beam.logprobs, logprob],
      score: best.scores[i],
      parent,
    };
  });
}

/** Moves an image's search on: candidates that end are finished, the best others run on. */
function advance(
  search: Search,
  candidates: readonly Beam[],
  { num_beams: beams, length_penalty: penalty }: GenerationSettings,
  added: number,
  isEnded: (beam: Beam) => boolean,
): void {
  const perLength = fround(added ** penalty);
  // Candidates beyond the first num_beams are there to run on, not to finish.
  const ended = candidates
    .slice(0, beams)
    .filter(isEnded)
    .map((beam) => ({ ...beam, score: fround(beam.score / perLength) }));
  const byScore = (a: Beam, b: Beam) => b.score - a.score;
  search.finished = [...search.finished, ...ended].sort(byScore).slice(0, beams);
  search.running = candidates
    .filter((beam) => !isEnded(beam))
    .sort(byScore)
    .slice(0, beams);
}

/** Whether no running beam is expected to beat the finished ones. */
function isSettled(
  { running, finished }: Search,
  { num_beams: beams, length_penalty: penalty, early_stopping: early }: GenerationSettings,
  added: number,
  mostAdded: number,
): boolean {
  if (finished.length < beams) return false;
  if (early === true) return true;
  const length = early === 'never' && penalty > 0 ? mostAdded : added;
  const reachable = fround(running[0].score / fround(length ** penalty));
  return reachable <= finished[beams - 1].score;
}
