/** Captions that are scored as they are but deserve a look: empty, with control characters, very long. */

/** From this many characters on a caption is called long. */
export const longCaption = 10_000;

/** How many captions are unusual in a way, and the first of them (its position; -1 where there is none). */
export interface UnusualCaptions {
  empty: number;
  firstEmpty: number;
  control: number;
  firstControl: number;
  long: number;
  firstLong: number;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const controlCharacter = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/;

/** Counts unusual captions over chunks. */
export class UnusualCounter {
  readonly total: UnusualCaptions = UnusualCounter.of([]);
  #seen = 0;

  /** Counts within one chunk; positions are within it. */
  static of(texts: readonly string[]): UnusualCaptions {
    const found = {
      empty: 0,
      firstEmpty: -1,
      control: 0,
      firstControl: -1,
      long: 0,
      firstLong: -1,
    };
    texts.forEach((text, i) => {
      if (text.trim() === '' && found.empty++ === 0) found.firstEmpty = i;
      if (controlCharacter.test(text) && found.control++ === 0) found.firstControl = i;
      if (text.length >= longCaption && found.long++ === 0) found.firstLong = i;
    });
    return found;
  }

  /** Adds the counts of the next chunk, which had `size` captions. */
  add(chunk: UnusualCaptions, size: number): void {
    const { total } = this;
    if (total.empty === 0 && chunk.empty > 0) total.firstEmpty = this.#seen + chunk.firstEmpty;
    if (total.control === 0 && chunk.control > 0)
      total.firstControl = this.#seen + chunk.firstControl;
    if (total.long === 0 && chunk.long > 0) total.firstLong = this.#seen + chunk.firstLong;
    total.empty += chunk.empty;
    total.control += chunk.control;
    total.long += chunk.long;
    this.#seen += size;
  }

  /**
   * One sentence a kind found, such as "a.json: 2 captions are empty (first: image 17)".
   * @param name How messages call the file.
   * @param where What to call the caption at a position.
   */
  warnings(name: string, where: (position: number) => string): string[] {
    const { total } = this;
    const say = (count: number, first: number, one: string, many: string): string[] =>
      count === 0
        ? []
        : [
            `${name}: ${count === 1 ? `1 caption ${one}` : `${count} captions ${many}`} (first: ${where(first)}); scored as ${count === 1 ? 'it stands' : 'they stand'}.`,
          ];
    return [
      ...say(total.empty, total.firstEmpty, 'is empty', 'are empty'),
      ...say(
        total.control,
        total.firstControl,
        'holds control characters',
        'hold control characters',
      ),
      ...say(
        total.long,
        total.firstLong,
        'is very long',
        `are very long (${longCaption} characters or more)`,
      ),
    ];
  }
}
