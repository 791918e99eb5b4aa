/**
 * Kills a training run at random moments, many times, and compares the resumed result with a calm run's:
 * `npx tsx scripts/kill-resume.ts [ROUNDS] [SEED]`. Prints a line a round; exits with 1 at a difference.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRandom } from '../src/base/random.ts';
import { writeTinyPictures, writeTinyTower } from '../test/train/tiny.ts';

const [rounds, seed] = [Number(process.argv[2] ?? 20), Number(process.argv[3] ?? 1)];
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const settings = `
preset: refcap
batchSize: 2
epochs: 15
width: 32
heads: 4
minWordCount: 1
learningRate: 1e-3
ema: 0.9
views: 2
checkpointEvery: 2
refinement: { heads: 4 }
alignment: { heads: 4 }
`;

async function compare(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'refcap-kills-'));
  try {
    await writeTinyTower(join(folder, 'tower'));
    await writeTinyPictures(join(folder, 'pictures'));
    writeFileSync(join(folder, 'settings.yaml'), settings);
    const args = ['train', '--data', 'pictures', '--tower', 'tower', '--config', 'settings.yaml'];
    const started = performance.now();
    const calm = spawnSync(process.execPath, [main, ...args, '-o', 'calm'], { cwd: folder });
    if (calm.status !== 0) throw new Error(String(calm.stderr));
    const seconds = (performance.now() - started) / 1000;
    const random = createRandom(seed);
    let differing = 0;
    for (let round = 1; round <= rounds; round++) {
      const run = `run-${round}`;
      let kills = 0;
      // Any moment: while features are computed, in a step, in a validation, half-way through a file.
      while (
        kills < 30 &&
        !(await finished(folder, [...args, '-o', run, '--resume'], random.next() * seconds))
      )
        kills += 1;
      const files = [
        'last/model.safetensors',
        'last/refinement.safetensors',
        'best/model.safetensors',
      ];
      const wrong = files.filter(
        (name) => !sameFile(join(folder, 'calm', name), join(folder, run, name)),
      );
      differing += wrong.length > 0 ? 1 : 0;
      console.log(
        `round ${round}: ${kills} kills, ${wrong.length === 0 ? 'same bits' : `differs: ${wrong}`}`,
      );
      rmSync(join(folder, run), { recursive: true, force: true });
    }
    return differing;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the command, and kills it after some seconds; whether it came to its end before. */
function finished(cwd: string, args: readonly string[], seconds: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], { cwd });
    let text = '';
    child.stderr.on('data', (data) => {
      text += data;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), 1000 * seconds);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      if (signal === null && code !== 0) reject(new Error(text));
      resolve(code === 0);
    });
  });
}

function sameFile(a: string, b: string): boolean {
  return Buffer.compare(readFileSync(a), readFileSync(b)) === 0;
}

compare().then(
  (differing) => {
    process.exitCode = differing > 0 ? 1 : 0;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
