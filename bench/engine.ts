/**
 * The engine against the machine's own matrix-product rate, and against PyTorch in f32 and under bf16 autocast where a Python
 * with it is given: a whole training step (forward, backward, AdamW) of a BLIP-base-sized model.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createRandom } from '../src/base/random.ts';
import { encodeOnnx, input, ops, Session, tensor } from '../src/engine/index.ts';
import { type BlipConfig, parseBlipConfig } from '../src/model/config.ts';
import { adamW } from '../src/nn/optimizers.ts';
import { ParameterStore } from '../src/nn/parameter-store.ts';
import { Scope } from '../src/nn/scope.ts';
import { Updater } from '../src/nn/updater.ts';
import { gradientPrefix, lossGraph, withGradients } from '../src/train/objective/objective.ts';
import { machine, median, peakMemory, printTable } from './measure.ts';

const textLength = 24;

/** What PyTorch computes in: f32, or under autocast products in bf16. */
const peerTypes = ['f32', 'bf16'] as const;

/** Multiply-adds times two of forward and backward products of one image and its caption. */
function stepFlops({ vision_config: vision, text_config: text }: BlipConfig): number {
  if (vision.model_type !== 'blip_vision_model') throw new TypeError('a ViT is measured here');
  const d = vision.hidden_size;
  const patches = (vision.image_size / vision.patch_size) ** 2;
  const s = patches + 1;
  const block = 2 * s * (4 * d * d + 2 * d * vision.intermediate_size) + 4 * s * s * d;
  const embedding = 2 * patches * d * 3 * vision.patch_size ** 2;
  const w = text.hidden_size;
  const t = textLength;
  const layer =
    2 * t * (6 * w * w + 2 * w * text.intermediate_size) +
    2 * s * 2 * d * w +
    4 * t * t * w +
    4 * t * s * w;
  const head = 2 * t * (w * w + w * text.vocab_size);
  // A product's backward pass is two products of its size; the pixels need no gradient.
  return (
    3 * (vision.num_hidden_layers * block + text.num_hidden_layers * layer + head) + 2 * embedding
  );
}

async function productRate(threads: number): Promise<number> {
  const [rows, inner, columns] = [2308, 768, 3072];
  const random = createRandom(1);
  const numbers = (n: number) => Float32Array.from({ length: n }, () => random.next() - 0.5);
  using session = await Session.open(
    { y: ops.matmul(input('a', 'f32', [rows, inner]), input('b', 'f32', [inner, columns])) },
    { threads },
  );
  const feeds = {
    a: tensor('f32', [rows, inner], numbers(rows * inner)),
    b: tensor('f32', [inner, columns], numbers(inner * columns)),
  };
  const into = { y: tensor('f32', [rows, columns]) };
  const seconds = await repeat(12, () => session.run(feeds, into));
  return (2 * rows * inner * columns) / median(seconds.slice(2));
}

async function repeat(times: number, run: () => Promise<unknown>): Promise<number[]> {
  const seconds: number[] = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await run();
    seconds.push((performance.now() - start) / 1000);
  }
  return seconds;
}

async function measureStep(batch: number, steps: number, threads: number, profile?: string) {
  const config = parseBlipConfig(
    { text_config: { num_attention_heads: 12 } },
    'the BLIP-base sizes',
  );
  const started = performance.now();
  const scope = new Scope();
  const loss = lossGraph(scope, config, { images: 'pixels', labelSmoothing: 0.1, dropout: false });
  const store = new ParameterStore(scope.parameters);
  const outputs = withGradients(scope, loss, new Set(store.trainableNames));
  const encoded = encodeOnnx(outputs);
  using session = await Session.openEncoded(encoded, { threads, ...(profile && { profile }) });
  const opened = (performance.now() - started) / 1000;

  store.initialize(createRandom(7));
  const gradients = new Float32Array(store.trainable.length);
  using updater = await Updater.open(adamW(), store, { threads });
  const random = createRandom(8);
  const size = config.vision_config.image_size;
  const pixels = Float32Array.from({ length: batch * 3 * size * size }, () => random.normal());
  const words = Int32Array.from({ length: batch * textLength }, () => random.integer(30522));
  const feeds = {
    ...store.feeds(),
    pixels: tensor('f32', [batch, 3, size, size], pixels),
    ids: tensor('i32', [batch, 1, textLength], words),
    labels: tensor('i32', [batch, 1, textLength], words),
  };
  const into = Object.fromEntries(
    store.trainableNames.map((name) => [gradientPrefix + name, store.viewOf(name, gradients)]),
  );
  const graphSeconds: number[] = [];
  const seconds: number[] = [];
  // Each step waits for a line on the standard input, and is answered by one with its seconds; then follow the medians.
  const turns = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  for (let step = 1; step <= steps + 1; step++) {
    await turns.next();
    const start = performance.now();
    await session.run(feeds, into);
    graphSeconds.push((performance.now() - start) / 1000);
    const norm = await updater.gradientNorm(gradients);
    await updater.apply(gradients, {
      step,
      learningRate: 1e-5,
      weightDecay: 0.05,
      gradientScale: Math.min(1, 1 / norm),
    });
    seconds.push((performance.now() - start) / 1000);
    console.log(seconds.at(-1));
  }
  const flops = stepFlops(config) * batch;
  return { opened, seconds: median(seconds.slice(1)), graph: median(graphSeconds.slice(1)), flops };
}

/** `npm run bench -- engine [--batch 1,4] [--steps 3] [--threads 2] [--python PATH]` */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      batch: { type: 'string', default: '1,4' },
      steps: { type: 'string', default: '3' },
      threads: { type: 'string', default: '2' },
      python: { type: 'string' },
      profile: { type: 'string' },
      worker: { type: 'boolean', default: false },
    },
  });
  const threads = Number(values.threads);
  if (values.worker) {
    // One batch size a process: its peak memory is its own.
    const result = await measureStep(
      Number(values.batch),
      Number(values.steps),
      threads,
      values.profile,
    );
    console.log(JSON.stringify({ ...result, peak: peakMemory() }));
    return 0;
  }
  console.log(machine());
  const rows: (string | number)[][] = [];
  for (const batch of values.batch.split(',')) {
    const rate = await productRate(threads);
    const own = fileURLToPath(new URL('./main.ts', import.meta.url));
    const sizes = ['--batch', batch, '--steps', values.steps, '--threads', values.threads];
    const command = [process.execPath, ...process.execArgv, own, 'engine', '--worker', ...sizes];
    const peer = fileURLToPath(new URL('./peers/engine.py', import.meta.url));
    const { python, steps } = values;
    const peers =
      python === undefined
        ? []
        : peerTypes.map((type) => [python, peer, batch, steps, values.threads, type]);
    const [ours, ...others] = await inTurns([command, ...peers], Number(steps));
    rows.push(row('refcap', batch, ours, rate));
    for (const [i, other] of others.entries()) {
      const name = `PyTorch ${peerTypes[i]}`;
      rows.push(row(name, batch, { ...other, flops: ours.flops }, rate));
      const ratios = ours.steps.map((seconds, step) => other.steps[step] / seconds);
      console.log(
        `batch ${batch}: ${median(ratios).toFixed(2)} times as fast as ${name} (each pair of steps: ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')})`,
      );
    }
  }
  printTable(
    [
      'program',
      'batch',
      's a step',
      's in the graph',
      'GFLOP/s',
      'share of product',
      'peak GiB',
      's to open',
    ],
    rows,
  );
  return 0;
}

interface Measured {
  opened: number;
  seconds: number;
  graph: number;
  flops: number;
  peak: number;
}

/** Runs the commands' steps one at a time in turns, first one for warmth, so that a machine that drifts treats all alike. */
async function inTurns(
  commands: readonly (readonly string[])[],
  steps: number,
): Promise<(Measured & { steps: number[] })[]> {
  const workers = commands.map(([program, ...args]) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<string> => {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${program} ended before its last step`);
      return value;
    };
    return { child, next, steps: [] as number[] };
  });
  for (let step = 0; step <= steps; step++) {
    for (const worker of step % 2 ? [...workers].reverse() : workers) {
      worker.child.stdin.write('\n');
      const seconds = Number(await worker.next());
      if (step > 0) worker.steps.push(seconds);
    }
  }
  const results: (Measured & { steps: number[] })[] = [];
  for (const worker of workers) {
    const measured = JSON.parse(await worker.next()) as Measured;
    worker.child.stdin.end();
    results.push({ ...measured, steps: worker.steps });
  }
  return results;
}

function row(program: string, batch: string, m: Measured, rate: number): (string | number)[] {
  const achieved = m.flops / m.seconds;
  return [
    program,
    batch,
    m.seconds.toFixed(2),
    m.graph.toFixed(2),
    (achieved / 1e9).toFixed(0),
    `${((100 * achieved) / rate).toFixed(0)} % of ${(rate / 1e9).toFixed(0)}`,
    (m.peak / 2 ** 30).toFixed(2),
    m.opened.toFixed(1),
  ];
}
