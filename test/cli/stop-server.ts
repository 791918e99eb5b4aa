/** Stops a server under load at a random moment, and looks whether anything that it took was lost. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { startServe, tiny } from './server-process.ts';

const logSchema = z.object({ path: z.string(), status: z.number() });

export interface StopRound {
  readonly exitCode: number | null;
  /** Requests that the server says it has answered with a caption. */
  readonly logged: number;
  /** Answers that clients have, whole. */
  readonly received: number;
  /** Answers that broke off in the middle. */
  readonly broken: number;
  /** Requests that were refused: 503, or no connection. */
  readonly refused: number;
}

const clients = 6;

/** @param moment milliseconds of load before the server is told to stop */
export async function stopUnderLoad(moment: number): Promise<StopRound> {
  const picture = await readFile(join(tiny, 'images/owl-1.png'));
  const server = startServe('--log-format', 'json', '--max-batch', '4', '--queue', '64');
  const url = await server.url();
  const counts = { received: 0, broken: 0, refused: 0 };
  let isOver = false;
  const ask = async (client: number): Promise<void> => {
    const stream = client % 2 === 0;
    const query = `beams=${1 + (client % 3)}&min-length=12&max-length=12&stream=${stream}`;
    const init = { method: 'POST', body: picture, headers: { 'content-type': 'image/png' } };
    const response = await fetch(`${url}/v1/captions?${query}`, init).catch(() => undefined);
    if (response?.status !== 200) {
      counts.refused += 1;
      return;
    }
    const text = await response.text().catch(() => '');
    const isWhole = stream ? text.includes('event: done') : text.endsWith('}');
    counts[isWhole ? 'received' : 'broken'] += 1;
  };
  const load = Array.from({ length: clients }, async (_, client) => {
    while (!isOver) await ask(client);
  });
  await sleep(moment);
  server.child.kill('SIGTERM');
  const exitCode = await server.ended;
  isOver = true;
  await Promise.all(load);
  const entries = server.lines.slice(1).map((line) => logSchema.parse(JSON.parse(line)));
  const logged = entries.filter(({ status }) => status === 200).length;
  return { exitCode, logged, ...counts };
}
