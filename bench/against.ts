/**
 * This clone against another one of an earlier state, built there: the same work on one thread by turns, so that a machine
 * that drifts treats them alike. The processor's time is compared beside the clock's: it says something also where other
 * programs run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { machine, median, printTable } from './measure.ts';
import { metricTasks, writeCorpus } from './metrics.ts';

const here = fileURLToPath(new URL('..', import.meta.url));

const groups = ['metrics', 'score', 'caption', 'train', 'engine'] as const;
type Group = (typeof groups)[number];

interface Work {
  readonly name: string;
  /** Of Node, in the clone's folder. */
  readonly args: readonly string[];
}

/** Of one run, in seconds; where the work prints its own, without its start. */
interface Seconds {
  readonly clock: number;
  readonly processor: number;
}

const usage = `Usage: npm run bench -- against FOLDER [--rounds 5] [--tasks ${groups.join(',')}] [--images 1000]
  FOLDER  another clone with its packages, built`;

export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '5' },
      tasks: { type: 'string', default: groups.join(',') },
      images: { type: 'string', default: '1000' },
    },
  });
  const [other] = positionals.map((path) => resolve(path));
  if (other === undefined || !existsSync(join(other, 'dist/cli/main.js'))) {
    console.error(usage);
    return 2;
  }
  const wanted = values.tasks.split(',');
  console.log(machine());
  const folder = mkdtempSync(join(tmpdir(), 'refcap-against-'));
  try {
    const corpus = writeCorpus(Number(values.images), folder);
    const rows: string[][] = [];
    for (const group of groups.filter((name) => wanted.includes(name)))
      for (const work of workOf(group, corpus, other)) {
        rows.push(compare(work, other, Number(values.rounds)));
        console.error(rows.at(-1)?.join('  '));
      }
    printTable(['seconds, median', 'there', 'here', 'ratio of speeds', 'by processor time'], rows);
  } finally {
    rmSync(folder, { recursive: true });
  }
  return 0;
}

function workOf(group: Group, corpus: ReturnType<typeof writeCorpus>, other: string): Work[] {
  const bench = (file: string, ...args: string[]): readonly string[] => [
    ...['--import', 'tsx', `bench/${file}`],
    ...args,
  ];
  const command = (...args: string[]): readonly string[] => ['dist/cli/main.js', ...args];
  switch (group) {
    case 'metrics':
      return [...metricTasks, 'all'].map((task) => ({
        name: task,
        args: bench('metrics-task.ts', task, corpus.captions),
      }));
    case 'score': {
      const files = [corpus.candidates, '--references', corpus.references];
      const metrics = ['--metrics', 'bleu,meteor,rouge-l,cider,rouge'];
      return [
        {
          name: 'refcap score',
          args: command('score', ...files, ...metrics, '--workers', '0'),
        },
      ];
    }
    case 'caption':
      return ['1', '3'].map((beams) => ({
        name: `refcap caption, 14 samples, beams ${beams}`,
        args: command(
          ...['caption', 'samples', '--quiet', '--threads', '1', '--beams', beams],
          // Both read one model: each bundles another.
          ...['--model', join(other, 'models/refcap-small')],
        ),
      }));
    case 'train':
      return ['cached', 'reward'].map((task) => ({
        name: `train, ${task}`,
        args: bench('main.ts', 'train', '--worker', task, '--threads', '1'),
      }));
    case 'engine': {
      const sizes = ['--batch', '1', '--steps', '2', '--threads', '1'];
      return [
        { name: 'engine, BLIP base', args: bench('main.ts', 'engine', '--worker', ...sizes) },
      ];
    }
  }
}

/** Ratios are medians of the rounds' own: a machine's speed drifts less within one. */
function compare({ name, args }: Work, other: string, rounds: number): string[] {
  const found: { readonly there: Seconds; readonly here: Seconds }[] = [];
  // The first round is for warmth alone; who comes first changes.
  for (let round = 0; round <= rounds; round++) {
    const first = measure(args, round % 2 ? other : here);
    const second = measure(args, round % 2 ? here : other);
    if (round > 0)
      found.push(round % 2 ? { there: first, here: second } : { there: second, here: first });
  }
  const ratio = (of: keyof Seconds): string =>
    median(found.map(({ there, here }) => there[of] / here[of])).toFixed(3);
  const seconds = (where: 'there' | 'here'): string =>
    median(found.map((round) => round[where].clock)).toFixed(3);
  return [name, seconds('there'), seconds('here'), ratio('clock'), ratio('processor')];
}

/** Tells the processor's time at the end of a process. */
const telling = `--import=data:text/javascript,${encodeURIComponent(`
  import { isMainThread } from 'node:worker_threads';
  if (isMainThread) process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    console.error(\`processor \${user + system}\`);
  });`)}`;

function measure(args: readonly string[], root: string): Seconds {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [telling, ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const clock = (performance.now() - started) / 1000;
  const [, microseconds] = /processor (\d+)/.exec(stderr) ?? [];
  if (status !== 0 || microseconds === undefined)
    throw new Error(`${root}: ${args.join(' ')} ended with ${status}: ${stderr}`);
  const whole = { clock, processor: Number(microseconds) / 1e6 };
  const last = stdout.trim().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) return whole;
  const own: { seconds?: number; cpuSeconds?: number } = JSON.parse(last);
  return { clock: own.seconds ?? whole.clock, processor: own.cpuSeconds ?? whole.processor };
}
