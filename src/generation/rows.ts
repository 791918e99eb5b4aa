/** Greedy search and sampling: every row chooses on its own. */
import { createRandom, type Random } from '../base/random.ts';
import { type GenerationContext, repeat, type Sequence, streamSeed } from './context.ts';
import type { Decoder } from './inference.ts';
import { scoreRules } from './logits.ts';
import type { GenerationSettings } from './options.ts';
import { largestIndex, sample } from './selection.ts';

interface Row {
  readonly image: number;
  readonly candidate: number;
  readonly ids: number[];
  readonly logprobs: number[];
  readonly random: Random;
}

/** Writes all rows together; an image leaves the batch when its last candidate has ended. */
export async function writeRows(
  decoding: Decoder,
  settings: GenerationSettings,
  context: GenerationContext,
  longest: number,
): Promise<Sequence[][]> {
  const { prompt, config, signal, onId } = context;
  const end = config.sep_token_id;
  const rules = scoreRules(settings, end, prompt.length);
  const candidates = settings.num_return_sequences;
  const count = decoding.images;
  const rows = startRows(count, candidates, context);

  signal?.throwIfAborted();
  let scores = await decoding.step(repeat(prompt, count), prompt.length);
  // After the prompt all candidates of an image share one row of scores.
  let scoreRow = (slot: number): number => Math.floor(slot / candidates);
  let active = rows;
  for (;;) {
    const size = scores.logits.length / scores.normalizer.length;
    for (const [slot, row] of active.entries()) {
      if (isFinished(row)) continue;
      const at = scoreRow(slot);
      const logits = scores.logits.subarray(at * size, (at + 1) * size);
      const chosenFrom = rules.length > 0 ? logits.slice() : logits;
      for (const rule of rules) rule(chosenFrom, row.ids);
      const id = settings.do_sample ? sample(chosenFrom, row.random) : largestIndex(chosenFrom);
      const logprob = Math.fround(logits[id] - scores.normalizer[at]);
      row.ids.push(id);
      row.logprobs.push(logprob);
      onId?.(row.image, row.candidate, id, logprob);
    }
    const kept = keepUnfinished(active, isFinished);
    if (kept.length === 0) break;
    const images = slotsOfImages(active, kept);
    decoding.select(
      images,
      kept.map((slot) => scoreRow(slot)),
    );
    active = kept.map((slot) => active[slot]);
    scoreRow = (slot) => slot;
    signal?.throwIfAborted();
    scores = await decoding.step(
      Int32Array.from(active, (row) => row.ids[row.ids.length - 1]),
      1,
    );
  }
  return Array.from({ length: count }, (_, image) =>
    rows.slice(image * candidates, (image + 1) * candidates),
  );

  function isFinished({ ids }: Row): boolean {
    return ids.length >= longest || (ids.length > prompt.length && ids[ids.length - 1] === end);
  }
}

/** The rows of all candidates of all images: the prompt, and a random stream of its own each. */
function startRows(
  images: number,
  candidates: number,
  { prompt, seed = 0, imageNumbers }: GenerationContext,
): Row[] {
  return Array.from({ length: images * candidates }, (_, i) => {
    const image = Math.floor(i / candidates);
    const candidate = i % candidates;
    const random = createRandom(streamSeed(seed, imageNumbers?.[image] ?? image, candidate));
    return { image, candidate, ids: [...prompt], logprobs: [], random };
  });
}

/** Slots of the rows whose image still has an unfinished one: an image stays or goes as a whole. */
function keepUnfinished(active: readonly Row[], isFinished: (row: Row) => boolean): number[] {
  const open = new Set(active.filter((row) => !isFinished(row)).map((row) => row.image));
  return [...active.keys()].filter((slot) => open.has(active[slot].image));
}

/** Places, among the images of `active`, of those that the kept slots belong to. */
function slotsOfImages(active: readonly Row[], kept: readonly number[]): number[] {
  const order = [...new Set(active.map((row) => row.image))];
  const wanted = new Set(kept.map((slot) => active[slot].image));
  return [...order.keys()].filter((place) => wanted.has(order[place]));
}
