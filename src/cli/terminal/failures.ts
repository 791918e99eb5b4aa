/** Failures that are kept to be listed at the end. */

const mostListed = 1000;

export class FailureList {
  readonly #messages: string[] = [];
  #more = 0;

  add({ message }: Error): void {
    if (this.#messages.length < mostListed) this.#messages.push(message);
    else this.#more += 1;
  }

  /** A line for each on the standard error, and how many more there were. */
  print(): void {
    for (const message of this.#messages) console.error(`refcap: ${message}`);
    if (this.#more > 0) console.error(`refcap: and ${this.#more} more`);
  }
}
