/**
 * Captioning a folder with the bundled model: the share of the run in which inference waits for pictures to be decoded and
 * resized, and what the command takes of memory as the pictures go by, which should stay as it is.
 * `npm run bench -- folder [--pictures 10000] [--waiting 336] [--rounds 3]`; 0 pictures leaves that part out.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Captioner } from '../src/caption/captioner.ts';
import { fileSink } from '../src/caption/output/output.ts';
import { captionRun } from '../src/caption/run.ts';
import { listInputs } from '../src/caption/sources/inputs.ts';
import { BusyTime } from './busy-time.ts';
import { machine, median, printTable } from './measure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const bundled = join(root, 'models/refcap-small');
const samples = join(root, 'samples');

/** The command's own batches with one member on a CPU. */
const batchSize = 4;

export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pictures: { type: 'string', default: '10000' },
      waiting: { type: 'string', default: '336' },
      rounds: { type: 'string', default: '3' },
    },
  });
  const [pictures, waiting, rounds] = [values.pictures, values.waiting, values.rounds].map(Number);
  console.log(machine());
  const folder = mkdtempSync(join(tmpdir(), 'refcap-folder-'));
  try {
    if (waiting > 0) await measureWaiting(await pictureFolder(folder, waiting), rounds);
    if (pictures > 0) await measureMemory(await pictureFolder(folder, pictures));
  } finally {
    rmSync(folder, { recursive: true });
  }
  return 0;
}

/** So many pictures in a folder: the sample photos, again and again. */
async function pictureFolder(parent: string, count: number): Promise<string> {
  const photos = readdirSync(samples).filter((name) => name.endsWith('.jpg'));
  const originals = join(parent, `${count}-originals`);
  const folder = join(parent, String(count));
  for (const path of [originals, folder]) mkdirSync(path);
  for (const name of photos) await copyFile(join(samples, name), join(originals, name));
  for (let i = 0; i < count; i++)
    linkSync(
      join(originals, photos[i % photos.length]),
      join(folder, `${String(i).padStart(6, '0')}.jpg`),
    );
  return folder;
}

/** The share of a run in which no batch is at work, from its first picture to its last row. */
async function measureWaiting(folder: string, rounds: number): Promise<void> {
  const rows: string[][] = [];
  for (const workers of [0, 1]) {
    using captioner = await Captioner.load(bundled, { workers });
    const busy = new BusyTime(captioner);
    const found: { waiting: number; rate: number }[] = [];
    for (let round = 0; round <= rounds; round++) {
      const sink = await fileSink(join(folder, `../${workers}-${round}.jsonl`), 'jsonl', {
        ...{ resume: false, overwrite: false, candidates: 1, batchSize },
      });
      busy.begin();
      const { captioned } = await captionRun(captioner, listInputs([folder]), sink, {
        ...{ options: captioner.defaults, batchSize, failFast: true },
      });
      const { waiting, seconds } = busy.end();
      await sink.finish();
      // The first warms up.
      if (round > 0) found.push({ waiting, rate: captioned / seconds });
    }
    rows.push([
      workers === 0 ? 'without workers' : 'one worker, as the command does',
      median(found.map(({ rate }) => rate)).toFixed(1),
      `${(100 * median(found.map((one) => one.waiting))).toFixed(1)} %`,
    ]);
  }
  printTable(['captioned from a folder', 'pictures a second', 'inference waits'], rows);
}

/** The command's resident set after each tenth of the pictures, and its peak. Linux alone tells it. */
async function measureMemory(folder: string): Promise<void> {
  const total = readdirSync(folder).length;
  const command = ['dist/cli/main.js', 'caption', folder, '--format', 'jsonl', '--quiet'];
  const child = spawn(process.execPath, command, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const rows: string[][] = [];
  let done = 0;
  const started = performance.now();
  for await (const _ of createInterface({ input: child.stdout })) {
    done += 1;
    if (done % Math.max(1, Math.floor(total / 10)) !== 0) continue;
    const memory = memoryOf(child.pid);
    const rate = (1000 * done) / (performance.now() - started);
    if (memory) rows.push([String(done), ...memory, rate.toFixed(1)]);
  }
  if (child.exitCode === null) await once(child, 'exit');
  if (child.exitCode !== 0) throw new Error(`refcap caption ended with ${child.exitCode}`);
  printTable(['pictures captioned', 'resident MiB', 'peak so far', 'a second so far'], rows);
}

/** A process's resident set and its peak, in MiB; undefined when it has ended, as it may after the last row. */
function memoryOf(pid: number | undefined): [string, string] | undefined {
  const path = `/proc/${pid}/status`;
  const status = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const [resident, peak] = [/VmRSS:\s+(\d+) kB/, /VmHWM:\s+(\d+) kB/].map(
    (field) => field.exec(status)?.[1],
  );
  if (resident === undefined || peak === undefined) return undefined;
  return [(Number(resident) / 1024).toFixed(0), (Number(peak) / 1024).toFixed(0)];
}
