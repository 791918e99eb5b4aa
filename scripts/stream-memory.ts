/**
 * How much memory a stream of shards takes, beside reading all captions first: shards of 1,000 tiny pictures are made
 * in a folder that is removed, and read by a process of each kind.
 *
 *   npx tsx scripts/stream-memory.ts                 # 10,000, 100,000 and 1,000,000 pictures
 *   npx tsx scripts/stream-memory.ts --rows 10000 --folder /data   # the shards of a million take 2 GB
 */
import { spawnSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { alignedLines } from '../src/base/table.ts';
import { readDataset } from '../src/data/datasets/read.ts';
import { createPreprocessor } from '../src/data/images/preprocess.ts';
import { expandShards } from '../src/data/shards/expand.ts';
import { tarBlock, tarHeader } from '../src/data/shards/tar/header.ts';
import { decodedStream } from '../src/train/stream/images.ts';
import { streamSteps } from '../src/train/stream/source.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', multiple: true, default: ['10000', '100000', '1000000'] },
    read: { type: 'string' },
    shards: { type: 'string', default: '' },
    folder: { type: 'string', default: tmpdir() },
  },
});

const rowsOfShard = 1000;
const batchSize = 32;
const side = 8;

interface Found {
  readonly pictures: number;
  readonly firstSeconds: number;
  readonly seconds: number;
  readonly peakBytes: number;
}

function* file(name: string, bytes: Uint8Array): Generator<Uint8Array> {
  yield tarHeader(name, bytes.length);
  yield bytes;
  yield new Uint8Array((tarBlock - (bytes.length % tarBlock)) % tarBlock);
}

/** A caption by a formula, different for each row. */
function captionOf(row: number): string {
  const [colours, things, places] = [
    ['red', 'green', 'blue', 'grey', 'white'],
    ['dog', 'boat', 'kite', 'house', 'tree', 'horse', 'train'],
    ['in the snow', 'on a beach', 'by a road', 'under a bridge'],
  ];
  const one = (words: readonly string[], by: number) => words[Math.floor(row / by) % words.length];
  return `a ${one(colours, 1)} ${one(things, 5)} ${one(places, 35)} and number ${row}`;
}

/** Shards of pictures and captions. */
async function makeShards(folder: string, rows: number): Promise<void> {
  const pictures: Buffer[] = [];
  for (let i = 0; i < 8; i++) {
    const background = { r: 30 * i, g: 255 - 30 * i, b: 90 };
    const create = { width: side, height: side, channels: 3 as const, background };
    pictures.push(await sharp({ create }).png().toBuffer());
  }
  for (let shard = 0; shard * rowsOfShard < rows; shard++) {
    const parts = (function* () {
      for (let row = shard * rowsOfShard; row < (shard + 1) * rowsOfShard; row++) {
        const key = String(row).padStart(9, '0');
        yield* file(`${key}.png`, pictures[row % pictures.length]);
        yield* file(`${key}.txt`, Buffer.from(captionOf(row)));
      }
      yield new Uint8Array(2 * tarBlock);
    })();
    const path = join(folder, `train-${String(shard).padStart(6, '0')}.tar`);
    await pipeline(Readable.from(parts), createWriteStream(path));
  }
}

/** An epoch of batches, decoded, without a model. */
async function drawAll(shards: readonly string[]): Promise<Omit<Found, 'peakBytes'>> {
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const onFault = (_: string, sentence: string) => {
    throw new Error(sentence);
  };
  const preprocessor = createPreprocessor({
    ...{ width: side, height: side, filter: undefined, rescale: 1 / 255 },
    ...{ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  });
  const source = streamSteps({
    ...{ shards, epochImages: shards.length * rowsOfShard, buffer: 1000, padId: 0 },
    config: {
      ...{ seed: 1, batchSize, microBatch: null, captionsPerImage: null },
      ...{ maxWords: 22, maxSkippedSteps: 1 },
    },
    peers: { rank: 0, size: 1 },
    images: decodedStream(preprocessor, null, onFault),
    entries: { onFault },
    encode: (caption) => {
      const ids = caption.split(' ').map((word) => word.length);
      return { ids, prompt: 0, words: ids.length };
    },
  });
  let pictures = 0;
  let firstSeconds = 0;
  const wanted = { epoch: 1, done: 0, first: 0, most: Number.POSITIVE_INFINITY };
  for await (const parts of source.steps(wanted)) {
    if (pictures === 0) firstSeconds = seconds();
    for (const { places } of parts) pictures += places.length;
  }
  return { pictures, firstSeconds, seconds: seconds() };
}

/** All captions, as a run without stream reads them before its first step. */
async function readAll(shards: readonly string[]): Promise<Omit<Found, 'peakBytes'>> {
  const started = performance.now();
  const { images } = await readDataset('shards', { shards });
  const seconds = (performance.now() - started) / 1000;
  return { pictures: images.length, firstSeconds: seconds, seconds };
}

function inProcess(kind: 'stream' | 'whole', shards: string): Found {
  const args = ['--read', kind, '--shards', shards];
  const file = fileURLToPath(import.meta.url);
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [...process.execArgv, file, ...args],
    { encoding: 'utf8', maxBuffer: 1 << 26 },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

function row(kind: string, { pictures, firstSeconds, seconds, peakBytes }: Found): string[] {
  return [
    kind,
    pictures.toLocaleString('en'),
    `${firstSeconds.toFixed(1)} s`,
    `${seconds.toFixed(0)} s`,
    `${(peakBytes / 1e6).toFixed(0)} MB`,
  ];
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(values.folder, 'stream-memory-'));
  const sizes = values.rows.map(Number);
  try {
    await makeShards(folder, Math.max(...sizes));
    const rows = [['read as', 'pictures', 'first batch after', 'all after', 'peak memory']];
    const add = (kind: 'stream' | 'whole', shards: string) => {
      rows.push(row(kind, inProcess(kind, shards)));
      console.error(rows.at(-1)?.join(', '));
    };
    for (const size of sizes) {
      const last = String(Math.ceil(size / rowsOfShard) - 1).padStart(6, '0');
      const shards = join(folder, `train-{000000..${last}}.tar`);
      add('stream', shards);
      add('whole', shards);
    }
    console.log(alignedLines(rows, (column) => column > 0).join('\n'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (values.read === undefined) await main();
else {
  const shards = await expandShards(values.shards);
  const found = await (values.read === 'stream' ? drawAll(shards) : readAll(shards));
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  console.log(JSON.stringify({ ...found, peakBytes } satisfies Found));
}
