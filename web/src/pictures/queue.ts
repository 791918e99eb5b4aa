/** Captions pictures in their order, a few at a time, and waits where the server asks for it. */
import { type Signal, signal } from '@preact/signals';
import type { CaptionResult, Settings, Word } from '../server/client.ts';
import { Busy, PictureError, TokenNeeded, Unreachable } from '../server/errors.ts';
import type { Picture } from './picture.ts';

/** Requests under way: browsers open six connections to a server, and some are for other things. */
export const mostRequests = 4;

/** Why nothing is sent: the reader has to do something first, or the server asked to wait. */
export type Hold = 'none' | 'busy' | 'token' | 'unreachable';

export type SendPicture = (
  picture: Picture,
  settings: Settings,
  watch: { readonly signal: AbortSignal; readonly onWord: (word: Word) => void },
) => Promise<CaptionResult>;

export class CaptionQueue {
  readonly hold: Signal<Hold> = signal<Hold>('none');
  readonly #send: SendPicture;
  readonly #settings: () => Settings;
  #waiting: Picture[] = [];
  readonly #running = new Map<Picture, AbortController>();

  /** @param settings those of the moment in which a picture is sent */
  constructor(send: SendPicture, settings: () => Settings) {
    this.#send = send;
    this.#settings = settings;
  }

  /** Captions pictures, also those that were captioned before. */
  add(pictures: readonly Picture[]): void {
    const known = new Set([...this.#waiting, ...this.#running.keys()]);
    for (const picture of pictures.filter((one) => !known.has(one))) {
      picture.state.value = { kind: 'waiting' };
      picture.chosen.value = 0;
      picture.edited.value = undefined;
      this.#waiting.push(picture);
    }
    this.#pump();
  }

  /** Stops what is under way of these pictures and forgets what waits. */
  cancel(pictures: readonly Picture[]): void {
    const stopped = new Set(pictures);
    const waiting = this.#waiting.filter((picture) => stopped.has(picture));
    this.#waiting = this.#waiting.filter((picture) => !stopped.has(picture));
    for (const picture of waiting) picture.state.value = { kind: 'cancelled' };
    for (const [picture, controller] of this.#running) if (stopped.has(picture)) controller.abort();
  }

  /** Goes on after a hold. */
  resume(): void {
    this.hold.value = 'none';
    this.#pump();
  }

  #pump(): void {
    while (this.hold.value === 'none' && this.#running.size < mostRequests) {
      const picture = this.#waiting.shift();
      if (picture === undefined) return;
      void this.#caption(picture).finally(() => this.#pump());
    }
  }

  async #caption(picture: Picture): Promise<void> {
    const controller = new AbortController();
    this.#running.set(picture, controller);
    const words = signal<readonly Word[]>([]);
    picture.state.value = { kind: 'writing', words };
    try {
      const result = await this.#send(picture, this.#settings(), {
        signal: controller.signal,
        onWord: (word) => {
          words.value = [...words.value, word];
        },
      });
      picture.state.value = { kind: 'done', result };
    } catch (error) {
      this.#fail(picture, error, controller.signal);
    } finally {
      this.#running.delete(picture);
    }
  }

  #fail(picture: Picture, error: unknown, { aborted }: AbortSignal): void {
    if (aborted) picture.state.value = { kind: 'cancelled' };
    else if (error instanceof Busy) this.#wait(picture, 'busy', error.seconds);
    else if (error instanceof TokenNeeded) this.#wait(picture, 'token');
    else if (error instanceof Unreachable) this.#wait(picture, 'unreachable');
    else {
      const message = error instanceof PictureError ? error.message : `Unexpected: ${error}`;
      picture.state.value = { kind: 'failed', message };
    }
  }

  /** The picture goes back to the front, and nothing is sent until the hold ends. */
  #wait(picture: Picture, hold: Exclude<Hold, 'none'>, seconds?: number): void {
    picture.state.value = { kind: 'waiting' };
    this.#waiting.unshift(picture);
    if (this.hold.value !== 'none') return;
    this.hold.value = hold;
    if (seconds !== undefined) setTimeout(() => this.resume(), 1000 * seconds);
  }
}
