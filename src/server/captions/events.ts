/** What happens while a request's pictures are captioned or explained, in the order in which it happens. */
import type { ImageCaption, Word } from '../../caption/result.ts';
import type { HttpError } from '../http/errors.ts';

/** A picture of a request: the bytes of its file, or its address. */
export interface Picture {
  /** As the client calls it, for messages and answers. */
  readonly name: string;
  readonly source: Uint8Array | URL;
}

/**
 * `index` is the picture's place in its request. Each picture ends with `done` or `failed`. Captions have their words,
 * whether or not they were asked for.
 */
export type PictureEvent<Result = ImageCaption> =
  | { readonly kind: 'word'; readonly index: number; readonly word: Word }
  | {
      readonly kind: 'done';
      readonly index: number;
      readonly result: Result;
      /** Milliseconds from the request's arrival. */
      readonly ms: number;
    }
  | { readonly kind: 'failed'; readonly index: number; readonly error: HttpError };

/** How a picture ended. */
export type PictureOutcome<Result = ImageCaption> = Exclude<PictureEvent<Result>, { kind: 'word' }>;

/** Events that several writers add while one reader takes them. */
export class EventQueue<Event> {
  readonly #events: Event[] = [];
  #isClosed = false;
  #wake = (): void => undefined;

  add(event: Event): void {
    this.#events.push(event);
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  /** All events until it is closed. */
  async *read(): AsyncGenerator<Event, void> {
    for (;;) {
      for (let event = this.#events.shift(); event; event = this.#events.shift()) yield event;
      if (this.#isClosed) return;
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }
}
