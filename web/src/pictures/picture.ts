/** A picture on the page: its file, what became of it, and what its reader made of the caption. */
import { type Signal, signal } from '@preact/signals';
import type { CaptionResult, Explanation, Word } from '../server/client.ts';

export type State =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'writing'; readonly words: Signal<readonly Word[]> }
  | { readonly kind: 'done'; readonly result: CaptionResult }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'cancelled' };

/** A small picture: not made, made (its address), or of a kind that the browser does not read. */
export type Thumbnail =
  | { readonly kind: 'none' }
  | { readonly kind: 'made'; readonly address: string }
  | { readonly kind: 'unreadable' };

/** Where the words of the caption `of` looked: not asked for, asked for, known, or why not. */
export type Why =
  | { readonly kind: 'none' }
  | { readonly kind: 'asked'; readonly of: string; readonly stop: () => void }
  | { readonly kind: 'known'; readonly of: string; readonly explanation: Explanation }
  | { readonly kind: 'failed'; readonly of: string; readonly message: string };

export interface Picture {
  readonly id: number;
  /** The file's name, with its folders where folders were given. */
  readonly name: string;
  /** Its bytes stay on the disk until they are sent. */
  readonly file: File;
  readonly state: Signal<State>;
  /** Which of the candidates is the caption. */
  readonly chosen: Signal<number>;
  /** The caption as the reader rewrote it. */
  readonly edited: Signal<string | undefined>;
  readonly thumbnail: Signal<Thumbnail>;
  readonly why: Signal<Why>;
  /** Which of the explained words is shown on the picture. */
  readonly shownWord: Signal<number>;
}

let count = 0;

export function newPicture(name: string, file: File): Picture {
  count += 1;
  return {
    id: count,
    name,
    file,
    state: signal<State>({ kind: 'waiting' }),
    chosen: signal(0),
    edited: signal<string | undefined>(undefined),
    thumbnail: signal<Thumbnail>({ kind: 'none' }),
    why: signal<Why>({ kind: 'none' }),
    shownWord: signal(0),
  };
}

/** The caption to show and to save: the reader's, or else the chosen candidate. */
export function captionOf({ state, chosen, edited }: Picture): string | undefined {
  if (state.value.kind !== 'done') return undefined;
  return edited.value ?? state.value.result.captions[chosen.value]?.text ?? '';
}

/** What is known of the caption that stands there now. */
export function whyOf(picture: Picture): Why {
  const why = picture.why.value;
  return why.kind === 'none' || why.of === captionOf(picture) ? why : { kind: 'none' };
}

/** Whether the picture is still to be captioned or on its way. */
export function isPending({ state }: Picture): boolean {
  return state.value.kind === 'waiting' || state.value.kind === 'writing';
}
