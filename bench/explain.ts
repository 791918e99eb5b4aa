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
  const prepareAll = () =>
    Promise.all(
      files.slice(0, Number(values.images)).map((file) => captioner.prepare(join(samples, file))),
    );
  const images = await prepareAll();
  /** Milliseconds of the processor, which other programs on it disturb least. */
  const cost = async (work: () => Promise<unknown>): Promise<number> => {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / images.length;
  };
  const tasks: { name: string; work: () => Promise<unknown> }[] = [
    { name: 'read and resized', work: prepareAll },
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
  /** Of captioning, with or without what comes before it. */
  const ratio = (i: number, before: 0 | 1): string => {
    const whole = (task: number, turn: number) => found[task][turn] + before * found[0][turn];
    return median(found[i].map((_, turn) => whole(i, turn) / whole(1, turn))).toFixed(2);
  };
  printTable(
    ['a picture', 'ms of the processor', 'times captioning', 'both from its file'],
    tasks.map(({ name }, i) => [
      name,
      median(found[i]).toFixed(0),
      i === 0 ? '' : ratio(i, 0),
      i === 0 ? '' : ratio(i, 1),
    ]),
  );
  return 0;
}
