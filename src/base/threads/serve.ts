/** The thread's side: answers calls until the thread ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { answering, type Handlers } from './answer.ts';
import type { Request, ThreadData } from './messages.ts';

/** Answers calls until the thread ends. Called by a thread's own module. */
export function serve(handlers: Handlers): void {
  const port = parentPort;
  if (!port) throw new Error('this module runs in a worker thread only');
  const { ended }: ThreadData = workerData;
  const answer = answering(handlers, (reply, transfer) => port.postMessage(reply, transfer));
  port.on('message', async (request: Request) => {
    if ('close' in request) {
      Atomics.store(ended, 0, 1);
      Atomics.notify(ended, 0);
      process.exit();
    }
    await answer(request);
  });
}
