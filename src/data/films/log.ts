/** What ffmpeg says on its standard error while it reads a film: the frames' times and colours, and errors. */
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { type ColourFactors, colourFactors, isColourSpace } from './kernel/colours.ts';

/** What is told of a frame. */
export interface ToldFrame {
  /** Seconds of the stream's clock. */
  readonly time: number;
  readonly colours: ColourFactors;
}

interface Entry {
  /** Undefined for a frame without one. */
  readonly time: number | undefined;
  isFull: boolean;
  space?: string;
}

/** Turns of the event loop in which what is written already is read. */
const turns = 5;

/** Reads as it comes; frames are asked for in their order. */
export class FfmpegLog {
  errors = 0;
  lastError = '';
  #timeBase = 1;
  #isOver = false;
  #rest = '';
  #colours: ColourFactors | undefined;
  /** Frames that were not asked for yet. */
  readonly #frames: Entry[] = [];
  #wake = (): void => undefined;

  constructor(stream: Readable) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      const lines = `${this.#rest}${text}`.split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#read(line);
      this.#wake();
    });
    stream.on('close', () => {
      this.#read(this.#rest);
      this.#isOver = true;
      this.#wake();
    });
  }

  /**
   * What was told of a frame that is there: ffmpeg tells before it gives. Where messages of its threads tore the telling
   * apart, colours are those of the frame before.
   * @param rate frames a second where they have no times
   */
  async next(index: number, rate: number): Promise<ToldFrame> {
    for (let i = 0; i < turns && !this.#isOver && this.#frames[0]?.space === undefined; i++)
      await setImmediate();
    // A time comes in one piece.
    while (!this.#isOver && this.#frames.length === 0)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    const entry = this.#frames.shift();
    if (entry === undefined) throw new Error('ffmpeg gave a frame without telling of it');
    if (entry.space !== undefined) this.#colours = colourFactors(entry.space, entry.isFull);
    this.#colours ??= colourFactors('unknown', entry.isFull);
    return { time: entry.time ?? index / rate, colours: this.#colours };
  }

  #read(line: string): void {
    const frame = /\] n: *\d+ pts: *(-?\d+|NOPTS).* fmt:(\S+)/.exec(line);
    if (frame) {
      const time = frame[1] === 'NOPTS' ? undefined : Number(frame[1]) * this.#timeBase;
      this.#frames.push({ time, isFull: frame[2].startsWith('yuvj') });
    }
    const last = this.#frames.at(-1);
    if (last && line.includes('color_')) {
      if (line.includes('color_range:pc')) last.isFull = true;
      const space = /color_space:([\w-]+)/.exec(line)?.[1];
      if (space !== undefined && isColourSpace(space)) last.space ??= space;
    }
    if (/\[(?:error|fatal|panic)\]/.test(line)) {
      this.errors += 1;
      this.lastError = line.replace(/^.*\[(?:error|fatal|panic)\] */, '');
    } else if (line.includes('config in')) {
      const base = /time_base: (\d+)\/(\d+)/.exec(line);
      if (base) this.#timeBase = Number(base[1]) / Number(base[2]);
    }
  }
}
