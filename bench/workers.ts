/**
 * What worker threads do to captioning: how long the caller's event loop is kept waiting, and pictures a second,
 * with and without workers, the ways taking turns.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Captioner, type CaptionOptions } from '../src/caption/captioner.ts';
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
  printTable(['', 'workers', 'lag p99, ms', 'lag max, ms', 'pictures a second', 'ratio'], rows);
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
    const p99 = median(found[i].map((turn) => turn.p99));
    const max = Math.max(...found[i].map((turn) => turn.max));
    const what = `${name}, ${beams} beams, batch ${batchSize}`;
    const numbers = [p99.toFixed(1), max.toFixed(1), rate.toFixed(2), (rate / first).toFixed(2)];
    return [what, String(count), ...numbers];
  });
}

interface Turn {
  /** Milliseconds that the event loop came late: the 99th percentile and the most. */
  readonly p99: number;
  readonly max: number;
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
  // A timer of so many milliseconds: what it waits beyond them is the lag.
  const resolution = 1;
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  const started = performance.now();
  await captionRun(captioner, listInputs(inputs), nowhere, { options, batchSize, failFast: true });
  const seconds = (performance.now() - started) / 1000;
  delay.disable();
  const lag = (nanoseconds: number) => nanoseconds / 1e6 - resolution;
  return { p99: lag(delay.percentile(99)), max: lag(delay.max), rate: inputs.length / seconds };
}
