/**
 * Captioning a folder with the bundled model: the share of the run in which inference waits for pictures to be decoded and
 * resized, and what the command takes of memory as the pictures go by, which should stay as it is.
 * `npm run bench -- folder [--pictures 10000] [--waiting 336] [--rounds 3]`; 0 pictures leaves that part out.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fileSink } from '../src/caption/output/output.ts';
import { captionRun } from '../src/caption/run.ts';
import { listInputs } from '../src/caption/sources/inputs.ts';
import { machine, printTable } from './measure.ts';
import { batchSize, measureWaiting, samplePictures } from './waiting.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

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
  const filled = (count: number): string => {
    const path = join(folder, String(count));
    samplePictures(path, count);
    return path;
  };
  try {
    if (waiting > 0) await waitingOf(folder, filled(waiting), rounds);
    if (pictures > 0) await measureMemory(filled(pictures), pictures);
  } finally {
    rmSync(folder, { recursive: true });
  }
  return 0;
}

/** The command's run, which has the rows in a file. */
function waitingOf(parent: string, pictures: string, rounds: number): Promise<number> {
  return measureWaiting('a folder', rounds, async (captioner, run) => {
    const sink = await fileSink(join(parent, `${run}.jsonl`), 'jsonl', {
      ...{ resume: false, overwrite: false, candidates: 1, batchSize },
    });
    const options = captioner.defaults;
    const inputs = listInputs([pictures]);
    const counts = await captionRun(captioner, inputs, sink, {
      options,
      batchSize,
      failFast: true,
    });
    await sink.finish();
    return counts.captioned;
  });
}

/** The command's resident set after each tenth of the pictures, and its peak. Linux alone tells it. */
async function measureMemory(folder: string, total: number): Promise<void> {
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
