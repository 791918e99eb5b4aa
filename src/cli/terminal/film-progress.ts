/** How far a film is: a line that changes on a terminal, a line now and then in a pipe. */
import { formatTime } from './progress.ts';

export class FilmProgress {
  readonly #interval = process.stderr.isTTY ? 200 : 10_000;
  #shown = performance.now();
  #isLineOpen = false;

  /** @param time seconds; @param duration of the film, where it is known */
  show(film: string, time: number, duration: number | undefined): void {
    const now = performance.now();
    if (now - this.#shown < this.#interval) return;
    this.#shown = now;
    const of = duration === undefined ? '' : ` of ${formatTime(duration)}`;
    const line = `${film}: ${formatTime(time)}${of}`;
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
    this.#isLineOpen = process.stderr.isTTY;
  }

  /** Takes the changing line away, so that other lines can follow. */
  clear(): void {
    if (this.#isLineOpen) process.stderr.write('\r\x1b[K');
    this.#isLineOpen = false;
  }
}
