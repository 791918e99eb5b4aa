// A thread that asks a server for its health ten times a second, and tells of the milliseconds that it took: the
// thread that sends pictures would count its own delays.
import { parentPort, workerData } from 'node:worker_threads';

let isWaiting = false;
setInterval(async () => {
  if (isWaiting) return;
  isWaiting = true;
  const asked = performance.now();
  await (await fetch(`${workerData}/health/live`)).text();
  parentPort.postMessage(performance.now() - asked);
  isWaiting = false;
}, 100);
