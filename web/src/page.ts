/** What the page knows, and what its reader can do: pictures, settings, the queue, who writes the captions. */
import { batch, computed, effect, type ReadonlySignal, signal } from '@preact/signals';
import { Explaining } from './pictures/explaining.ts';
import type { NamedFile } from './pictures/files.ts';
import { isPending, newPicture, type Picture, type State } from './pictures/picture.ts';
import { CaptionQueue } from './pictures/queue.ts';
import { Thumbnails } from './pictures/thumbnails.ts';
import type { CaptionResult, Explanation, Settings, Word } from './server/client.ts';
import { TokenNeeded } from './server/errors.ts';

export type Counts = Readonly<Record<State['kind'], number>>;

/** Who writes captions: a server, or the page itself. */
export interface Writer {
  /** The model's name, when it can be used. @throws TokenNeeded, Unreachable */
  modelName(): Promise<string>;
  /** @throws Busy, TokenNeeded, Unreachable, PictureError; the signal's reason when aborted */
  caption(
    file: File,
    settings: Settings,
    watch: { readonly signal: AbortSignal; readonly onWord: (word: Word) => void },
  ): Promise<CaptionResult>;
  /** Where each word of a caption looked. @throws as `caption` */
  explain?(file: File, caption: string, signal: AbortSignal): Promise<Explanation>;
}

export class Page {
  readonly pictures = signal<readonly Picture[]>([]);
  readonly settings = signal<Settings>({ candidates: 1, beams: 1, prefix: '' });
  readonly model = signal<string | undefined>(undefined);
  /** Kept for this tab alone. */
  readonly token = signal(sessionStorage.getItem('token') ?? '');
  readonly counts: ReadonlySignal<Counts> = computed(() => countStates(this.pictures.value));
  /** What was last told to readers of the screen. */
  readonly announcement = signal('');
  readonly thumbnails = new Thumbnails();
  readonly queue: CaptionQueue;
  /** Absent where who writes does not explain. */
  readonly explaining: Explaining | undefined;
  readonly #writer: Writer;

  /** @param writer is given what the reader entered as a token; empty for none */
  constructor(writer: (token: () => string) => Writer) {
    this.#writer = writer(() => this.token.value);
    this.queue = new CaptionQueue(
      ({ file }, settings, watch) => this.#writer.caption(file, settings, watch),
      () => this.settings.value,
    );
    const explain = this.#writer.explain?.bind(this.#writer);
    this.explaining = explain && new Explaining(explain);
    effect(() => sessionStorage.setItem('token', this.token.value));
    void this.connect();
  }

  /** Asks for the model, and goes on with what waits. */
  async connect(): Promise<void> {
    try {
      this.model.value = await this.#writer.modelName();
      this.queue.resume();
    } catch (error) {
      this.queue.hold.value = error instanceof TokenNeeded ? 'token' : 'unreachable';
    }
  }

  add(files: readonly NamedFile[]): void {
    if (files.length === 0) return;
    const added = files.map(({ name, file }) => newPicture(name, file));
    batch(() => {
      this.pictures.value = [...this.pictures.value, ...added];
      this.queue.add(added);
    });
    this.announcement.value = `${pictureCount(added.length)} added.`;
  }

  remove(pictures: readonly Picture[]): void {
    const removed = new Set(pictures);
    batch(() => {
      this.queue.cancel(pictures);
      this.pictures.value = this.pictures.value.filter((picture) => !removed.has(picture));
    });
    for (const picture of pictures) {
      this.thumbnails.forget(picture);
      this.explaining?.hide(picture);
    }
    this.announcement.value = `${pictureCount(pictures.length)} removed.`;
  }

  cancelAll(): void {
    batch(() => this.queue.cancel(this.pictures.value.filter(isPending)));
  }

  /** Captions anew what failed or was cancelled. */
  retryAll(): void {
    const again: readonly State['kind'][] = ['failed', 'cancelled'];
    this.#again((picture) => again.includes(picture.state.value.kind));
  }

  /** Captions anew with the settings of now, except what the reader rewrote. */
  captionAllAgain(): void {
    this.#again((picture) => !isPending(picture) && picture.edited.value === undefined);
  }

  #again(isWanted: (picture: Picture) => boolean): void {
    batch(() => this.queue.add(this.pictures.value.filter(isWanted)));
  }
}

function countStates(pictures: readonly Picture[]): Counts {
  const counts = { waiting: 0, writing: 0, done: 0, failed: 0, cancelled: 0 };
  for (const { state } of pictures) counts[state.value.kind] += 1;
  return counts;
}

/** 1 picture, 1,000 pictures. */
export function pictureCount(count: number): string {
  return `${count.toLocaleString('en')} ${count === 1 ? 'picture' : 'pictures'}`;
}
