/** Captions as running text, for interfaces that answer with a text. */
import type { PictureEvent, PictureOutcome } from './events.ts';

export type Captioned = Extract<PictureOutcome, { kind: 'done' }>;

/**
 * The text as it is written, piece by piece: a line for each picture, in their order.
 * @returns the pictures' captions
 * @throws HttpError of a picture that fails
 */
export async function* captionText(
  events: AsyncGenerator<PictureEvent, void>,
  count: number,
): AsyncGenerator<string, Captioned[]> {
  const lines = Array.from({ length: count }, () => new Line());
  let current = 0;
  for await (const event of events) {
    if (event.kind === 'failed') throw event.error;
    const line = lines[event.index];
    if (event.kind === 'word') line.add(event.word.text);
    else line.end(event);
    // Pictures behind the one that is being written wait for their turn.
    while (current < count) {
      const text = lines[current].take();
      if (text !== '') yield text;
      if (!lines[current].captioned || ++current === count) break;
      yield '\n';
    }
  }
  return lines.flatMap(({ captioned }) => captioned ?? []);
}

/** The whole of it at once. */
export async function captionedAll(
  events: AsyncGenerator<PictureEvent, void>,
  count: number,
): Promise<Captioned[]> {
  const text = captionText(events, count);
  for (;;) {
    const { done, value } = await text.next();
    if (done) return value;
  }
}

/** The text of the candidate at `place` of each picture, a line each. */
export function candidateText(captioned: readonly Captioned[], place: number): string {
  return captioned.map(({ result }) => result.captions[place].text).join('\n');
}

/** A caption that is being written. */
class Line {
  #text = '';
  #taken = 0;
  captioned: Captioned | undefined;

  add(word: string): void {
    // As the tokenizer joins words.
    this.#text += this.#text === '' || /^[.,?!]/.test(word) ? word : ` ${word}`;
  }

  end(captioned: Captioned): void {
    this.captioned = captioned;
    const whole = captioned.result.caption;
    // What was given stays, should the tokenizer have joined it otherwise.
    if (whole.startsWith(this.#text.slice(0, this.#taken))) this.#text = whole;
  }

  take(): string {
    const text = this.#text.slice(this.#taken);
    this.#taken = this.#text.length;
    return text;
  }
}
