/**
 * Captioning with a model of BLIP-base's sizes (random weights, 384 px, lengths forced to 20), stage
 * by stage and as a whole; beside transformers' `generate` where a Python with it is given, the two
 * taking turns in one run.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createRandom } from '../src/base/random.ts';
import { Captioner } from '../src/caption/captioner.ts';
import type { CaptionOptions } from '../src/caption/options.ts';
import { blipPreprocessing, createPreprocessor, decodeImage } from '../src/data/index.ts';
import { input } from '../src/engine/graph/graph.ts';
import { type Tensor, tensor } from '../src/engine/runtime/tensor.ts';
import { Inference } from '../src/generation/inference.ts';
import { openGraph } from '../src/generation/open-graph.ts';
import { visionTower } from '../src/model/blip.ts';
import { loadModel } from '../src/model/checkpoint/pretrained.ts';
import { baseSizedModel } from './base-sized-model.ts';
import { machine, median, peakMemory, printTable } from './measure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const forced: CaptionOptions = { min_length: 20, max_length: 20 };
const newTokens = 19;

interface Settings {
  readonly batches: readonly number[];
  readonly beams: readonly number[];
  readonly repeats: number;
  readonly threads: number | undefined;
  readonly quantize: 'int8' | undefined;
  readonly python: string | undefined;
}

export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      python: { type: 'string' },
      batches: { type: 'string', default: '1,4' },
      beams: { type: 'string', default: '1,3' },
      repeats: { type: 'string', default: '3' },
      threads: { type: 'string' },
      quantize: { type: 'string' },
      model: { type: 'string' },
    },
  });
  const list = (text: string) => text.split(',').map(Number);
  const settings: Settings = {
    batches: list(values.batches),
    beams: list(values.beams),
    repeats: Number(values.repeats),
    threads: values.threads === undefined ? undefined : Number(values.threads),
    quantize: values.quantize === 'int8' ? 'int8' : undefined,
    python: values.python,
  };
  const folder = values.model ?? (await baseSizedModel());
  console.log(machine());
  console.log(`start to first caption: ${startToFirstCaption(folder, settings).toFixed(2)} s`);
  const peer = settings.python
    ? await Peer.start(settings.python, folder, settings.threads)
    : undefined;
  try {
    await measureImages();
    await measureVision(folder, settings, peer);
    await measureCaptions(folder, settings, peer);
    await measureStages(folder, settings);
  } finally {
    peer?.stop();
  }
  return 0;
}

/** Seconds from starting the command to its result, the weights being in the page cache. */
function startToFirstCaption(folder: string, { quantize }: Settings): number {
  const command = [join(root, 'dist/cli/main.js'), 'caption', join(root, 'samples/cat.jpg')];
  const options = ['--model', folder, '--quiet', ...(quantize ? ['--quantize', quantize] : [])];
  const seconds = [1, 2, 3].map(() => {
    const start = performance.now();
    execFileSync(process.execPath, [...command, ...options], { stdio: 'pipe' });
    return (performance.now() - start) / 1000;
  });
  return Math.min(...seconds);
}

/** transformers in a process of its own, which waits while the project runs. */
class Peer {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>) {
    this.#child = child;
    this.#lines = lines;
  }

  static async start(python: string, folder: string, threads: number | undefined): Promise<Peer> {
    const script = join(root, 'bench/peers/caption.py');
    const child = spawn(python, [script, folder, String(threads ?? 0)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child, 'spawn');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { value } = await lines.next();
    console.log(`peer: ${value}`);
    return new Peer(child, lines);
  }

  async measure(
    task: Readonly<Record<string, unknown>>,
  ): Promise<{ seconds: number; peak: number }> {
    this.#child.stdin?.write(`${JSON.stringify(task)}\n`);
    const { value } = await this.#lines.next();
    return JSON.parse(value) as { seconds: number; peak: number };
  }

  stop(): void {
    this.#child.stdin?.end();
  }
}

/** Medians of the project and of the peer, each run once before and then in turns. */
async function sideBySide(
  ours: () => Promise<unknown>,
  peer: Peer | undefined,
  task: Readonly<Record<string, unknown>>,
  repeats: number,
): Promise<{ ours: number; theirs: number | undefined }> {
  const seconds: number[] = [];
  const theirs: number[] = [];
  for (let i = 0; i <= repeats; i++) {
    const start = performance.now();
    await ours();
    const one = (performance.now() - start) / 1000;
    if (i > 0) seconds.push(one);
    // Threads of either side may spin a little after their work.
    await sleep(200);
    if (!peer) continue;
    const result = await peer.measure(task);
    if (i > 0) theirs.push(result.seconds);
    await sleep(200);
  }
  return { ours: median(seconds), theirs: peer && median(theirs) };
}

function row(
  name: string,
  { ours, theirs }: { ours: number; theirs: number | undefined },
): string[] {
  const ratio = theirs === undefined ? '' : (theirs / ours).toFixed(2);
  return [name, ours.toFixed(3), theirs?.toFixed(3) ?? '', ratio];
}

const header = ['seconds, median', 'refcap', 'transformers', 'times as fast'];

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

async function measureVision(
  folder: string,
  settings: Settings,
  peer: Peer | undefined,
): Promise<void> {
  await using model = await loadModel(folder);
  const { vision_config: vision } = model.config;
  const side = vision.image_size;
  const { threads, quantize, repeats } = settings;
  using session = await openGraph(
    (scope) => ({
      tokens: visionTower(scope, vision, input('pixels', 'f32', ['images', 3, side, side])),
    }),
    model.weights,
    { ...(threads !== undefined && { threads }), ...(quantize && { quantize }) },
  );
  const rows: string[][] = [];
  for (const batch of settings.batches) {
    const pixels = randomPixels(batch, side);
    const result = await sideBySide(
      () => session.run({ pixels }),
      peer,
      { what: 'vision', batch },
      repeats,
    );
    rows.push(row(`vision tower, batch ${batch}`, result));
  }
  printTable(header, rows);
}

async function measureCaptions(
  folder: string,
  settings: Settings,
  peer: Peer | undefined,
): Promise<void> {
  const { threads, quantize, repeats } = settings;
  using captioner = await Captioner.load(folder, {
    ...(threads !== undefined && { threads }),
    ...(quantize && { quantize }),
  });
  const side = captioner.config.vision_config.image_size;
  const rows: string[][] = [];
  for (const beams of settings.beams)
    for (const batch of settings.batches) {
      const images = Array.from({ length: batch }, () => ({
        pixels: randomPixels(1, side).data,
        width: side,
        height: side,
      }));
      const result = await sideBySide(
        () => captioner.captionPrepared(images, { ...forced, num_beams: beams }),
        peer,
        { what: 'generate', batch, beams },
        repeats,
      );
      rows.push(row(`${beams === 1 ? 'greedy' : `${beams} beams`}, batch ${batch}`, result));
    }
  printTable(header, rows);
  const theirs = peer && (await peer.measure({ what: 'vision', batch: 1 }));
  const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(2);
  console.log(
    `peak memory: ${gib(peakMemory())} GiB${theirs ? `, transformers ${gib(theirs.peak)} GiB` : ''}`,
  );
}

/** Where the time of a caption goes. */
async function measureStages(folder: string, settings: Settings): Promise<void> {
  await using model = await loadModel(folder);
  const { threads, quantize, repeats } = settings;
  using inference = await Inference.open(model.config, model.weights, {
    ...(threads !== undefined && { threads }),
    ...(quantize && { quantize }),
  });
  const rows: string[][] = [];
  for (const beams of settings.beams)
    for (const batch of settings.batches) {
      const pixels = randomPixels(batch, model.config.vision_config.image_size);
      const times: [number[], number[], number[]] = [[], [], []];
      for (let i = 0; i <= repeats; i++) {
        const start = performance.now();
        const encoded = await inference.encode(pixels);
        const ready = performance.now();
        const decoding = inference.decode(encoded);
        await decoding.step(new Int32Array(batch).fill(1), 1);
        const first = performance.now();
        decoding.select(
          [...Array(batch).keys()],
          Array.from({ length: batch * beams }, (_, slot) => Math.floor(slot / beams)),
        );
        for (let t = 1; t < newTokens; t++)
          await decoding.step(new Int32Array(batch * beams).fill(1), 1);
        if (i === 0) continue;
        times[0].push(ready - start);
        times[1].push(first - ready);
        times[2].push((performance.now() - first) / (newTokens - 1));
      }
      const ms = times.map((values) => median(values).toFixed(1));
      rows.push([`batch ${batch}, ${beams} beam${beams === 1 ? '' : 's'}`, ...ms]);
    }
  printTable(['milliseconds', 'vision and cross keys', 'prefill', 'per token'], rows);
}
