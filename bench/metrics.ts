/** Measures each metric and the whole set at several sizes, beside the reference programs where given a Python with them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { machine } from './measure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
export const metricTasks = ['tokenizer', 'BLEU', 'ROUGE-L', 'CIDEr', 'METEOR', 'rouge_score'];

/**
 * Seconds of the reference stack (pycocoevalcap with Java, rouge_score) on a two-core machine, for
 * 1,000, 5,000 and 40,504 images: what is printed where no Python is given.
 */
const known: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  tokenizer: { 1000: 0.83, 5000: 1.33, 40504: 5.1 },
  BLEU: { 1000: 0.2, 5000: 1.04, 40504: 7.2 },
  'ROUGE-L': { 1000: 0.19, 5000: 0.77, 40504: 6.7 },
  CIDEr: { 1000: 0.82, 5000: 4.07, 40504: 37.5 },
  METEOR: { 1000: 4.55, 5000: 9.36, 40504: 38.4 },
  rouge_score: { 1000: 0.51, 5000: 2.28, 40504: 20.2 },
};

interface Measurement {
  seconds: number;
  /** Of all threads: more than `seconds` says that several worked, less that the process had to wait. */
  cpuSeconds: number;
  peakMiB: number;
}

const usage = `Usage: npm run bench -- metrics [--sizes 1000,5000,40504] [--runs 3] [--python PATH]
  --python  a Python with pycocoevalcap and rouge_score, to be timed in the same run`;

export async function run(args: readonly string[]): Promise<number> {
  let options: { sizes: string; runs: string; python?: string };
  try {
    options = parseArgs({
      args: [...args],
      options: {
        sizes: { type: 'string', default: '1000,5000,40504' },
        runs: { type: 'string', default: '3' },
        python: { type: 'string' },
      },
    }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  const sizes = options.sizes.split(',').map(Number);
  const runs = Number(options.runs);
  if (![...sizes, runs].every((value) => Number.isInteger(value) && value > 0)) {
    console.error(usage);
    return 2;
  }
  console.log(machine());
  console.log(`Each figure is the median of ${runs} fresh processes.`);
  const folder = mkdtempSync(join(tmpdir(), 'refcap-bench-'));
  try {
    for (const size of sizes) measureSize(size, runs, folder, options.python);
  } finally {
    rmSync(folder, { recursive: true });
  }
  return 0;
}

function measureSize(size: number, runs: number, folder: string, python: string | undefined): void {
  const { captions, candidates, references } = writeCorpus(size, folder);
  const peer = python ? 'reference, measured' : 'reference, known';
  console.log(`\n${size} images with 5 references`);
  print(['', 'seconds', 'of CPU', 'peak MiB', peer, 'times as fast']);
  let referenceSum = 0;
  for (const task of metricTasks) {
    const own = median(runs, () => measure([...taskCommand, task, captions]));
    const reference = python
      ? median(runs, () => measure([python, join(root, 'bench/peers/metrics.py'), captions, task]))
      : known[task][size];
    const seconds = typeof reference === 'number' ? reference : reference?.seconds;
    if (seconds !== undefined) referenceSum += seconds;
    print(row(task, own, seconds));
  }
  const sum = python || size in known.BLEU ? referenceSum : undefined;
  print(
    row(
      'all, one thread',
      median(runs, () => measure([...taskCommand, 'all', captions])),
      sum,
    ),
  );
  print(
    row(
      'refcap score',
      median(runs, () => measureCommand(candidates, references)),
      sum,
    ),
  );
}

const taskCommand = [process.execPath, '--import', 'tsx', join(root, 'bench/metrics-task.ts')];

/** The tests' captions, repeated under new ids, as the tasks and as `refcap score` read them. */
export function writeCorpus(size: number, folder: string) {
  const fixture = join(root, 'test/fixtures/metrics/coco_fakecap1000.json');
  const { items } = JSON.parse(readFileSync(fixture, 'utf8')) as {
    items: { candidate: string; references: string[] }[];
  };
  const images = Array.from({ length: size }, (_, id) => {
    const { candidate, references } = items[id % items.length];
    return { candidate, references: references.slice(0, 5) };
  });
  const write = (name: string, text: string) => {
    const path = join(folder, `${name}-${size}`);
    writeFileSync(path, text);
    return path;
  };
  const lines = (rows: object[]) => rows.map((line) => `${JSON.stringify(line)}\n`).join('');
  return {
    captions: write('captions', JSON.stringify(images)),
    candidates: write(
      'candidates',
      lines(images.map(({ candidate }, id) => ({ image_id: id, caption: candidate }))),
    ),
    references: write(
      'references',
      lines(
        images.flatMap(({ references }, id) =>
          references.map((caption) => ({ image_id: id, caption })),
        ),
      ),
    ),
  };
}

/** Runs a program that prints its own seconds. */
function measure([program, ...args]: string[]): Measurement | undefined {
  const result = spawnSync(program, args, { encoding: 'utf8', cwd: root, maxBuffer: 2 ** 28 });
  const line = result.stdout?.trim().split('\n').at(-1) ?? '';
  if (result.status === 0) return JSON.parse(line) as Measurement;
  console.error(`${program} ${args.join(' ')} failed: ${result.stderr ?? result.error?.message}`);
  return undefined;
}

/** The command as a person runs it, from its start to its end: reading, all metrics on all cores, report. */
function measureCommand(candidates: string, references: string): Measurement | undefined {
  const peak = `import { isMainThread } from 'node:worker_threads';
    if (isMainThread) process.on('exit', () => {
      const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
      console.error(\`peak \${maxRSS} \${userCPUTime + systemCPUTime}\`);
    });`;
  const start = performance.now();
  const result = spawnSync(
    process.execPath,
    [
      `--import=data:text/javascript,${encodeURIComponent(peak)}`,
      join(root, 'dist/cli/main.js'),
      ...['score', candidates, '--references', references, '--format', 'json'],
      ...['--metrics', 'bleu,meteor,rouge-l,cider,rouge'],
    ],
    { encoding: 'utf8', cwd: root },
  );
  const seconds = (performance.now() - start) / 1000;
  if (result.status !== 0) {
    console.error(result.stderr);
    return undefined;
  }
  const [, peakKiB, microseconds] = /peak (\d+) (\d+)/.exec(result.stderr) ?? [];
  return { seconds, cpuSeconds: Number(microseconds) / 1e6, peakMiB: Number(peakKiB) / 1024 };
}

/** The median in time of several measurements; undefined if one failed. */
function median(runs: number, measureOnce: () => Measurement | undefined): Measurement | undefined {
  const results: Measurement[] = [];
  for (let index = 0; index < runs; index++) {
    const result = measureOnce();
    if (!result) return undefined;
    results.push(result);
  }
  results.sort((a, b) => a.seconds - b.seconds);
  return results[results.length >> 1];
}

function row(name: string, own: Measurement | undefined, reference: number | undefined): string[] {
  const peak = own?.peakMiB ? own.peakMiB.toFixed(0) : '-';
  const times = own && reference !== undefined ? (reference / own.seconds).toFixed(1) : '-';
  const cpu = own?.cpuSeconds?.toFixed(3) ?? '-';
  return [name, own?.seconds.toFixed(3) ?? '-', cpu, peak, reference?.toFixed(2) ?? '-', times];
}

function print([name, ...cells]: string[]): void {
  const widths = [9, 9, 10, 20, 14];
  console.log(
    `${name.padEnd(16)}${cells.map((cell, index) => cell.padStart(widths[index])).join('')}`,
  );
}
