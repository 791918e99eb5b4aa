/** Scenes of a film, decoding included, beside PySceneDetect: whole programs that take turns. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { machine, median, printTable } from './measure.ts';

const usage =
  'Usage: npm run bench -- scenes FILM --python PATH [--repeats 3]\nPATH is a Python with scenedetect and opencv-python-headless; without it refcap runs alone.';
const root = fileURLToPath(new URL('..', import.meta.url));

export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { python: { type: 'string' }, repeats: { type: 'string', default: '3' } },
  });
  const [film, ...others] = positionals;
  if (film === undefined || others.length > 0) {
    console.error(usage);
    return 2;
  }
  const { python } = values;
  const programs: Record<string, readonly string[]> = {
    refcap: [process.execPath, join(root, 'dist/cli/main.js'), 'video', film, '--scenes-only'],
    ...(python !== undefined && {
      PySceneDetect: [python, join(root, 'bench/peers/scenes.py'), film],
    }),
  };
  const names = Object.keys(programs);
  const seconds = names.map((): Timed[] => []);
  for (let i = 0; i < Number(values.repeats); i++)
    for (const [place, name] of names.entries()) seconds[place].push(timed(programs[name]));
  console.log(machine());
  const middle = (place: number, of: keyof Timed) => median(seconds[place].map((one) => one[of]));
  printTable(
    ['program', 'scenes', 'seconds', 'processor seconds'],
    names.map((name, place) => [
      name,
      seconds[place][0].scenes,
      middle(place, 'wall').toFixed(1),
      middle(place, 'processor').toFixed(1),
    ]),
  );
  if (names.length === 2)
    console.log(
      `refcap is ${(middle(1, 'wall') / middle(0, 'wall')).toFixed(2)} times as fast, and takes ${(middle(0, 'processor') / middle(1, 'processor')).toFixed(2)} of the processor's time`,
    );
  return 0;
}

interface Timed {
  readonly scenes: number;
  readonly wall: number;
  /** Of all threads and programs that it started. */
  readonly processor: number;
}

/** Runs a program that prints a line for each scene. */
function timed(command: readonly string[]): Timed {
  const script = 'TIMEFORMAT="%R %U %S"; time "$@"';
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...command], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
  const [wall, user, system] = (stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  return { scenes: stdout.trim().split('\n').length, wall, processor: user + system };
}
