/** Compares how the pictures look, beside other work, once that is asked for. */
import { hashPictures } from '../pictures.ts';
import type { ReviewSession } from '../session.ts';
import { similarGroups } from '../views/similar.ts';

export class PictureComparison {
  readonly #session: ReviewSession;
  readonly #signal: AbortSignal;
  #done: number | undefined;
  #work: Promise<void> | undefined;

  constructor(session: ReviewSession, signal: AbortSignal) {
    this.#session = session;
    this.#signal = signal;
  }

  /** Pictures that were looked at; undefined before `start`. */
  get done(): number | undefined {
    return this.#done;
  }

  start(): void {
    this.#done ??= 0;
    this.#work ??= this.#compare().catch((error: unknown) => {
      if (!this.#signal.aborted) throw error;
    });
  }

  /** Resolved when nothing goes on any more. */
  async settled(): Promise<void> {
    await this.#work;
  }

  async #compare(): Promise<void> {
    const { drafts, source } = this.#session;
    const hashes = await hashPictures(drafts, source.folders, {
      signal: this.#signal,
      onDone: () => {
        // The last one is told when the groups are known.
        this.#done = Math.min((this.#done ?? 0) + 1, drafts.length - 1);
      },
    });
    this.#session.groups = similarGroups(hashes);
    this.#done = drafts.length;
  }
}
