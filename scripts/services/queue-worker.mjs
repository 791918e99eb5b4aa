/**
 * A worker of a queue that needs no model, for scripts that kill many: a picture's caption is the hash of its bytes, after
 * some milliseconds. Arguments: the server, the queue, the output, milliseconds a batch. Runs dist/.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { captionShard } from '../../dist/scale/caption-shards.js';
import { folderStore } from '../../dist/scale/output/folder.js';
import { workOnQueue } from '../../dist/scale/queue/work.js';

const [redis, queue, output, pause] = process.argv.slice(2);
const captioner = {
  workers: 1,
  prepare: async (bytes) => ({ bytes }),
  captionPrepared: async (images) => {
    await sleep(Number(pause));
    return images.map(({ bytes }) => {
      const text = createHash('sha256').update(bytes).digest('hex');
      return { caption: text, captions: [{ text, logprob: 0 }], width: 1, height: 1 };
    });
  },
};
const store = await folderStore(output);
const run = { options: {}, batchSize: 4, settings: {} };
await workOnQueue(
  { redis, queue },
  (shard, signal) => captionShard(captioner, shard, store, { ...run, signal }),
  { concurrency: 1, lease: 1500, untilDone: true, signal: new AbortController().signal },
);
