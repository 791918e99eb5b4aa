/** What ffmpeg says on its standard error while it reads a film: the frames' times and colours, and errors. */
import type { Readable } from 'node:stream';
import { colourLine } from './conversion.ts';
import { type ColourFactors, colourFactors } from './kernel/colours.ts';

/** What is told of a frame. */
export interface ToldFrame {
  /** Seconds of the stream's clock. */
  readonly time: number;
  readonly colours: ColourFactors;
}

interface Entry {
  /** Undefined for a frame without one. */
  readonly time: number | undefined;
  readonly isFull: boolean;
  colours?: ColourFactors;
}

/** Reads as it comes; frames are asked for in their order. */
export class FfmpegLog {
  errors = 0;
  lastError = '';
  #timeBase = 1;
  #isOver = false;
  #rest = '';
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
   * @param rate frames a second where they have no times
   * @param withColours whether to wait for what is told of colours
   */
  async next(index: number, rate: number, withColours: boolean): Promise<ToldFrame> {
    while (!this.#isOver && !this.#isKnown(withColours))
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    const entry = this.#frames.shift();
    if (entry === undefined) throw new Error('ffmpeg gave a frame without telling of it');
    const colours = entry.colours ?? colourFactors('unknown', entry.isFull);
    return { time: entry.time ?? index / rate, colours };
  }

  #isKnown(withColours: boolean): boolean {
    const [first] = this.#frames;
    return first !== undefined && (!withColours || first.colours !== undefined);
  }

  #read(line: string): void {
    const frame = /\] n: *\d+ pts: *(-?\d+|NOPTS).* fmt:(\S+)/.exec(line);
    if (frame) {
      const time = frame[1] === 'NOPTS' ? undefined : Number(frame[1]) * this.#timeBase;
      this.#frames.push({ time, isFull: frame[2].startsWith('yuvj') });
      return;
    }
    const colour = colourLine.exec(line);
    const last = this.#frames.at(-1);
    if (colour) {
      if (last) last.colours ??= colourFactors(colour[2], last.isFull || colour[1] === 'pc');
    } else if (/\[(?:error|fatal|panic)\]/.test(line)) {
      this.errors += 1;
      this.lastError = line.replace(/\[[^\]]*\]\s*/g, '');
    } else if (line.includes('config in')) {
      const base = /time_base: (\d+)\/(\d+)/.exec(line);
      if (base) this.#timeBase = Number(base[1]) / Number(base[2]);
    }
  }
}
