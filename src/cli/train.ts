/** `refcap train`: trains a captioner on a folder of pictures with captions. */
import { Command } from 'commander';
import { parseTrainConfig, type TrainConfig } from '../train/config.ts';
import { trainRun } from '../train/run.ts';
import type { TrainingEvent } from '../train/trainer.ts';
import { number } from './values.ts';

interface TrainFlags {
  data: string;
  tower: string;
  output: string;
  cache?: string;
  threads?: number;
  device?: string;
  seed?: number;
  epochs?: number;
  batchSize?: number;
  learningRate?: number;
  dropout?: number;
  layers?: number;
  width?: number;
  heads?: number;
}

export const command = new Command('train')
  .description('Train a captioner: a decoder from scratch over a pretrained vision tower.')
  .requiredOption('--data <source>', 'pictures with captions: a folder or a caption file')
  .requiredOption('--tower <folder>', 'pretrained vision tower (config.json, model.safetensors)')
  .requiredOption('--output <folder>', 'where the run goes: metrics.jsonl, best/ and last/')
  .option('--cache <folder>', 'where image features are kept (default: OUTPUT/features)')
  .option('--seed <number>', 'seed of weights, order and dropout (default: 1)', number)
  .option('--epochs <number>', 'passes over the training images (default: 8)', number)
  .option('--batch-size <number>', 'images a step (default: 32)', number)
  .option('--learning-rate <number>', 'peak learning rate (default: 0.001)', number)
  .option('--dropout <rate>', 'dropout of the decoder (default: 0.15)', number)
  .option('--layers <number>', 'layers of the decoder (default: 2)', number)
  .option('--width <number>', 'width of the decoder (default: 256)', number)
  .option('--heads <number>', 'attention heads (default: 8)', number)
  .option('--threads <number>', 'processor threads (default: all cores)', number)
  .option('--device <name>', "where to compute: 'cpu', 'webgpu', ... (default: cpu)")
  .action(run);

async function run(flags: TrainFlags): Promise<void> {
  const { data, tower, output, cache, threads, device, ...settings } = flags;
  const config = parseTrainConfig(settings);
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    await trainRun({
      data,
      tower,
      output,
      config,
      ...(cache !== undefined && { cache }),
      ...(threads !== undefined && { threads }),
      ...(device !== undefined && { device }),
      signal: stop.signal,
      onNote: (note) => console.error(note),
      onFeatures: progressLine('image features'),
      onEvent: eventPrinter(config),
    });
    console.log(`${output}/best`);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    console.error(`\nStopped. The model of the last finished epoch, if any, is in ${output}.`);
    process.exitCode = 130;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/** A line that is overwritten on a terminal, and printed at every tenth in a pipe. */
function progressLine(what: string): (done: number, total: number) => void {
  let started: number | undefined;
  let tenth = -1;
  return (done, total) => {
    started ??= performance.now();
    const rate = done / ((performance.now() - started) / 1000);
    const text = `${what}: ${done} of ${total}, ${rate.toFixed(0)} a second`;
    if (process.stderr.isTTY) process.stderr.write(`\r${text}${done === total ? '\n' : ''}`);
    else if (Math.floor((10 * done) / total) > tenth) {
      tenth = Math.floor((10 * done) / total);
      console.error(text);
    }
  };
}

function eventPrinter(config: TrainConfig): (event: TrainingEvent) => void {
  const started = performance.now();
  let first: number | undefined;
  let average = 0;
  return (event) => {
    if (event.kind === 'skipped') {
      console.error(
        `\nstep ${event.step}: no finite loss or gradient, skipped (${event.inARow} in a row)`,
      );
    } else if (event.kind === 'validation') {
      const clear = process.stderr.isTTY ? '\r\x1b[K' : '';
      const minutes = ((performance.now() - started) / 60000).toFixed(1);
      console.error(
        `${clear}epoch ${event.epoch} of ${config.epochs}: dev ${event.lossPerWord.toFixed(3)} nats a word, ${minutes} min`,
      );
    } else {
      first ??= performance.now();
      average = event.step === 1 ? event.loss : 0.95 * average + 0.05 * event.loss;
      const each = (performance.now() - first) / Math.max(1, event.step - 1);
      const left = ((event.totalSteps - event.step) * each) / 60000;
      const text = `step ${event.step} of ${event.totalSteps}, loss ${average.toFixed(3)}, ${event.imagesPerSecond.toFixed(0)} images/s, ${left.toFixed(1)} min left`;
      if (process.stderr.isTTY) process.stderr.write(`\r${text}\x1b[K`);
      else if (event.step % (10 * config.logEvery) === 0) console.error(text);
    }
  };
}
