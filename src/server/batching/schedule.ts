/** Which of the waiting pictures the model takes next: a pure function of what waits and of the time. */

/** Something that waits for its batch. */
export interface Waiting {
  /** Those with the same one may share a batch. */
  readonly key: string;
  /** When it came, in milliseconds. */
  readonly since: number;
}

export interface BatchRules {
  /** The most of a batch. */
  readonly maxBatch: number;
  /** Milliseconds that a batch which is not full waits for more, while more is on its way. */
  readonly maxDelay: number;
}

/** What to do now: run a batch, wait so many milliseconds (or for the next picture), or nothing. */
export type Decision<Item> =
  | { readonly kind: 'run'; readonly batch: readonly Item[] }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'idle' };

/**
 * The next batch for a worker that is free. A batch is ripe when it is full, when its first has waited for
 * `maxDelay`, or when nothing else is on its way that could join it. Of the ripe ones that goes whose first
 * came first, so that no kind of options starves another.
 * @param waiting in the order in which they came
 * @param isMoreComing whether other pictures were accepted that are still read or decoded
 */
export function decide<Item extends Waiting>(
  waiting: readonly Item[],
  now: number,
  isMoreComing: boolean,
  { maxBatch, maxDelay }: BatchRules,
): Decision<Item> {
  const groups = new Map<string, Item[]>();
  for (const item of waiting) {
    const group = groups.get(item.key);
    if (!group) groups.set(item.key, [item]);
    else if (group.length < maxBatch) group.push(item);
  }
  let ms = Number.POSITIVE_INFINITY;
  // In the order of their first.
  for (const batch of groups.values()) {
    const left = batch[0].since + maxDelay - now;
    if (batch.length >= maxBatch || left <= 0 || !isMoreComing) return { kind: 'run', batch };
    ms = Math.min(ms, left);
  }
  return waiting.length > 0 ? { kind: 'wait', ms } : { kind: 'idle' };
}
