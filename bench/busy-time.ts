import type { Captioner } from '../src/caption/captioner.ts';

/** How long no batch of a captioner is at work. */
export class BusyTime {
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
