/** How long ranks take to add their gradients up: a model of an exchange, and what of it is measured on this machine. */
import { peersOver, stretch } from './collectives.ts';
import { inProcessTransports } from './in-process.ts';
import type { WireDtype } from './names.ts';
import { wires } from './wire.ts';

/** Of values that are added up over ranks. */
export interface Exchange {
  /** Bytes of a value on the wire. */
  readonly width: number;
  /** Seconds until all have met. */
  readonly meeting: number;
  /** Seconds a value, whatever the network: laid down, taken up and added. */
  readonly work: number;
  /** Bytes a second that a rank sends, while it receives as many. */
  readonly bandwidth: number;
  /** Seconds of a message. */
  readonly latency: number;
}

/** Seconds in which so many ranks add up their values: a reduce-scatter and an all-gather of each stretch. */
export function exchangeSeconds(ranks: number, values: number, exchange: Exchange): number {
  if (ranks === 1) return 0;
  const { width, meeting, work, bandwidth, latency } = exchange;
  const sent = (2 * (ranks - 1) * values * width) / ranks;
  const messages = 2 * (ranks - 1) * Math.ceil(values / stretch);
  return meeting + sent / bandwidth + messages * latency + values * work;
}

/** Measured: what an exchange takes of a rank's own time, as two ranks in this process do it one after the other. */
export async function measureExchange(
  dtype: WireDtype = 'f32',
): Promise<Pick<Exchange, 'width' | 'work'>> {
  const peers = inProcessTransports(2).map((transport) => peersOver(transport, dtype));
  const values = peers.map(({ rank }) => new Float32Array(stretch).fill(rank + 0.5));
  const seconds: number[] = [];
  for (let turn = 0; turn < 4; turn++) {
    const started = performance.now();
    await Promise.all(peers.map((peer, rank) => peer.addUp(values[rank])));
    seconds.push((performance.now() - started) / 1000);
  }
  return { width: wires[dtype].width, work: Math.min(...seconds) / peers.length / stretch };
}
