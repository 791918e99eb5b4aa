/** The decisions of one reviewer in their order; each can be taken back, the newest first. */
import type { ReviewDecision } from './decision.ts';

export class DecisionHistory {
  readonly #all: ReviewDecision[] = [];
  /** Of each picture, oldest first. */
  readonly #byFile = new Map<string, ReviewDecision[]>();

  /** The newest decision on a picture. */
  of(file: string): ReviewDecision | undefined {
    return this.#byFile.get(file)?.at(-1);
  }

  add(decision: ReviewDecision): void {
    this.#all.push(decision);
    const list = this.#byFile.get(decision.file);
    if (list) list.push(decision);
    else this.#byFile.set(decision.file, [decision]);
  }

  /** Takes back the newest decision, so that the one before it on that picture counts again. */
  undo(): ReviewDecision | undefined {
    const undone = this.#all.pop();
    if (undone) this.#byFile.get(undone.file)?.pop();
    return undone;
  }

  /** The decision that counts on each picture. */
  current(): ReviewDecision[] {
    return [...this.#byFile.values()].flatMap((list) => list.at(-1) ?? []);
  }

  /** All that were not taken back, oldest first. */
  get all(): readonly ReviewDecision[] {
    return this.#all;
  }
}
