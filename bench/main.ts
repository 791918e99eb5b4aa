/** The benchmark runner: `npm run bench -- SUBJECT ...` measures the project, and peers where they are installed. */

interface Benchmark {
  /** Returns the exit code. */
  run(args: readonly string[]): Promise<number>;
}

/** What can be measured, each loaded only when asked for. */
const subjects: Readonly<Record<string, () => Promise<Benchmark>>> = {
  against: () => import('./against.ts'),
  browser: () => import('./browser.ts'),
  caption: () => import('./caption.ts'),
  engine: () => import('./engine.ts'),
  explain: () => import('./explain.ts'),
  folder: () => import('./folder.ts'),
  memory: () => import('./memory.ts'),
  metrics: () => import('./metrics.ts'),
  scaling: () => import('./scaling.ts'),
  scenes: () => import('./scenes.ts'),
  serve: () => import('./serve.ts'),
  shards: () => import('./shards.ts'),
  start: () => import('./start.ts'),
  threads: () => import('./threads.ts'),
  train: () => import('./train.ts'),
  video: () => import('./video.ts'),
  workers: () => import('./workers.ts'),
};

const [subject = '', ...args] = process.argv.slice(2);
const load = Object.hasOwn(subjects, subject) ? subjects[subject] : undefined;
if (load) {
  process.exitCode = await (await load()).run(args);
} else {
  console.error(`Usage: npm run bench -- ${Object.keys(subjects).join('|')} ...`);
  process.exitCode = 2;
}
