/** Short commands to be run many times, as they are and without the cure for runs that never end. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const photo = fileURLToPath(new URL('../samples/two-dogs-on-grass.jpg', import.meta.url));

/** For Node, before the program: it sets no flags of V8 and collects no garbage at its end. */
export const withoutCure = `--import=data:text/javascript,${encodeURIComponent(`
  import v8 from 'node:v8';
  import vm from 'node:vm';
  import { syncBuiltinESMExports } from 'node:module';
  v8.setFlagsFromString = () => {};
  vm.runInNewContext = () => () => {};
  syncBuiltinESMExports();
`)}`;

/** Arguments of each command by its name; their inputs are written into the folder. */
export function shortRuns(folder: string): Readonly<Record<string, readonly string[]>> {
  const captions = ['a dog runs on the beach', 'a man rides a bike', 'two cats on a couch'];
  const write = (name: string, lines: readonly string[]): string => {
    const path = join(folder, name);
    const rows = lines.map((caption, i) => `${JSON.stringify({ image_id: i, caption })}\n`);
    writeFileSync(path, rows.join(''));
    return path;
  };
  const candidates = write('candidates.jsonl', captions);
  const references = write(
    'references.jsonl',
    captions.map((caption) => `${caption} by the sea`),
  );
  const score = ['score', candidates, '-r', references, '-f', 'csv', '-m'];
  return {
    score: [...score, 'cider,bleu'],
    'score-threads': [...score, 'cider,bleu', '--workers', '2'],
    caption: ['caption', photo, '--quiet', '--members', '1'],
  };
}
