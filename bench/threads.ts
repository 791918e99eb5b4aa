/**
 * How the threads of ONNX Runtime wait for work: in a loop (its default) or giving the core away. Both
 * ways take turns, for the bundled model, for one of BLIP-base's sizes, and for a decoder's training
 * steps: what `src/engine/thread-settings.ts` chooses by.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Captioner } from '../src/caption/captioner.ts';
import type { CaptionOptions } from '../src/caption/options.ts';
import { baseSizedModel } from './base-sized-model.ts';
import { machine, median, printTable } from './measure.ts';
import { measureSteps } from './train.ts';

const samples = fileURLToPath(new URL('../samples/', import.meta.url));
const bundled = fileURLToPath(new URL('../models/refcap-small/', import.meta.url));

const spinning = { 'session.intra_op.allow_spinning': '1' };
const yielding = { 'session.intra_op.allow_spinning': '0' };

interface Settings {
  readonly repeats: number;
  readonly threads: number;
}

/** `npm run bench -- threads [--repeats 5] [--threads 2] [--tasks small,base,train]` */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      repeats: { type: 'string', default: '5' },
      threads: { type: 'string', default: '2' },
      tasks: { type: 'string', default: 'small,base,train' },
    },
  });
  const settings = { repeats: Number(values.repeats), threads: Number(values.threads) };
  const tasks = values.tasks.split(',');
  console.log(machine());
  const rows: string[][] = [];
  if (tasks.includes('small'))
    rows.push(...(await captionRows('refcap-small', bundled, 4, settings)));
  if (tasks.includes('base'))
    rows.push(...(await captionRows('BLIP base', await baseSizedModel(), 1, settings)));
  if (tasks.includes('train')) rows.push(await trainRow(settings));
  printTable(['images a second, median', 'in a loop', 'yielding', 'ratio'], rows);
  return 0;
}

async function captionRows(
  name: string,
  model: string,
  batchSize: number,
  { repeats, threads }: Settings,
): Promise<string[][]> {
  const open = (extra: Readonly<Record<string, string>>) =>
    Captioner.load(model, { threads, extra });
  using loop = await open(spinning);
  using giving = await open(yielding);
  const files = (await readdir(samples)).filter((file) => file.endsWith('.jpg')).slice(0, 12);
  const images = await Promise.all(files.map((file) => loop.prepare(join(samples, file))));
  const rate = async (captioner: Captioner, options: CaptionOptions) => {
    const started = performance.now();
    for (let at = 0; at < images.length; at += batchSize)
      await captioner.captionPrepared(images.slice(at, at + batchSize), options);
    return images.length / ((performance.now() - started) / 1000);
  };
  const rows: string[][] = [];
  for (const beams of [1, 3]) {
    const options = { num_beams: beams };
    const rates = await inTurns(repeats, [() => rate(loop, options), () => rate(giving, options)]);
    rows.push(
      row(`${name}, ${beams === 1 ? 'greedy' : `${beams} beams`}, batch ${batchSize}`, rates),
    );
  }
  return rows;
}

async function trainRow({ repeats, threads }: Settings): Promise<string[]> {
  const rate = async (extra: Readonly<Record<string, string>>) =>
    32 / (await measureSteps('cached', { threads, extra })).seconds;
  const rates = await inTurns(repeats, [() => rate(spinning), () => rate(yielding)]);
  return row('training steps of a decoder on cached features', rates);
}

/** Medians of what the measurements give, run in turns, the first turn being for warmth alone. */
async function inTurns(
  repeats: number,
  measurements: readonly (() => Promise<number>)[],
): Promise<number[]> {
  const found = measurements.map((): number[] => []);
  for (let turn = 0; turn <= repeats; turn++)
    for (const [i, measure] of measurements.entries()) {
      const value = await measure();
      if (turn > 0) found[i].push(value);
      // Threads may wait in their loop a little after their work.
      await sleep(200);
    }
  return found.map(median);
}

function row(name: string, [loop, giving]: readonly number[]): string[] {
  return [name, loop.toFixed(1), giving.toFixed(1), (giving / loop).toFixed(2)];
}
