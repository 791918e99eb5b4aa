/**
 * Training: (a) a decoder on cached features, beside PyTorch where a Python with it is given; (b) all of
 * BLIP-base by micro-batches, (c) low-rank adapters on it; (d) the reward of self-critical training.
 * Each task is a process of its own, so that its peak memory is its own.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createRandom } from '../src/base/random.ts';
import type { SessionOptions } from '../src/engine/runtime/session.ts';
import { type Tensor, tensor } from '../src/engine/runtime/tensor.ts';
import { type BlipConfig, parseBlipConfig } from '../src/model/config.ts';
import { ParameterStore } from '../src/nn/parameter-store.ts';
import { parseTrainConfig } from '../src/train/config/config.ts';
import { ciderReward } from '../src/train/loop/scoring.ts';
import { openUpdater } from '../src/train/loop/trainer.ts';
import { GradientSession } from '../src/train/objective/gradients.ts';
import { drawsDropout, parameterGroups, trainingGraphs } from '../src/train/objective/graphs.ts';
import { machine, median, peakMemory, printTable } from './measure.ts';

const tasks = ['cached', 'full', 'lora', 'reward'] as const;
type Task = (typeof tasks)[number];

interface Measured {
  /** Median seconds of a step (of the reward: of a batch). */
  readonly seconds: number;
  /** Bytes. */
  readonly peak: number;
}

/** What a step is made of. */
interface Workload {
  readonly model: BlipConfig;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly images: number;
  readonly captions: number;
  readonly length: number;
  readonly steps: number;
}

const dropout = { hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.1 };

const base = () =>
  parseBlipConfig({ text_config: { num_attention_heads: 12, ...dropout } }, 'BLIP base');

function workload(task: Exclude<Task, 'reward'>): Workload {
  switch (task) {
    case 'cached':
      return {
        model: cachedModel(),
        settings: { dropout: 0.1, batchSize: 32 },
        images: 32,
        captions: 5,
        length: 15,
        steps: 8,
      };
    case 'full':
      return {
        model: base(),
        settings: { visionBlocks: 'all', dropout: 0.1, batchSize: 16, microBatch: 2 },
        images: 16,
        captions: 1,
        length: 24,
        steps: 1,
      };
    case 'lora':
      return {
        model: base(),
        settings: { visionBlocks: 'all', lora: {}, dropout: 0.1, batchSize: 4, microBatch: 2 },
        images: 4,
        captions: 1,
        length: 24,
        steps: 2,
      };
  }
}

/** 49 tokens of width 1280; 4 layers, 384 wide, 6,000 words. */
function cachedModel(): BlipConfig {
  const vision = {
    model_type: 'efficientnet_lite',
    image_size: 224,
    hidden_size: 1280,
    layers: [
      {
        name: 'stem',
        channels: 1280,
        kernel: 3,
        stride: 32,
        groups: 1,
        pads: [0, 0, 0, 0],
        activation: null,
      },
    ],
  };
  const text = {
    vocab_size: 6000,
    hidden_size: 384,
    intermediate_size: 1536,
    num_hidden_layers: 4,
    num_attention_heads: 8,
    max_position_embeddings: 64,
    bos_token_id: 1,
    sep_token_id: 2,
    ...dropout,
  };
  return parseBlipConfig({ vision_config: vision, text_config: text }, 'the cached workload');
}

/** @param session how the steps are run, beside the defaults */
export async function measureSteps(
  task: Exclude<Task, 'reward'>,
  session: SessionOptions,
): Promise<Measured> {
  const { model, settings, images, captions, length, steps } = workload(task);
  const config = parseTrainConfig(settings);
  const graphs = trainingGraphs(config, model);
  const groups = parameterGroups(config, model.vision_config);
  const store = new ParameterStore(graphs.scope.parameters, groups);
  store.initialize(createRandom(1));
  const gradients = new Float32Array(store.trainable.length);
  using run = await GradientSession.open(graphs.scope, graphs.objective, store, gradients, session);
  using updater = await openUpdater(config, store, session);
  const random = createRandom(2);
  const micro = config.microBatch ?? images;
  const shape = [micro, captions, length];
  const words = Int32Array.from({ length: micro * captions * length }, () =>
    random.integer(model.text_config.vocab_size),
  );
  const feeds: Record<string, Tensor> = {
    [graphs.images]: imagesOf(model, graphs.images, micro),
    ids: tensor('i32', shape, words),
    labels: tensor('i32', shape, words),
    share: tensor('f32', [], Float32Array.of(1 / (images * captions * length))),
    ...(drawsDropout(config) && { dropoutSeed: tensor('i32', [], Int32Array.of(3)) }),
  };
  const seconds: number[] = [];
  for (let step = 1; step <= steps + 1; step++) {
    const started = performance.now();
    gradients.fill(0);
    for (let part = 0; part < images / micro; part++) await run.add(feeds);
    const norm = await updater.gradientNorm(gradients);
    const gradientScale = Math.min(1, 1 / norm);
    await updater.apply(gradients, { step, learningRate: 1e-4, weightDecay: 0.05, gradientScale });
    seconds.push((performance.now() - started) / 1000);
  }
  return { seconds: median(seconds.slice(1)), peak: peakMemory() };
}

function imagesOf(model: BlipConfig, kind: 'pixels' | 'tokens', count: number): Tensor {
  const random = createRandom(4);
  if (kind === 'tokens')
    // f16 bits of numbers from 0.25 to 1.
    return tensor(
      'f16',
      [count, 49, 1280],
      Uint16Array.from({ length: count * 49 * 1280 }, () => 0x3400 + random.integer(0x800)),
    );
  const size = model.vision_config.image_size;
  const data = Float32Array.from({ length: count * 3 * size * size }, () => random.normal());
  return tensor('f32', [count, 3, size, size], data);
}

/** The reward of 160 captions: 32 images, five samples and five references each. */
function measureReward(): Measured {
  const random = createRandom(5);
  // Words are used as unevenly as in captions.
  const sentence = () =>
    Array.from({ length: 8 + random.integer(8) }, () => `w${Math.floor(800 * random.next() ** 3)}`);
  const references = Array.from({ length: 6000 }, () =>
    Array.from({ length: 5 }, () => sentence().join(' ')),
  );
  const reward = ciderReward({ references });
  // As after the first epoch: every image's references were compared with before.
  for (const place of references.keys()) reward(place, []);
  const seconds: number[] = [];
  for (let batch = 0; batch < 60; batch++) {
    const places = Array.from({ length: 32 }, () => random.integer(references.length));
    const drawn = places.map(() =>
      Array.from({ length: 5 }, () => ({ text: sentence().join(' '), ended: true })),
    );
    const started = performance.now();
    for (const [i, place] of places.entries()) reward(place, drawn[i]);
    seconds.push((performance.now() - started) / 1000);
  }
  return { seconds: median(seconds.slice(20)), peak: peakMemory() };
}

/** `npm run bench -- train [--tasks cached,full,lora,reward] [--rounds 3] [--threads 2] [--python PATH]` */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      tasks: { type: 'string', default: tasks.join(',') },
      rounds: { type: 'string', default: '3' },
      threads: { type: 'string', default: '2' },
      python: { type: 'string' },
      worker: { type: 'string' },
    },
  });
  const threads = Number(values.threads);
  const worker = tasks.find((task) => task === values.worker);
  if (worker) {
    const result = worker === 'reward' ? measureReward() : await measureSteps(worker, { threads });
    console.log(JSON.stringify(result));
    return 0;
  }
  console.log(machine());
  const rows: (string | number)[][] = [];
  const add = (name: string, results: readonly Measured[]) => {
    const seconds = median(results.map((result) => result.seconds));
    const peak = Math.max(...results.map((result) => result.peak)) / 2 ** 30;
    const shown = seconds < 0.1 ? `${(1000 * seconds).toFixed(2)} ms` : `${seconds.toFixed(2)} s`;
    rows.push([name, shown, peak.toFixed(2)]);
    return seconds;
  };
  for (const task of tasks.filter((name) => values.tasks.split(',').includes(name))) {
    const own = () =>
      child(process.execPath, [...self(), '--worker', task, ...threadFlag(threads)]);
    if (task !== 'cached' || !values.python) {
      add(task, [own()]);
      continue;
    }
    const [ours, theirs]: Measured[][] = [[], []];
    // The two take turns, so that a machine that drifts treats them alike.
    for (let round = 0; round < Number(values.rounds); round++) {
      ours.push(own());
      theirs.push(child(values.python, [peer, String(threads)]));
    }
    const ratio = add('cached, PyTorch', theirs) / add('cached, refcap', ours);
    console.log(`decoder on cached features: ${ratio.toFixed(2)} times as fast as PyTorch`);
  }
  printTable(['task', 'a step', 'peak GiB'], rows);
  return 0;
}

const peer = fileURLToPath(new URL('./peers/train.py', import.meta.url));

function self(): string[] {
  return ['--import', 'tsx', fileURLToPath(new URL('./main.ts', import.meta.url)), 'train'];
}

function threadFlag(threads: number): string[] {
  return ['--threads', String(threads)];
}

function child(program: string, args: readonly string[]): Measured {
  const text = execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return JSON.parse(text.trim().split('\n').at(-1) ?? '');
}
