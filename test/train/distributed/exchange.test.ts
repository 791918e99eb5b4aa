/** The model of an exchange against what ranks really send. */
import { expect, test } from 'vitest';
import { peersOver, stretch } from '../../../src/train/distributed/collectives.ts';
import { exchangeSeconds, measureExchange } from '../../../src/train/distributed/exchange.ts';
import { inProcessTransports } from '../../../src/train/distributed/in-process.ts';
import type { WireDtype } from '../../../src/train/distributed/names.ts';
import { wires } from '../../../src/train/distributed/wire.ts';

test.each<[number, WireDtype]>([
  [2, 'f32'],
  [2, 'bf16'],
  [4, 'f32'],
])('%d ranks with %s send the bytes that the model says', async (ranks, dtype) => {
  let sent = 0;
  let messages = 0;
  const transports = inProcessTransports(ranks).map((transport) => ({
    ...transport,
    allToAll: (pieces: Uint8Array, received: Uint8Array) => {
      sent += (pieces.length * (ranks - 1)) / ranks;
      messages += ranks - 1;
      return transport.allToAll(pieces, received);
    },
    allGather: (piece: Uint8Array, received: Uint8Array) => {
      sent += piece.length * (ranks - 1);
      messages += ranks - 1;
      return transport.allGather(piece, received);
    },
  }));
  const values = stretch + 2 ** 16;
  await Promise.all(
    transports.map((transport) =>
      peersOver(transport, dtype).addUp(new Float32Array(values).fill(1)),
    ),
  );
  const { width } = wires[dtype];
  const free = { width, meeting: 0, work: 0, bandwidth: Infinity, latency: 0 };
  expect(exchangeSeconds(ranks, values, { ...free, bandwidth: 1 })).toBeCloseTo(sent / ranks, -2);
  expect(exchangeSeconds(ranks, values, { ...free, latency: 1 })).toBe(messages / ranks);
  expect(exchangeSeconds(1, values, { ...free, meeting: 1, bandwidth: 1, latency: 1 })).toBe(0);
});

test("a rank's own work is measured", async () => {
  const { width, work } = await measureExchange('bf16');
  expect(width).toBe(2);
  expect(work).toBeGreaterThan(1e-11);
  expect(work).toBeLessThan(1e-6);
});
