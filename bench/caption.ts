/**
 * Captioning with a model of BLIP-base's sizes (random weights, 384 px, lengths forced to 20), in f32 and with 8-bit
 * weights, stage by stage and as a whole; beside transformers and OpenVINO where a Python with them is given, all taking
 * turns in one run.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createRandom } from '../src/base/random.ts';
import { Captioner } from '../src/caption/captioner.ts';
import type { CaptionOptions } from '../src/caption/options.ts';
import { blipPreprocessing, createPreprocessor, decodeImage } from '../src/data/index.ts';
import { input } from '../src/engine/graph/graph.ts';
import type { Session } from '../src/engine/runtime/session.ts';
import { type Tensor, tensor } from '../src/engine/runtime/tensor.ts';
import { Inference } from '../src/generation/inference.ts';
import { openGraph } from '../src/generation/open-graph.ts';
import { visionTower } from '../src/model/blip.ts';
import { loadModel } from '../src/model/checkpoint/pretrained.ts';
import { baseSizedModel } from './base-sized-model.ts';
import { openVinoArguments, type Peer, startPeers, type Task } from './caption-peers.ts';
import { Products, type Work, workOf } from './caption-work.ts';
import { machine, median, peakMemory, printTable } from './measure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const forced: CaptionOptions = { min_length: 20, max_length: 20 };
const newTokens = 19;
const allParts = ['start', 'images', 'vision', 'stages', 'captions'];

interface Settings {
  readonly batches: readonly number[];
  readonly beams: readonly number[];
  readonly repeats: number;
  readonly threads: number | undefined;
  readonly python: string | undefined;
}

export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      python: { type: 'string' },
      batches: { type: 'string', default: '1,4' },
      beams: { type: 'string', default: '1,3' },
      repeats: { type: 'string', default: '5' },
      threads: { type: 'string' },
      model: { type: 'string' },
      parts: { type: 'string', default: allParts.join() },
    },
  });
  const list = (text: string) => text.split(',').map(Number);
  const settings: Settings = {
    batches: list(values.batches),
    beams: list(values.beams),
    repeats: Number(values.repeats),
    threads: values.threads === undefined ? undefined : Number(values.threads),
    python: values.python,
  };
  const folder = values.model ?? (await baseSizedModel());
  console.log(machine());
  const parts = new Set(values.parts.split(','));
  const unknown = [...parts].find((part) => !allParts.includes(part));
  if (unknown !== undefined) throw new Error(`no part '${unknown}': ${allParts.join(', ')}`);
  if (parts.has('start')) await measureStart(folder, settings);
  if (parts.has('images')) await measureImages();
  const peers = await startPeers(settings.python, folder, settings.threads ?? 0);
  try {
    if (parts.has('vision')) await measureVision(folder, settings, peers);
    if (parts.has('stages')) await measureStages(folder, settings, peers);
    if (parts.has('captions')) await measureCaptions(folder, settings, peers);
  } finally {
    for (const peer of peers) peer.stop();
  }
  return 0;
}

/** Undefined where the command fails: a peer that lacks something says so when it is started for the rest. */
async function timedCommand(program: string, args: string[]): Promise<number | undefined> {
  const start = performance.now();
  const { status } = spawnSync(program, args, { stdio: 'pipe' });
  return status === 0 ? (performance.now() - start) / 1000 : undefined;
}

/** The model with weights rounded beforehand, kept for the next time beside it. */
function rounded(model: string): string {
  const folder = `${model.replace(/\/+$/, '')}-int8`;
  const command = [join(root, 'dist/cli/main.js'), 'convert', model, folder, '--quantize', 'int8'];
  if (!existsSync(join(folder, 'config.json'))) execFileSync(process.execPath, command);
  return folder;
}

/** Seconds from starting a command to its first caption, the weights being in the page cache. */
async function measureStart(folder: string, { python, repeats }: Settings): Promise<void> {
  const command = [join(root, 'dist/cli/main.js'), 'caption', join(root, 'samples/cat.jpg')];
  const of = (model: string, ...more: readonly string[]) => [
    ...[process.execPath, ...command, '--model', model, '--quiet', ...more],
  ];
  const commands: [string, string[]][] = [
    ['refcap f32', of(folder)],
    ['refcap int8', of(folder, '--quantize', 'int8')],
    ['refcap int8, rounded beforehand', of(rounded(folder), '--quantize', 'int8')],
  ];
  if (python !== undefined) {
    const peer = [python, ...openVinoArguments(folder, 0), 'first'];
    commands.push(['OpenVINO f32, its cache filled', peer]);
  }
  const contenders = commands.map(([name, [program, ...args]]) => ({
    name,
    run: () => timedCommand(program, args),
  }));
  const results = await inTurns(contenders, repeats);
  printTable(header, rowsOf('start to first caption', results));
}

/** Something to be timed, and what it is compared by. */
interface Contender {
  readonly name: string;
  /** Seconds; undefined where it has no such task. */
  run(): Promise<number | undefined>;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

function peerContenders(peers: readonly Peer[], task: Task): Contender[] {
  return peers.flatMap((peer) =>
    peer.kinds.map((kind) => ({
      name: `${peer.short} ${kind}`,
      run: () => peer.measure(task, kind),
    })),
  );
}

/** All of them once before, and then in turns, one repetition each. */
async function inTurns(
  contenders: readonly Contender[],
  repeats: number,
): Promise<{ name: string; seconds: readonly number[] }[]> {
  const all = contenders.map(({ name }) => ({ name, seconds: [] as number[] }));
  for (let i = 0; i <= repeats; i++)
    for (const [at, { run }] of contenders.entries()) {
      const seconds = await run();
      if (i > 0 && seconds !== undefined) all[at].seconds.push(seconds);
      // Threads of either side may spin a little after their work.
      await sleep(200);
    }
  return all.filter(({ seconds }) => seconds.length > 0);
}

/** A table row for each contender: its times, and how many times as long as refcap's it takes (medians, then least times). */
function rowsOf(
  what: string,
  results: readonly { name: string; seconds: readonly number[] }[],
): string[][] {
  const least = (seconds: readonly number[]) => Math.min(...seconds);
  const against = (name: string, of: (seconds: readonly number[]) => number, mine: number) => {
    const ours = results.find((result) => result.name === `refcap ${name}`);
    return ours ? (mine / of(ours.seconds)).toFixed(2) : '';
  };
  return results.map(({ name, seconds }) => [
    what,
    name,
    median(seconds).toFixed(3),
    least(seconds).toFixed(3),
    ...kinds.flatMap((kind) => [
      against(kind, median, median(seconds)),
      against(kind, least, least(seconds)),
    ]),
  ]);
}

const kinds = ['f32', 'int8'] as const;
const header = [
  ...['', 'program', 's, median', 's, least'],
  ...kinds.flatMap((kind) => [`times refcap ${kind}, medians`, 'least']),
];

async function measureImages(): Promise<void> {
  const preprocessor = createPreprocessor(blipPreprocessing(384));
  const target = new Float32Array(preprocessor.valuesPerImage);
  const files = (await readdir(join(root, 'samples'))).filter((name) => name.endsWith('.jpg'));
  const decoding: number[] = [];
  const resizing: number[] = [];
  for (const file of [...files, ...files]) {
    const start = performance.now();
    const image = await decodeImage(join(root, 'samples', file));
    const decoded = performance.now();
    preprocessor.write(image, target);
    decoding.push((decoded - start) / 1000);
    resizing.push((performance.now() - decoded) / 1000);
  }
  console.log(
    `decode ${(1000 * median(decoding)).toFixed(1)} ms, resize and normalise ${(1000 * median(resizing)).toFixed(1)} ms (samples)`,
  );
}

function randomPixels(batch: number, side: number): Tensor<'f32'> {
  const random = createRandom(2);
  const shape = [batch, 3, side, side];
  return tensor(
    'f32',
    shape,
    Float32Array.from({ length: batch * 3 * side * side }, () => random.normal()),
  );
}

type Sessions<T> = readonly { readonly kind: (typeof kinds)[number]; readonly opened: T }[];

const optionsOf = ({ threads }: Settings, kind: (typeof kinds)[number]) => ({
  ...(threads !== undefined && { threads }),
  ...(kind === 'int8' && { quantize: kind }),
});

async function measureVision(
  folder: string,
  settings: Settings,
  peers: readonly Peer[],
): Promise<void> {
  await using model = await loadModel(folder);
  const { vision_config: vision } = model.config;
  const side = vision.image_size;
  const open = (kind: (typeof kinds)[number]) =>
    openGraph(
      (scope) => ({
        tokens: visionTower(scope, vision, input('pixels', 'f32', ['images', 3, side, side])),
      }),
      model.weights,
      optionsOf(settings, kind),
    );
  using f32 = await open('f32');
  using int8 = await open('int8');
  const sessions: Sessions<Session> = [
    { kind: 'f32', opened: f32 },
    { kind: 'int8', opened: int8 },
  ];
  const rows: string[][] = [];
  for (const batch of settings.batches) {
    const pixels = randomPixels(batch, side);
    const ours = sessions.map(({ kind, opened }) => ({
      name: `refcap ${kind}`,
      run: () => timed(() => opened.run({ pixels })),
    }));
    const contenders = [...ours, ...peerContenders(peers, { what: 'vision', batch })];
    rows.push(
      ...rowsOf(`vision tower, batch ${batch}`, await inTurns(contenders, settings.repeats)),
    );
  }
  printTable(header, rows);
}

async function measureCaptions(
  folder: string,
  settings: Settings,
  peers: readonly Peer[],
): Promise<void> {
  using f32 = await Captioner.load(folder, optionsOf(settings, 'f32'));
  using int8 = await Captioner.load(folder, optionsOf(settings, 'int8'));
  const captioners: Sessions<Captioner> = [
    { kind: 'f32', opened: f32 },
    { kind: 'int8', opened: int8 },
  ];
  const side = f32.config.vision_config.image_size;
  const rows: string[][] = [];
  for (const beams of settings.beams)
    for (const batch of settings.batches) {
      const images = Array.from({ length: batch }, () => ({
        pixels: randomPixels(1, side).data,
        width: side,
        height: side,
      }));
      const ours = captioners.map(({ kind, opened }) => ({
        name: `refcap ${kind}`,
        run: () => timed(() => opened.captionPrepared(images, { ...forced, num_beams: beams })),
      }));
      const contenders = [...ours, ...peerContenders(peers, { what: 'generate', batch, beams })];
      const what = `${beams === 1 ? 'greedy' : `${beams} beams`}, batch ${batch}`;
      rows.push(...rowsOf(what, await inTurns(contenders, settings.repeats)));
    }
  printTable(header, rows);
  const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(2);
  const theirs = peers.map(({ short, peak }) => `${short} ${gib(peak)}`);
  console.log(
    `peak memory, GiB: ${[`refcap, both kinds, ${gib(peakMemory())}`, ...theirs].join('; ')}`,
  );
}

/** Where the time of a caption goes, stage by stage, beside the rate of one large product. */
async function measureStages(
  folder: string,
  settings: Settings,
  peers: readonly Peer[],
): Promise<void> {
  await using model = await loadModel(folder);
  using products = await Products.open(settings.threads);
  using f32 = await Inference.open(model.config, model.weights, optionsOf(settings, 'f32'));
  using int8 = await Inference.open(model.config, model.weights, optionsOf(settings, 'int8'));
  const opened: Sessions<Inference> = [
    { kind: 'f32', opened: f32 },
    { kind: 'int8', opened: int8 },
  ];
  const [encoders, stages]: [string[][], string[][]] = [[], []];
  for (const batch of settings.batches) {
    const pixels = randomPixels(batch, model.config.vision_config.image_size);
    const times = opened.map(() => ({ stages: [[], [], []] as number[][], rates: [] as number[] }));
    const ours = opened.map(({ kind, opened: inference }, at) => ({
      name: `refcap ${kind}`,
      run: async () => {
        times[at].rates.push(await products.rate(kind));
        const seconds = await stagesOf(inference, pixels, batch);
        for (const [stage, value] of seconds.entries()) times[at].stages[stage].push(value);
        return seconds[0];
      },
    }));
    const contenders = [...ours, ...peerContenders(peers, { what: 'encode', batch })];
    const what = `tower and cross keys, batch ${batch}`;
    encoders.push(...rowsOf(what, await inTurns(contenders, settings.repeats)));
    for (const [at, { kind }] of opened.entries())
      stages.push([
        `batch ${batch}, ${kind}`,
        ...stageRow(workOf(model.config), batch, times[at].stages, Math.max(...times[at].rates)),
      ]);
  }
  printTable(header, encoders);
  printTable(
    [
      'ms, least',
      'tower and cross keys',
      'share of product',
      'prefill',
      'share',
      'a token',
      'share',
      'product, GFLOP/s',
    ],
    stages,
  );
}

/** Seconds of the encoder, the first step and each further one. */
async function stagesOf(inference: Inference, pixels: Tensor, batch: number): Promise<number[]> {
  const start = performance.now();
  const encoded = await inference.encode(pixels);
  const ready = performance.now();
  const decoding = inference.decode(encoded);
  await decoding.step(new Int32Array(batch).fill(1), 1);
  const first = performance.now();
  for (let t = 1; t < newTokens; t++) await decoding.step(new Int32Array(batch).fill(1), 1);
  const end = performance.now();
  return [ready - start, first - ready, (end - first) / (newTokens - 1)].map((ms) => ms / 1000);
}

function stageRow(
  work: Work | undefined,
  batch: number,
  stages: readonly (readonly number[])[],
  rate: number,
): string[] {
  const sizes = work && [
    work.vision + work.cross,
    work.step(1, 0),
    work.step(1, Math.round(newTokens / 2)),
  ];
  const cells = stages.flatMap((seconds, stage) => {
    const least = Math.min(...seconds);
    const share = sizes ? `${((100 * sizes[stage] * batch) / least / rate).toFixed(0)} %` : '';
    return [(1000 * least).toFixed(1), share];
  });
  return [...cells, (rate / 1e9).toFixed(0)];
}
