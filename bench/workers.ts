/**
 * What worker threads do to captioning: how long the caller's event loop is kept waiting, and pictures a second,
 * with and without workers, the ways taking turns. A process that does nothing is measured beside: what it waits for
 * a core is the machine's.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Captioner } from '../src/caption/captioner.ts';
import type { CaptionOptions } from '../src/caption/options.ts';
import type { CaptionSink } from '../src/caption/output/output.ts';
import { captionRun } from '../src/caption/run.ts';
import { listInputs } from '../src/caption/sources/inputs.ts';
import { baseSizedModel } from './base-sized-model.ts';
import { machine, median, printTable } from './measure.ts';

const samples = fileURLToPath(new URL('../samples/', import.meta.url));
const bundled = fileURLToPath(new URL('../models/refcap-small/', import.meta.url));

interface Settings {
  readonly repeats: number;
  readonly workers: readonly number[];
}

/** `npm run bench -- workers [--repeats 5] [--workers 0,1,2] [--tasks base,small]` */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      repeats: { type: 'string', default: '5' },
      workers: { type: 'string', default: '0,1,2' },
      tasks: { type: 'string', default: 'base,small' },
    },
  });
  const workers = values.workers.split(',').map(Number);
  const settings = { repeats: Number(values.repeats), workers };
  const tasks = values.tasks.split(',');
  console.log(machine());
  const rows: string[][] = [];
  if (tasks.includes('base'))
    rows.push(...(await rowsOf('BLIP base', await baseSizedModel(), 5, 4, 1, settings)));
  if (tasks.includes('small'))
    rows.push(...(await rowsOf('refcap-small', bundled, 3, 4, 8, settings)));
  const header = ['', 'workers', 'lag p99, ms', 'lag max, ms', 'idle process p99', 'max'];
  printTable([...header, 'pictures a second', 'ratio'], rows);
  return 0;
}

/** A row for each number of workers, after one turn for warmth. @param rounds of the sample photos a turn */
async function rowsOf(
  name: string,
  model: string,
  beams: number,
  batchSize: number,
  rounds: number,
  { repeats, workers }: Settings,
): Promise<string[][]> {
  const photos = (await readdir(samples)).filter((file) => file.endsWith('.jpg'));
  const files = photos.map((file) => join(samples, file)).slice(0, 8);
  const inputs = Array.from({ length: rounds }, () => files).flat();
  const options: CaptionOptions = { num_beams: beams, min_length: 20, max_length: 20 };
  const found = workers.map((): Turn[] => []);
  const captioners: Captioner[] = [];
  for (const count of workers) captioners.push(await Captioner.load(model, { workers: count }));
  for (let turn = 0; turn <= repeats; turn++)
    for (const [i, captioner] of captioners.entries()) {
      const one = await measure(captioner, inputs, options, batchSize);
      if (turn > 0) found[i].push(one);
      // Threads may wait in their loop a little after their work.
      await sleep(200);
    }
  for (const captioner of captioners) captioner[Symbol.dispose]();
  const first = median(found[0].map(({ rate }) => rate));
  return workers.map((count, i) => {
    const rate = median(found[i].map((turn) => turn.rate));
    const lags = [found[i].map((turn) => turn.own), found[i].map((turn) => turn.idle)];
    const what = `${name}, ${beams} beams, batch ${batchSize}`;
    const shown = lags.flatMap((all) => [
      median(all.map(({ p99 }) => p99)).toFixed(1),
      median(all.map(({ max }) => max)).toFixed(1),
    ]);
    return [what, String(count), ...shown, rate.toFixed(2), (rate / first).toFixed(2)];
  });
}

/** Milliseconds that an event loop came late: the 99th percentile and the most. */
interface Lag {
  readonly p99: number;
  readonly max: number;
}

interface Turn {
  readonly own: Lag;
  /** Of a process that does nothing. */
  readonly idle: Lag;
  /** Pictures a second. */
  readonly rate: number;
}

async function measure(
  captioner: Captioner,
  inputs: readonly string[],
  options: CaptionOptions,
  batchSize: number,
): Promise<Turn> {
  const nowhere: CaptionSink = {
    has: async () => false,
    write: async () => undefined,
    finish: async () => undefined,
  };
  const idle = await IdleProcess.start();
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  const started = performance.now();
  await captionRun(captioner, listInputs(inputs), nowhere, { options, batchSize, failFast: true });
  const seconds = (performance.now() - started) / 1000;
  delay.disable();
  const own = lagOf(delay.percentile(99), delay.max);
  return { own, idle: await idle.stop(), rate: inputs.length / seconds };
}

/** Milliseconds of the timer that is measured: what it waits beyond them is the lag. */
const resolution = 1;

function lagOf(p99: number, max: number): Lag {
  return { p99: p99 / 1e6 - resolution, max: max / 1e6 - resolution };
}

/** A process whose event loop has nothing to do but to measure its own lag. */
class IdleProcess {
  readonly #child = spawn(process.execPath, ['--input-type=module', '-e', idleScript], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });

  static async start(): Promise<IdleProcess> {
    const one = new IdleProcess();
    await once(one.#child.stdout, 'data');
    return one;
  }

  async stop(): Promise<Lag> {
    this.#child.stdin.end();
    const [text] = await once(this.#child.stdout, 'data');
    const [p99, max] = String(text).split(' ').map(Number);
    return lagOf(p99, max);
  }
}

const idleScript = `
  import { monitorEventLoopDelay } from 'node:perf_hooks';
  const delay = monitorEventLoopDelay({ resolution: ${resolution} });
  process.stdin.resume().on('end', () => console.log(delay.percentile(99), delay.max));
  console.log('ready');
  delay.enable();`;
