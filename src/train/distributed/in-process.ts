/** Ranks of one process: each exchange waits until all have brought their part. */
import type { Transport } from './transport.ts';

/** @param signal ends each wait for others, as `openMpi` has it */
export function inProcessTransports(size: number, signal?: AbortSignal): Transport[] {
  let arrived: { readonly rank: number; readonly part: Uint8Array; go(all: Uint8Array[]): void }[] =
    [];
  const stopped = new Promise<never>((_, reject) =>
    signal?.addEventListener('abort', () => reject(signal.reason)),
  );
  stopped.catch(() => undefined);
  const exchange = (rank: number, part: Uint8Array): Promise<Uint8Array[]> =>
    new Promise((go, stop) => {
      stopped.catch(stop);
      arrived.push({ rank, part: part.slice(), go });
      if (arrived.length < size) return;
      const all = arrived.sort((a, b) => a.rank - b.rank);
      arrived = [];
      for (const one of all) one.go(all.map((other) => other.part));
    });
  return Array.from({ length: size }, (_, rank) => ({
    rank,
    size,
    meet: async () => {
      await exchange(rank, new Uint8Array());
    },
    allToAll: async (pieces, received) => {
      const each = pieces.length / size;
      const all = await exchange(rank, pieces);
      for (const [i, of] of all.entries())
        received.set(of.subarray(rank * each, (rank + 1) * each), i * each);
    },
    allGather: async (piece, received) => {
      const all = await exchange(rank, piece);
      for (const [i, of] of all.entries()) received.set(of, i * piece.length);
    },
    broadcast: async (bytes) => {
      const [first] = await exchange(rank, bytes);
      bytes.set(first);
    },
  }));
}
