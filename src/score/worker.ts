/** The worker thread: scores the chunks that it is sent, in their order. */
import { parentPort } from 'node:worker_threads';
import { InputError } from '../base/errors.ts';
import { loadMeteorData } from '../data/text/meteor-data.ts';
import {
  type ChunkResult,
  ChunkScorer,
  type ChunkTask,
  type ScorerSetup,
} from '../metrics/corpus/chunk-scorer.ts';
import type { TaskReply, TaskRequest } from './pool.ts';

const port = parentPort;
if (!port) throw new Error('worker.ts runs in a worker thread only');
const scorer = new ChunkScorer(loadMeteorData);
let ready: Promise<void> = Promise.resolve();

port.on('message', (request: TaskRequest<ScorerSetup, ChunkTask>) => {
  // One after the other: a task waits for the setup before it.
  ready = ready.then(async () => {
    try {
      if ('setup' in request) {
        await scorer.setUp(request.setup);
        send({ done: true });
        return;
      }
      const result = scorer.run(request.task);
      send({ result }, scorer.transfers(result));
    } catch (error) {
      const { message, stack } = error instanceof Error ? error : new Error(String(error));
      send({ error: { input: error instanceof InputError, message, stack: stack ?? message } });
    }
  });
});

function send(reply: TaskReply<ChunkResult>, transfers: ArrayBuffer[] = []): void {
  port?.postMessage(reply, transfers);
}
