/** Progress on the standard error: one line that changes on a terminal, a line now and then in a pipe. */

export interface ProgressOptions {
  readonly stream?: NodeJS.WriteStream;
  /** Milliseconds between lines in a pipe. Default 10,000. */
  readonly pipeInterval?: number;
  readonly now?: () => number;
}

/** Counts what is done and says so with the rate and the time that is left. */
export class ProgressLine {
  readonly #stream: NodeJS.WriteStream;
  readonly #interval: number;
  readonly #now: () => number;
  readonly #started: number;
  #shown: number;
  #done = 0;
  #skipped = 0;
  #isLineOpen = false;
  /** How many there are in all, once that is known. */
  total: number | undefined;

  constructor(options: ProgressOptions = {}) {
    this.#stream = options.stream ?? process.stderr;
    this.#interval = this.#stream.isTTY ? 200 : (options.pipeInterval ?? 10_000);
    this.#now = options.now ?? (() => performance.now());
    this.#started = this.#now();
    this.#shown = this.#started;
  }

  /** One more is done; a skipped one does not count for the rate. */
  advance(wasSkipped = false): void {
    this.#done += 1;
    if (wasSkipped) this.#skipped += 1;
    this.#show();
  }

  /** So many of so many are done: for what tells its place, not its steps. */
  reach(done: number, total: number): void {
    this.#done = done;
    this.total = total;
    this.#show();
  }

  #show(): void {
    const now = this.#now();
    if (now - this.#shown < this.#interval) return;
    this.#shown = now;
    const line = this.#describe(now);
    if (this.#stream.isTTY) {
      this.#stream.write(`\r\x1b[K${line}`);
      this.#isLineOpen = true;
    } else this.#stream.write(`${line}\n`);
  }

  /** Takes the changing line away, so that other lines can follow. */
  clear(): void {
    if (this.#isLineOpen) this.#stream.write('\r\x1b[K');
    this.#isLineOpen = false;
  }

  /** Seconds since the start. */
  get seconds(): number {
    return (this.#now() - this.#started) / 1000;
  }

  #describe(now: number): string {
    const seconds = (now - this.#started) / 1000;
    const rate = (this.#done - this.#skipped) / seconds;
    const of = this.total === undefined ? '' : ` of ${this.total}`;
    const left =
      this.total === undefined || rate === 0 ? undefined : (this.total - this.#done) / rate;
    const time = left === undefined ? '' : `, ${formatTime(left)} left`;
    return `${this.#done}${of} pictures, ${formatRate(rate)}${time}`;
  }
}

/** Pictures a second, or a minute where they are slow. */
export function formatRate(perSecond: number): string {
  return perSecond >= 1 ? `${perSecond.toFixed(1)}/s` : `${(perSecond * 60).toFixed(1)}/min`;
}

/** 75 -> '1:15'. */
export function formatTime(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
