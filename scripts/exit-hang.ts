/**
 * Counts runs of short commands that print everything and never end (nodejs/node#54918).
 *
 *   npx tsx scripts/exit-hang.ts --runs 1000
 *   npx tsx scripts/exit-hang.ts --runs 150 --without    # as it is without refcap's cure
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { shortRuns, withoutCure } from './short-runs.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    parallel: { type: 'string', default: '2' },
    commands: { type: 'string', default: 'score,score-threads,caption' },
    main: {
      type: 'string',
      default: fileURLToPath(new URL('../dist/cli/main.js', import.meta.url)),
    },
    without: { type: 'boolean', default: false },
  },
});

/** A run that has printed its result and is there so many milliseconds later hangs: others take some ten. */
const patience = 20_000;

/** One run. @returns whether it hung */
function hangs(args: readonly string[]): Promise<boolean> {
  const flags = values.without ? [withoutCure] : [];
  const child = spawn(process.execPath, [...flags, values.main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  let hung = false;
  let timer: NodeJS.Timeout | undefined;
  child.stderr.on('data', (part) => {
    errors += part;
  });
  child.stdout.on('data', () => {
    timer ??= setTimeout(() => {
      hung = true;
      child.kill('SIGKILL');
    }, patience);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (code) => {
      clearTimeout(timer);
      if (hung || code === 0) resolve(hung);
      else reject(new Error(`${args.join(' ')} ended with ${code}: ${errors}`));
    });
  });
}

/** Runs a command so many times, some at a time. @returns how many hung */
async function count(args: readonly string[], runs: number): Promise<number> {
  let started = 0;
  let hung = 0;
  const oneAfterTheOther = async (): Promise<void> => {
    while (started < runs) {
      started += 1;
      if (await hangs(args)) hung += 1;
    }
  };
  await Promise.all(Array.from({ length: Number(values.parallel) }, oneAfterTheOther));
  return hung;
}

const folder = mkdtempSync(join(tmpdir(), 'refcap-exit-'));
try {
  const all = shortRuns(folder);
  for (const name of values.commands.split(','))
    console.log(`${name}: ${await count(all[name], Number(values.runs))} of ${values.runs} hang`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
