/**
 * transformers.js' image-to-text pipeline behind node:http: `node transformers-js.mjs FOLDER THREADS`. A picture's bytes
 * in, its caption out, written greedily, one picture at a time.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { basename, dirname } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { env, pipeline, RawImage } from '@huggingface/transformers';

const [, , folder, threads] = process.argv;
env.allowRemoteModels = false;
env.localModelPath = `${dirname(folder)}/`;
const captioner = await pipeline('image-to-text', basename(folder), {
  session_options: threads === undefined ? {} : { intraOpNumThreads: Number(threads) },
});

let turn = Promise.resolve();

const server = createServer(async (request, response) => {
  if (request.method !== 'POST') return response.end('{"status":"live"}');
  const bytes = await buffer(request);
  const captioned = turn.then(async () => captioner(await RawImage.fromBlob(new Blob([bytes]))));
  turn = captioned.catch(() => undefined);
  try {
    response.end(JSON.stringify(await captioned));
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error));
  }
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
console.log(`transformers.js ${env.version}: serving at http://127.0.0.1:${server.address().port}`);
