/** How long inference waits for pictures, and pictures to measure it with. */
import { copyFileSync, linkSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Captioner } from '../src/caption/captioner.ts';
import { median, printTable } from './measure.ts';

export const bundled = fileURLToPath(new URL('../models/refcap-small', import.meta.url));
const samples = fileURLToPath(new URL('../samples', import.meta.url));

/** The command's own batches with one member on a CPU. */
export const batchSize = 4;

/** So many pictures in a new folder, 000000.jpg ...: the sample photos, again and again. @returns their names */
export function samplePictures(folder: string, count: number): string[] {
  const photos = readdirSync(samples).filter((name) => name.endsWith('.jpg'));
  mkdirSync(folder, { recursive: true });
  const names = Array.from({ length: count }, (_, i) => `${String(i).padStart(6, '0')}.jpg`);
  for (const [i, name] of names.entries()) {
    const path = join(folder, name);
    if (i < photos.length) copyFileSync(join(samples, photos[i]), path);
    else linkSync(join(folder, names[i % photos.length]), path);
  }
  return names;
}

/**
 * Prints the share of a run in which no batch is at work, from the first picture to the end, without workers and with one,
 * and pictures a second; medians of the rounds that follow one for warmth.
 * @param from where the pictures are, in words
 * @param work captions them and tells how many there were; called with a number of its own each time
 * @returns seconds a picture without workers
 */
export async function measureWaiting(
  from: string,
  rounds: number,
  work: (captioner: Captioner, run: string) => Promise<number>,
): Promise<number> {
  const rows: string[][] = [];
  const perPicture: number[] = [];
  for (const workers of [0, 1]) {
    using captioner = await Captioner.load(bundled, { workers });
    const busy = new BusyTime(captioner);
    const found: { waiting: number; seconds: number }[] = [];
    for (let round = 0; round <= rounds; round++) {
      busy.begin();
      const pictures = await work(captioner, `waiting-${workers}-${round}`);
      const { waiting, seconds } = busy.end();
      if (round > 0) found.push({ waiting, seconds: seconds / pictures });
    }
    const seconds = median(found.map((one) => one.seconds));
    perPicture.push(seconds);
    const share = `${(100 * median(found.map(({ waiting }) => waiting))).toFixed(1)} %`;
    rows.push([workers === 0 ? 'without workers' : 'one worker', (1 / seconds).toFixed(1), share]);
  }
  printTable([`captioned from ${from}`, 'pictures a second', 'inference waits'], rows);
  return perPicture[0];
}

/** How long no batch of a captioner is at work. */
class BusyTime {
  #running = 0;
  #since = 0;
  #busy = 0;
  #begun = 0;

  constructor(captioner: Captioner) {
    const caption = captioner.captionPrepared.bind(captioner);
    captioner.captionPrepared = async (...given: Parameters<typeof caption>) => {
      if (this.#running++ === 0) this.#since = performance.now();
      try {
        return await caption(...given);
      } finally {
        if (--this.#running === 0) this.#busy += performance.now() - this.#since;
      }
    };
  }

  begin(): void {
    this.#busy = 0;
    this.#begun = performance.now();
  }

  end(): { waiting: number; seconds: number } {
    const ms = performance.now() - this.#begun;
    return { waiting: 1 - this.#busy / ms, seconds: ms / 1000 };
  }
}
