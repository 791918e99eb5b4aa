/** Pictures around the one that is looked at, each as an address in memory. */
import { type Signal, signal } from '@preact/signals';
import { Refused } from './client.ts';

export type ShownPicture =
  | { readonly kind: 'loading' }
  | { readonly kind: 'shown'; readonly address: string }
  | { readonly kind: 'missing'; readonly reason: string };

/** Pictures that are kept: some that were seen, and those that come next. */
const mostKept = 24;

export class Pictures {
  readonly #load: (place: number) => Promise<string>;
  /** The latest asked for last. */
  readonly #kept = new Map<number, Signal<ShownPicture>>();

  constructor(load: (place: number) => Promise<string>) {
    this.#load = load;
  }

  /** The picture of a draft, which is loaded if it is not there. */
  of(place: number): Signal<ShownPicture> {
    const known = this.#kept.get(place);
    const picture = known ?? signal<ShownPicture>({ kind: 'loading' });
    this.#kept.delete(place);
    this.#kept.set(place, picture);
    if (!known) void this.#fill(place, picture);
    for (const [oldest, { value }] of this.#kept) {
      if (this.#kept.size <= mostKept) break;
      this.#kept.delete(oldest);
      if (value.kind === 'shown') URL.revokeObjectURL(value.address);
    }
    return picture;
  }

  async #fill(place: number, picture: Signal<ShownPicture>): Promise<void> {
    try {
      picture.value = { kind: 'shown', address: await this.#load(place) };
    } catch (error) {
      const reason = error instanceof Refused ? error.message : String(error);
      picture.value = { kind: 'missing', reason };
    }
  }
}
