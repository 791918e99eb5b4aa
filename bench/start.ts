/** What the way to the end costs (src/base/process-settings.ts): whole commands, short and long, with it and without it in turns. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { shortRuns, withoutCure } from '../scripts/short-runs.ts';
import { machine, median, printTable } from './measure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** `npm run bench -- start [--rounds 9] [--images 5000] [--photos 210]` */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '9' },
      images: { type: 'string', default: '5000' },
      photos: { type: 'string', default: '210' },
    },
  });
  console.log(machine());
  const folder = mkdtempSync(join(tmpdir(), 'refcap-start-'));
  try {
    const commands = {
      ...shortRuns(folder),
      [`score, ${values.images} images, all metrics`]: longScore(folder, Number(values.images)),
      [`caption, ${values.photos} photos`]: longCaption(Number(values.photos)),
    };
    const rows = Object.entries(commands).map(([name, command]) =>
      measureCommand(name, command, Number(values.rounds)),
    );
    printTable(['seconds, median', 'with', 'without', 'ratio of speeds'], rows);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return 0;
}

/** The ratio is the median of the rounds' own: a machine's speed drifts less within one. */
function measureCommand(name: string, command: readonly string[], rounds: number): string[] {
  const found = { with: [] as number[], without: [] as number[], ratio: [] as number[] };
  // The first round is for warmth alone; who comes first changes.
  for (let round = 0; round <= rounds; round++) {
    const order = round % 2 ? (['with', 'without'] as const) : (['without', 'with'] as const);
    const seconds = { with: 0, without: 0 };
    for (const way of order) seconds[way] = secondsOf(command, way === 'without');
    if (round === 0) continue;
    found.with.push(seconds.with);
    found.without.push(seconds.without);
    found.ratio.push(seconds.without / seconds.with);
  }
  const shown = (values: readonly number[], digits: number) => median(values).toFixed(digits);
  return [name, shown(found.with, 3), shown(found.without, 3), shown(found.ratio, 3)];
}

function secondsOf(command: readonly string[], isWithout: boolean): number {
  const flags = isWithout ? [withoutCure] : [noImport];
  const started = performance.now();
  const { status, stderr } = spawnSync(
    process.execPath,
    [...flags, join(root, 'dist/cli/main.js'), ...command],
    { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}: ${stderr}`);
  return (performance.now() - started) / 1000;
}

/** As much work before the program as taking the cure away. */
const noImport = withoutCure
  .replace('setFlagsFromString%20', 'unused%20')
  .replace('runInNewContext%20', 'unused%20');

/** The tests' captions, repeated under new ids. */
function longScore(folder: string, images: number): readonly string[] {
  const fixture = join(root, 'test/fixtures/metrics/coco_fakecap1000.json');
  const { items }: { items: { candidate: string; references: string[] }[] } = JSON.parse(
    readFileSync(fixture, 'utf8'),
  );
  const lines = (of: (item: (typeof items)[number]) => readonly string[]): string =>
    Array.from({ length: images }, (_, id) =>
      of(items[id % items.length]).map(
        (caption) => `${JSON.stringify({ image_id: id, caption })}\n`,
      ),
    )
      .flat()
      .join('');
  const [candidates, references] = ['many-candidates.jsonl', 'many-references.jsonl'].map((name) =>
    join(folder, name),
  );
  writeFileSync(
    candidates,
    lines(({ candidate }) => [candidate]),
  );
  writeFileSync(
    references,
    lines(({ references }) => references.slice(0, 5)),
  );
  return ['score', candidates, '-r', references, '-m', 'bleu,meteor,rouge-l,cider,rouge'];
}

function longCaption(photos: number): readonly string[] {
  const files = readdirSync(join(root, 'samples')).filter((name) => name.endsWith('.jpg'));
  const inputs = Array.from({ length: photos }, (_, i) => `samples/${files[i % files.length]}`);
  return ['caption', ...inputs, '--quiet'];
}
