/** Processes that train one model together: each computes its share of every step, the first one writes. */
import type * as z from 'zod';

export interface Peers {
  /** From 0; the one of rank 0 writes. */
  readonly rank: number;
  readonly size: number;
  /** Waits until all ranks are here. */
  meet(): Promise<void>;
  /** Adds the ranks' values up, in the order of ranks, in place on each: all have the same bits then. */
  addUp(values: Float32Array): Promise<void>;
  /** The same of a few numbers of double precision. */
  sums(values: readonly number[]): Promise<number[]>;
  /** Gives the first rank's values to all, in place. */
  spread(values: Float32Array): Promise<void>;
  /** The ranks whose values are not the first one's, bit for bit. */
  differing(values: Float32Array): Promise<number[]>;
  /** Waits for what the first rank finds, which goes to all as JSON. */
  ofFirst<Found>(schema: z.ZodType<Found>, find: () => Promise<Found>): Promise<Found>;
}

/** One process that does all. */
export const alone: Peers = {
  rank: 0,
  size: 1,
  meet: async () => undefined,
  addUp: async () => undefined,
  sums: async (values) => [...values],
  spread: async () => undefined,
  differing: async () => [],
  ofFirst: (_schema, find) => find(),
};
