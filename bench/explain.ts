/** What explanations cost: pictures captioned, and captioned and explained, in turns. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Captioner } from '../src/caption/captioner.ts';
import { explainPrepared } from '../src/explain/explain.ts';
import { isMethodName, methodNames } from '../src/explain/methods/names.ts';
import { machine, median, printTable } from './measure.ts';

const samples = fileURLToPath(new URL('../samples/', import.meta.url));
const bundled = fileURLToPath(new URL('../models/refcap-small/', import.meta.url));

/** `npm run bench -- explain [--methods layer-cam,attention] [--repeats 5] [--threads 1] [--images 8]` */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      methods: { type: 'string', default: 'layer-cam,gradient-attention,attention,gradient-input' },
      repeats: { type: 'string', default: '5' },
      threads: { type: 'string', default: '1' },
      images: { type: 'string', default: '8' },
    },
  });
  const names = values.methods.split(',').filter(isMethodName);
  if (names.length < values.methods.split(',').length) {
    console.error(`--methods: ${methodNames.join(', ')}.`);
    return 2;
  }
  console.log(machine());
  using captioner = await Captioner.load(bundled, { threads: Number(values.threads) });
  const files = (await readdir(samples)).filter((file) => file.endsWith('.jpg'));
  const images = await Promise.all(
    files.slice(0, Number(values.images)).map((file) => captioner.prepare(join(samples, file))),
  );
  /** Milliseconds of the processor, which other programs on it disturb least. */
  const cost = async (work: () => Promise<unknown>): Promise<number> => {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / images.length;
  };
  const tasks: { name: string; work: () => Promise<unknown> }[] = [
    { name: 'captioned', work: () => captioner.captionPrepared(images) },
    ...names.map((method) => ({
      name: `and explained by ${method}`,
      work: () => explainPrepared(captioner, images, { method }),
    })),
  ];
  const found = tasks.map((): number[] => []);
  // The first turn opens sessions.
  for (let turn = 0; turn <= Number(values.repeats); turn++)
    for (const [i, { work }] of tasks.entries()) {
      const value = await cost(work);
      if (turn > 0) found[i].push(value);
    }
  const ratio = (i: number): string =>
    median(found[i].map((value, turn) => value / found[0][turn])).toFixed(2);
  printTable(
    ['a picture', 'ms of the processor', 'times captioning'],
    tasks.map(({ name }, i) => [name, median(found[i]).toFixed(0), ratio(i)]),
  );
  return 0;
}
