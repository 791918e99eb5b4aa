/** How long a picture was looked at: not while the page is hidden, nor while nobody is there. */

/** Seconds after which nobody is there. */
const most = 300;

export class Clock {
  #counted = 0;
  #since: number | undefined;

  constructor() {
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#pause();
      else this.#since ??= performance.now();
    });
  }

  /** Begins anew. */
  start(): void {
    this.#counted = 0;
    this.#since = document.hidden ? undefined : performance.now();
  }

  get seconds(): number {
    const running = this.#since === undefined ? 0 : performance.now() - this.#since;
    return Math.min(most, (this.#counted + running) / 1000);
  }

  #pause(): void {
    this.#counted = 1000 * this.seconds;
    this.#since = undefined;
  }
}
