/** The captions of a corpus in parts, each with what its tokens depend on around it. */
import { captionLines, type Surroundings, tokenAcross } from '../tokenizer/tokenizer.ts';

/** How many further captions are looked at first where a token may go on in them. */
const firstLook = 16;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const decode = (text: Uint8Array): string => decoder.decode(text);

/**
 * Cuts a corpus' captions, which the reference program reads as one text, into parts that can be
 * tokenized apart: `tokenizeCaptions(part, surroundings)` gives what the whole would.
 */
export class CaptionStream {
  #before = '';

  /**
   * What stands around the next part of the captions, all in UTF-8.
   *
   * @param following the captions behind the part, in their order; it is read more than once, as far as will do.
   */
  next(part: readonly Uint8Array[], following: Iterable<Uint8Array>): Required<Surroundings> {
    const before = this.#before;
    this.#before = '';
    const near = untilWords(following);
    if (before === '' && !part.some(bytesMayGoOn) && !near.some(mayGoOn)) {
      return { before, behind: asBehind(near) };
    }
    return this.#goingOn(before + captionLines(part.map(decode)), before, following);
  }

  /** The same where a token may begin in the part and end behind it: looks as far as such a one goes. */
  #goingOn(text: string, before: string, following: Iterable<Uint8Array>): Required<Surroundings> {
    for (let look = firstLook; ; look *= 2) {
      const taken = take(following, look + 1);
      const isAll = taken.length <= look;
      const behind = asBehind(taken);
      const start = tokenAcross(text + behind, text.length, isAll);
      if (start === undefined) continue;
      if (start >= 0) this.#before = `${text.slice(start)}\n`;
      return { before, behind };
    }
  }
}

/** `mayGoOn` without decoding what has no '<' and no '['. */
function bytesMayGoOn(caption: Uint8Array): boolean {
  return (caption.includes(0x3c) || caption.includes(0x5b)) && mayGoOn(decode(caption));
}

/** Whether a token that begins in the caption may end in a later one: only a tag's quoted value and a rare smiley do. */
function mayGoOn(caption: string): boolean {
  return (caption.includes('<') && /=\s*["']/.test(caption)) || caption.includes('[^x=');
}

/** Captions up to the first with more than white space in it and one more: no token's end depends on what is behind them. */
function untilWords(captions: Iterable<Uint8Array>): string[] {
  const found: string[] = [];
  let isLast = false;
  for (const bytes of captions) {
    const caption = decode(bytes);
    found.push(isLast ? '' : caption);
    if (isLast) break;
    isLast = /[^\s\u0085]/.test(caption);
  }
  return found;
}

function take(captions: Iterable<Uint8Array>, count: number): string[] {
  const taken: string[] = [];
  for (const caption of captions) {
    if (taken.length === count) break;
    taken.push(decode(caption));
  }
  return taken;
}

function asBehind(captions: readonly string[]): string {
  return captions.length === 0 ? '' : `\n${captionLines(captions)}`;
}
