/** Thumbnails of the pictures in view: made a few at a time, and only so many kept. */
import type { Picture } from './picture.ts';

/** Each decodes a whole picture, which takes the memory of its pixels. */
const mostDecoding = 2;

/** Thumbnails kept, those in view beside. */
export const mostKept = 200;

/** Pixels a thumbnail is wide. */
const width = 320;

/** Makes a small picture, by its address. @throws where the browser cannot read the file */
export type MakeThumbnail = (file: File) => Promise<string>;

export class Thumbnails {
  readonly #make: MakeThumbnail;
  readonly #release: (address: string) => void;
  readonly #inView = new Set<Picture>();
  /** The latest seen last. */
  readonly #kept = new Set<Picture>();
  #wanted: Picture[] = [];
  #decoding = 0;

  constructor(make: MakeThumbnail = makeThumbnail, release = URL.revokeObjectURL) {
    this.#make = make;
    this.#release = release;
  }

  /** A picture came into view. */
  show(picture: Picture): void {
    this.#inView.add(picture);
    const { kind } = picture.thumbnail.value;
    if (kind === 'made') this.#keep(picture);
    if (kind !== 'none' || this.#wanted.includes(picture)) return;
    this.#wanted.push(picture);
    this.#next();
  }

  /** A picture went out of view: what was not begun for it is not begun. */
  hide(picture: Picture): void {
    this.#inView.delete(picture);
    this.#wanted = this.#wanted.filter((one) => one !== picture);
    this.#drop();
  }

  /** A picture was removed from the page. */
  forget(picture: Picture): void {
    this.hide(picture);
    this.#free(picture);
  }

  #next(): void {
    // The latest first: that is where the reader is.
    const picture = this.#decoding < mostDecoding ? this.#wanted.pop() : undefined;
    if (picture === undefined) return;
    this.#decoding += 1;
    void this.#one(picture).finally(() => {
      this.#decoding -= 1;
      this.#next();
    });
  }

  async #one(picture: Picture): Promise<void> {
    try {
      const address = await this.#make(picture.file);
      picture.thumbnail.value = { kind: 'made', address };
      this.#keep(picture);
    } catch {
      picture.thumbnail.value = { kind: 'unreadable' };
    }
  }

  #keep(picture: Picture): void {
    this.#kept.delete(picture);
    this.#kept.add(picture);
    this.#drop();
  }

  #drop(): void {
    for (const picture of this.#kept) {
      if (this.#kept.size <= mostKept) return;
      if (!this.#inView.has(picture)) this.#free(picture);
    }
  }

  #free(picture: Picture): void {
    this.#kept.delete(picture);
    const { value } = picture.thumbnail;
    if (value.kind !== 'made') return;
    this.#release(value.address);
    picture.thumbnail.value = { kind: 'none' };
  }
}

async function makeThumbnail(file: File): Promise<string> {
  const bitmap = await createImageBitmap(file, { resizeWidth: width, resizeQuality: 'medium' });
  try {
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
    return URL.createObjectURL(await canvas.convertToBlob({ type: 'image/webp', quality: 0.8 }));
  } finally {
    bitmap.close();
  }
}
