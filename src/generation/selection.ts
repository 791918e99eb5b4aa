/** Choosing words from scores: the best, the best few, or by chance. */
import type { Random } from '../base/random.ts';

/** Index of the largest score (the first of equals). */
export function largestIndex(scores: Float32Array): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i] > scores[best]) best = i;
  return best;
}

/** Log of the sum of exponentials. */
export function logSumExp(scores: Float32Array): number {
  const largest = scores[largestIndex(scores)];
  if (!Number.isFinite(largest)) return largest;
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += Math.exp(scores[i] - largest);
  return largest + Math.log(sum);
}

/** Draws an index with probability softmax(scores). */
export function sample(scores: Float32Array, random: Random): number {
  const largest = scores[largestIndex(scores)];
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += Math.exp(scores[i] - largest);
  let rest = random.next() * sum;
  let last = 0;
  for (let i = 0; i < scores.length; i++) {
    const weight = Math.exp(scores[i] - largest);
    if (weight === 0) continue;
    last = i;
    rest -= weight;
    if (rest < 0) return i;
  }
  return last;
}

/** The k best of a stream of places by key, kept in order; the earlier of equals stands first. */
export class Best {
  readonly places: number[] = [];
  /** What each place was offered with. */
  readonly scores: number[] = [];
  readonly #keys: number[] = [];
  readonly #k: number;

  constructor(k: number) {
    this.#k = k;
  }

  /** What a newcomer's key must pass; -infinity still enters while there is room. */
  get limit(): number {
    return this.#keys.length < this.#k ? Number.NaN : this.#keys[this.#k - 1];
  }

  offer(place: number, score: number, key = score): void {
    const keys = this.#keys;
    if (key <= this.limit) return;
    let at = keys.length;
    while (at > 0 && keys[at - 1] < key) at--;
    keys.splice(at, 0, key);
    this.scores.splice(at, 0, score);
    this.places.splice(at, 0, place);
    if (keys.length <= this.#k) return;
    keys.pop();
    this.scores.pop();
    this.places.pop();
  }
}
