/**
 * Sums over processes in the order of their ranks, so that they do not depend on the network: each rank adds up one
 * piece of the values (a reduce-scatter), and sends its sums to all (an all-gather). A rank sends and receives
 * 2 (N - 1) / N of the values' bytes.
 */
import { createHash } from 'node:crypto';
import type * as z from 'zod';
import { bytesOf } from '../../base/bytes.ts';
import { InputError } from '../../base/errors.ts';
import type { WireDtype } from './names.ts';
import type { Peers } from './peers.ts';
import type { Transport } from './transport.ts';
import { type Wire, wires } from './wire.ts';

/** Values that are exchanged at a time, so that buffers stay small. */
export const stretch: number = 1 << 22;

/**
 * Peers over a transport.
 * @param dtype how values of `addUp` travel: with bf16 what is summed, and the sum, are rounded to 8 bits of
 *   precision, so by at most 1 part in 256 each, the same on all ranks
 */
export function peersOver(transport: Transport, dtype: WireDtype = 'f32'): Peers {
  const { rank, size } = transport;
  const wire = wires[dtype];
  return {
    rank,
    size,
    meet: () => transport.meet(),
    async addUp(values) {
      await transport.meet();
      for (let start = 0; start < values.length; start += stretch)
        await addUpStretch(transport, wire, values.subarray(start, start + stretch));
    },
    async sums(values) {
      await transport.meet();
      const own = Float64Array.from(values);
      const all = new Float64Array(size * own.length);
      await transport.allGather(bytesOf(own), bytesOf(all));
      return values.map((_, i) => {
        let sum = all[i];
        for (let other = 1; other < size; other++) sum += all[other * own.length + i];
        return sum;
      });
    },
    async spread(values) {
      await transport.meet();
      for (let start = 0; start < values.length; start += stretch)
        await transport.broadcast(bytesOf(values.subarray(start, start + stretch)));
    },
    async differing(values) {
      await transport.meet();
      const own = createHash('sha256').update(bytesOf(values)).digest();
      const all = Buffer.alloc(size * own.length);
      await transport.allGather(own, all);
      const of = (other: number) => all.subarray(other * own.length, (other + 1) * own.length);
      return Array.from({ length: size }, (_, other) => other).filter(
        (other) => !of(other).equals(of(0)),
      );
    },
    async ofFirst(schema, find) {
      const found = rank === 0 ? await find() : undefined;
      await transport.meet();
      const said = rank === 0 ? Buffer.from(JSON.stringify(found)) : Buffer.alloc(0);
      const text = await spreadText(transport, said);
      return found ?? understood(schema, text);
    },
  };
}

/** What another rank says is of the same program, or the ranks run different ones. */
function understood<Found>(schema: z.ZodType<Found>, text: string): Found {
  const parsed = schema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new InputError(
    'rank 0 sends what this rank does not understand: all ranks must run the same version of refcap.',
  );
}

async function spreadText(transport: Transport, own: Uint8Array): Promise<string> {
  const length = Float64Array.of(own.length);
  await transport.broadcast(bytesOf(length));
  const bytes = transport.rank === 0 ? Uint8Array.from(own) : new Uint8Array(length[0]);
  await transport.broadcast(bytes);
  return Buffer.from(bytes).toString();
}

async function addUpStretch(
  transport: Transport,
  { width, write, read, add }: Wire,
  values: Float32Array,
): Promise<void> {
  const { rank, size } = transport;
  // Each piece begins at a whole word.
  const piece = 2 * Math.ceil(values.length / size / 2);
  const partOf = (owner: number) => values.subarray(owner * piece, (owner + 1) * piece);
  const sent = new Uint8Array(size * piece * width);
  for (let other = 0; other < size; other++) write(partOf(other), sent, other * piece * width);
  const received = new Uint8Array(sent.length);
  await transport.allToAll(sent, received);
  const sum = new Float32Array(partOf(rank).length);
  read(received, 0, sum);
  for (let other = 1; other < size; other++) add(received, other * piece * width, sum);
  const own = sent.subarray(0, piece * width);
  write(sum, own, 0);
  await transport.allGather(own, received);
  for (let other = 0; other < size; other++) read(received, other * piece * width, partOf(other));
}
