/** What a reader of pages gives: pictures without alt text, and where a text would go. */

/** `missing`: there is no alt attribute. `empty`: there is one that says nothing. */
export type GapProblem = 'missing' | 'empty';

/** A picture without alt text. Offsets count UTF-16 code units of the page's text. */
export interface Gap {
  readonly problem: GapProblem;
  /** The picture's markup. */
  readonly start: number;
  readonly end: number;
  /** Addresses of the picture, the best first, character references resolved; `mark` stands for expressions. */
  readonly sources: readonly string[];
  /** The picture's title, where it has one. */
  readonly title?: string;
  /** What the text takes the place of, and what it looks like there. */
  readonly slot: Slot;
  /** Why nothing may be written there, where that is so. */
  readonly unsafe?: string;
  /** What a comment behind the picture looks like that asks a person for the text; absent where none may stand. */
  readonly todo?: string;
}

export interface Slot {
  readonly start: number;
  readonly end: number;
  markup(text: string): string;
}

/** What was found in a page; a page with broken markup gives nothing, for its pictures cannot be told surely. */
export type PageGaps =
  | { readonly kind: 'read'; readonly gaps: readonly Gap[]; readonly base?: string }
  | { readonly kind: 'broken'; readonly offset: number; readonly reason: string };

export interface GapOptions {
  /** Also take `alt=""` of pictures that nothing else marks as decorative. */
  readonly includeEmpty: boolean;
}
